import fc from 'fast-check'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { contentOf, drawnBy, steps } from '../../test/kit/drawn-by.ts'
import { slicesOf } from './slices.ts'

test('one by one they make the same document as the state at once, and none waits for a later one', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), steps, (people, drawn) => {
      const doc = drawnBy(people, drawn, 20_000)
      const { slices, stateVector } = slicesOf(Y.encodeStateAsUpdateV2(doc))
      const copy = new Y.Doc()
      for (const slice of slices) {
        Y.applyUpdate(copy, slice)
        expect(copy.store.pendingStructs).toBeNull()
        expect(copy.store.pendingDs).toBeNull()
      }
      expect(contentOf(copy)).toEqual(contentOf(doc))
      expect(Y.decodeStateVector(stateVector)).toEqual(Y.decodeStateVector(Y.encodeStateVector(doc)))
      expect(Y.equalSnapshots(Y.snapshot(copy), Y.snapshot(doc))).toBe(true)
    }),
    { numRuns: 150 },
  )
})

/** A big document of two clients that depend on each other. */
function drawnBackAndForth(): Y.Doc {
  const steps = Array.from({ length: 400 }, (_, at): [number, number, number][] => [
    [at % 2, 0, at],
    [at % 2, 3, at],
    [(at + 1) % 2, 7, at % 2],
  ]).flat()
  return drawnBy(2, steps, 1_000)
}

test('a big state is cut, also where two clients depend on each other back and forth', () => {
  const doc = drawnBackAndForth()
  const { slices } = slicesOf(Y.encodeStateAsUpdateV2(doc))
  expect(slices.length).toBeGreaterThan(3)
  for (const slice of slices) expect(slice.byteLength).toBeLessThan(200_000)
  const copy = new Y.Doc()
  for (const slice of slices) Y.applyUpdate(copy, slice)
  expect(contentOf(copy)).toEqual(contentOf(doc))
})

test('merged by Yjs, which takes only updates with the highest client first, they make the same document', () => {
  const doc = drawnBackAndForth()
  const copy = new Y.Doc()
  Y.applyUpdate(copy, Y.mergeUpdates(slicesOf(Y.encodeStateAsUpdateV2(doc)).slices))
  expect(copy.store.pendingStructs).toBeNull()
  expect(contentOf(copy)).toEqual(contentOf(doc))
  expect(Y.equalSnapshots(Y.snapshot(copy), Y.snapshot(doc))).toBe(true)
})

test('a state is cut in which the edit of each of twenty thousand hangs on that of the one before', () => {
  const doc = new Y.Doc()
  doc.transact(() => {
    for (let client = 1; client <= 20_000; client++) {
      doc.clientID = client
      doc.getMap('tldraw').set('title', client)
    }
  })
  const { slices } = slicesOf(Y.encodeStateAsUpdateV2(doc))
  expect(slices.length).toBeLessThan(10)
  const copy = new Y.Doc()
  for (const slice of slices) Y.applyUpdate(copy, slice)
  expect(contentOf(copy)).toEqual(contentOf(doc))
})

test('deletions are cut, however they lie among the clients', () => {
  const doc = new Y.Doc()
  doc.transact(() => {
    for (const [client, edits] of [
      [3, 90_000],
      [2, 10],
      [1, 50_000],
    ] as const) {
      doc.clientID = client
      for (let edit = 0; edit < edits; edit++) doc.getMap('tldraw').set(`shape:${edit % 2}`, edit)
    }
  })
  const { slices } = slicesOf(Y.encodeStateAsUpdateV2(doc))
  const copy = new Y.Doc()
  for (const slice of slices) Y.applyUpdate(copy, slice)
  expect(Y.equalSnapshots(Y.snapshot(copy), Y.snapshot(doc))).toBe(true)
  const most = slices.map(slice => {
    const { structs, ds } = Y.decodeUpdate(slice)
    return structs.length > 0 ? 0 : [...ds.clients.values()].reduce((sum, ranges) => sum + ranges.length, 0)
  })
  expect(Math.max(...most)).toBeLessThanOrEqual(20_000)
})

test('a state that lacks something is refused', () => {
  const doc = drawnBy(
    2,
    [
      [0, 3, 1],
      [1, 7, 0],
      [1, 3, 1],
      [0, 7, 1],
    ],
    10,
  )
  const before = Y.encodeStateVector(drawnBy(1, [[0, 3, 1]], 10))
  expect(() => slicesOf(Y.encodeStateAsUpdateV2(doc, before))).toThrow('not whole')
  expect(() => slicesOf(Uint8Array.of(1, 2, 3))).toThrow()
})

test('every kind of content comes through as it was', () => {
  const doc = new Y.Doc()
  const list = doc.getArray<unknown>('list')
  const plain = [null, true, 1, -2.5, 'text ☂', { nested: [{ deep: 'ü' }] }, new Uint8Array([1, 2])]
  list.insert(0, plain)
  list.push([new Y.Map([['a', [1, 2]]]), new Y.Doc({ guid: 'sub', meta: { of: 'the board' }, autoLoad: true })])
  const text = doc.getText('text')
  text.insert(0, 'bold and plain', { bold: true })
  text.format(5, 3, { bold: null, size: { px: 3 } })
  text.insertEmbed(4, { image: 'a.png' })
  doc.getXmlFragment('xml').insert(0, [new Y.XmlElement('p'), new Y.XmlText('inside')])
  text.delete(2, 3)

  const { slices } = slicesOf(Y.encodeStateAsUpdateV2(doc))
  const copy = new Y.Doc()
  for (const slice of slices) Y.applyUpdate(copy, slice)
  expect(Y.encodeStateAsUpdateV2(copy)).toEqual(Y.encodeStateAsUpdateV2(doc))
  expect(copy.getArray('list').slice(0, plain.length)).toEqual(plain)
  expect(copy.getText('text').toDelta()).toEqual(text.toDelta())
  expect(copy.getXmlFragment('xml').toString()).toBe(doc.getXmlFragment('xml').toString())
  const [given, come] = [list.get(8), copy.getArray('list').get(8)] as [Y.Doc, Y.Doc]
  expect([come.guid, come.meta, come.autoLoad]).toEqual([given.guid, given.meta, given.autoLoad])
})
