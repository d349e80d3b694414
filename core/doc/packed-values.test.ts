import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import { contentOf, drawnBy, steps } from '../../test/kit/drawn-by.ts'
import { turnsIn } from '../../test/kit/turns.ts'
import { cutInSlices, encodeInSlices } from './live-encoding.ts'
import { applyPacked, unpackInSlices } from './packed-values.ts'

/** The same, with all that is packed read; and as Yjs itself applies it. */
async function copies(updates: readonly Uint8Array[]) {
  const [packed, unpacked, plain] = [new Y.Doc(), new Y.Doc(), new Y.Doc()]
  for (const update of updates) {
    applyPacked(packed, update, 'test')
    applyPacked(unpacked, update, 'test')
    Y.applyUpdate(plain, update, 'test')
  }
  await unpackInSlices(unpacked)
  return { packed, unpacked, plain }
}

const applied = (updates: readonly Uint8Array[]): Y.Doc => {
  const doc = new Y.Doc()
  for (const update of updates) Y.applyUpdate(doc, update)
  return doc
}

function withRecords(count: number, record = (id: number): unknown => ({ id, props: { text: `note ${id}` } })): Y.Doc {
  const doc = new Y.Doc()
  doc.transact(() => {
    for (let id = 0; id < count; id++) doc.getMap('tldraw').set(`shape:${id}`, new Y.Map([['base', record(id)]]))
  })
  return doc
}

const baseOf = (doc: Y.Doc, id: number) => doc.getMap<Y.Map<unknown>>('tldraw').get(`shape:${id}`)?.get('base')

/** What somebody does to such a document, as an update. */
function edited(updates: readonly Uint8Array[]): Uint8Array {
  const doc = applied(updates)
  const before = Y.encodeStateVector(doc)
  const [map, list, text] = [doc.getMap<Y.Map<unknown>>('tldraw'), doc.getArray('list'), doc.getText('text')]
  doc.transact(() => {
    map.delete('shape:0')
    map.get('shape:1')?.set('base', { late: true })
    list.insert(list.length >> 1, [{ late: 1 }, { late: 2 }])
    if (list.length > 2) list.delete(0, 1)
    text.insert(text.length >> 1, 'late')
  })
  return Y.encodeStateAsUpdate(doc, before)
}

describe('a document in which values are packed', () => {
  test('reads, is edited and is encoded as any other, whoever drew what', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4 }), steps, async (people, drawn) => {
        const updates = await cutInSlices(drawnBy(people, drawn, 20_000))
        const { plain, ...others } = await copies(updates)
        const edit = edited(updates)
        for (const change of [() => {}, (doc: Y.Doc) => Y.applyUpdate(doc, edit)]) {
          change(plain)
          for (const doc of Object.values(others)) {
            change(doc)
            expect(contentOf(doc)).toEqual(contentOf(plain))
            const again = new Y.Doc()
            Y.applyUpdateV2(again, await encodeInSlices(doc))
            for (const copy of [applied([Y.encodeStateAsUpdate(doc)]), applied(await cutInSlices(doc)), again]) {
              expect(contentOf(copy)).toEqual(contentOf(plain))
              expect(Y.equalSnapshots(Y.snapshot(copy), Y.snapshot(plain))).toBe(true)
            }
          }
        }
      }),
      { numRuns: 100 },
    )
  })

  test('of records is encoded to the very bytes that Yjs makes of it', async () => {
    const { packed, plain } = await copies(await cutInSlices(withRecords(3_000)))
    expect(Buffer.compare(Y.encodeStateAsUpdate(packed), Y.encodeStateAsUpdate(plain))).toBe(0)
    expect(Buffer.compare(Y.encodeStateAsUpdateV2(packed), Y.encodeStateAsUpdateV2(plain))).toBe(0)
  })

  test('keeps records as bytes until they are read, and then, unpacked, as values', async () => {
    const { packed, unpacked } = await copies(await cutInSlices(withRecords(2)))
    expect(baseOf(packed, 1)).toEqual({ id: 1, props: { text: 'note 1' } })
    expect(baseOf(packed, 1)).not.toBe(baseOf(packed, 1))
    expect(baseOf(unpacked, 1)).toBe(baseOf(unpacked, 1))
  })

  test('has what Yjs joins to a value that came earlier, and what it keeps of documents in documents', async () => {
    const doc = new Y.Doc()
    const updates: Uint8Array[] = []
    doc.on('update', update => updates.push(update))
    doc.getArray('list').push([1])
    doc.getArray('list').push([{ two: 2 }])
    doc.getMap('tldraw').set('inner', new Y.Doc({ guid: 'inner', meta: { a: 1 } }))
    const { packed, plain } = await copies(updates)
    expect(packed.getArray('list').toJSON()).toEqual([1, { two: 2 }])
    expect(packed.getMap<Y.Doc>('tldraw').get('inner')?.meta).toEqual({ a: 1 })
    expect(Y.encodeStateAsUpdate(packed)).toEqual(Y.encodeStateAsUpdate(plain))
  })

  test('has what observers and iterators are given', async () => {
    const { packed } = await copies(await cutInSlices(withRecords(2)))
    const heard: unknown[] = []
    const shape = packed.getMap<Y.Map<unknown>>('tldraw').get('shape:1')
    shape?.observe(event => heard.push(event.changes.keys.get('base')?.oldValue))
    shape?.set('base', 'else')
    expect(heard).toEqual([{ id: 1, props: { text: 'note 1' } }])
    expect([...packed.getMap<Y.Map<unknown>>('tldraw').values()].map(each => each.toJSON())).toEqual([
      { base: { id: 0, props: { text: 'note 0' } } },
      { base: 'else' },
    ])
  })
})

test('an update that lacks something is refused: it would wait with bytes in the place of values', () => {
  const doc = withRecords(1)
  const before = Y.encodeStateVector(doc)
  doc.getMap('tldraw').set('shape:late', { late: true })
  expect(() => applyPacked(new Y.Doc(), Y.encodeStateAsUpdate(doc, before), 'test')).toThrow('not whole')
})

test('values are unpacked while other work gets its turn', async () => {
  const doc = new Y.Doc()
  for (const update of await cutInSlices(withRecords(20_000))) applyPacked(doc, update, 'test')
  expect(await turnsIn(() => unpackInSlices(doc))).toBeGreaterThan(3_000)
})
