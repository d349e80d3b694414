import fc from 'fast-check'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { contentOf, drawnBy, steps } from '../../test/kit/drawn-by.ts'
import { turnsIn } from '../../test/kit/turns.ts'
import { cutInSlices, encodeInSlices } from './live-encoding.ts'

const people = fc.integer({ min: 1, max: 4 })

test('a document is encoded to the very bytes that Yjs makes of it', async () => {
  await fc.assert(
    fc.asyncProperty(people, steps, async (count, drawn) => {
      const doc = drawnBy(count, drawn, 20_000)
      expect(Buffer.compare(await encodeInSlices(doc), Y.encodeStateAsUpdateV2(doc))).toBe(0)
    }),
    { numRuns: 150 },
  )
  expect(await encodeInSlices(new Y.Doc())).toEqual(Y.encodeStateAsUpdateV2(new Y.Doc()))
})

test('a character that ends one string and begins the next is encoded as Yjs does it', async () => {
  const [high, low] = '😀'.split('')
  for (const before of [0, 1, 4_094, 4_095, 4_096, 10_000]) {
    const doc = new Y.Doc()
    doc.getMap('').set('x'.repeat(before) + high, 1)
    doc.getMap('').set(`${low}y`, 2)
    expect(Buffer.compare(await encodeInSlices(doc), Y.encodeStateAsUpdateV2(doc))).toBe(0)
  }
})

test('a document is cut into updates that make the same one, none of which waits for a later one', async () => {
  await fc.assert(
    fc.asyncProperty(people, steps, async (count, drawn) => {
      const doc = drawnBy(count, drawn, 20_000)
      const copy = new Y.Doc()
      for (const update of await cutInSlices(doc)) {
        Y.applyUpdate(copy, update)
        expect([copy.store.pendingStructs, copy.store.pendingDs]).toEqual([null, null])
      }
      expect(contentOf(copy)).toEqual(contentOf(doc))
      expect(Y.equalSnapshots(Y.snapshot(copy), Y.snapshot(doc))).toBe(true)
    }),
    { numRuns: 150 },
  )
})

test('bytes that are values are cut as what they are', async () => {
  const [doc, copy] = [new Y.Doc(), new Y.Doc()]
  doc.getMap('tldraw').set('bytes', { of: new Uint8Array([1, 2, 3]), whole: [new Uint8Array([4])] })
  doc.getMap('tldraw').set('alone', new Uint8Array([5, 6]))
  for (const update of await cutInSlices(doc)) Y.applyUpdate(copy, update)
  expect(copy.getMap('tldraw').toJSON()).toEqual(doc.getMap('tldraw').toJSON())
})

function big(): Y.Doc {
  const doc = new Y.Doc()
  const texts = Array.from({ length: 20_000 }, (_, index) => `${index} ${'x'.repeat(100)}`)
  doc.transact(() => {
    for (const [index, text] of texts.entries()) doc.getMap('tldraw').set(`shape:${index}`, { text })
  })
  return doc
}

test.each([
  ['encoded', encodeInSlices],
  ['cut', cutInSlices],
])(
  'a big document is %s while other work gets its turn; changed meanwhile it is not taken for whole',
  async (_, encode) => {
    const doc = big()
    expect(await turnsIn(() => encode(doc))).toBeGreaterThan(1)
    const encoding = encode(doc)
    setImmediate(() => doc.getMap('tldraw').set('late', 1))
    await expect(encoding).rejects.toThrow('changed while it was encoded')
  },
)
