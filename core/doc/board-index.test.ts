/** The index says of a document at any moment what looking through all of it would. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { turnsIn } from '../../test/kit/turns.ts'
import { BoardIndex } from './board-index.ts'
import { keyAbove } from './index-keys.ts'
import { endsOf } from './item-fields.ts'
import { applyPacked } from './packed-values.ts'
import {
  changeRecord,
  type Layout,
  metaOf,
  type PlainRecord,
  putRecord,
  readParentAndIndex,
  readRecord,
  recordsOf,
  removeRecord,
} from './record-layout.ts'

const shapeIds = ['shape:a', 'shape:b', 'shape:c', 'shape:d']
const pageIds = ['page:page', 'page:other']
const parents = [...pageIds, ...shapeIds]
/** The last two are none that another shape could lie above. */
const indexes = ['a1', 'a2', 'a3', 'b00', 'Zz', 'zzz!', 'a1V']

const shape = fc.record({
  id: fc.constantFrom(...shapeIds),
  parentId: fc.oneof({ weight: 3, arbitrary: fc.constant('page:page') }, fc.constantFrom(...parents)),
  index: fc.constantFrom(...indexes),
})
const binding = fc.record({
  id: fc.constantFrom('binding:a', 'binding:b'),
  fromId: fc.constantFrom(...shapeIds),
  toId: fc.constantFrom(...shapeIds, 7),
})
const page = fc.record({ id: fc.constantFrom(...pageIds) })
/** Its parent cannot even be put into words. */
const unreadable = { parentId: Object.create(null), index: 'a1' }
const foreign = fc.record({
  id: fc.constantFrom(...parents, 'binding:a', 'note'),
  value: fc.constantFrom<unknown>(7, 'text', { id: 'another' }, { parentId: 4, index: 5 }, unreadable),
})

type Edit = { record: PlainRecord; how: 'put' | 'change' } | { remove: string } | { foreign: [string, unknown] }
const record: fc.Arbitrary<PlainRecord> = fc.oneof(
  shape.map(own => ({ typeName: 'shape', type: 'geo', x: 0, y: 0, rotation: 0, props: {}, ...own })),
  binding.map(own => ({ typeName: 'binding', props: {}, ...own })),
  page.map(own => ({ typeName: 'page', ...own })),
)
const edit: fc.Arbitrary<Edit> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ record, how: fc.constantFrom('put', 'change', 'change') }) },
  { weight: 1, arbitrary: fc.record({ remove: record.map(({ id }) => id) }) },
  { weight: 1, arbitrary: foreign.map(({ id, value }) => ({ foreign: [id, value] as [string, unknown] })) },
)

function apply(doc: Y.Doc, made: Edit): void {
  if ('remove' in made) removeRecord(doc, made.remove)
  else if ('foreign' in made) recordsOf(doc).set(...made.foreign)
  else {
    const { record, how } = made
    const before = readRecord(record.id, recordsOf(doc).get(record.id))
    if (how === 'change' && before) changeRecord(doc, before, record)
    else putRecord(doc, record)
  }
}

/** The highest that another can lie above. */
const highestKey = (indexes: unknown[]) =>
  indexes
    .filter(index => keyAbove(index) !== undefined)
    .sort()
    .at(-1)

/** What the index is asked for, found by looking through everything. */
function lookedFor(doc: Y.Doc) {
  const all = [...recordsOf(doc)]
  const shapes = all.filter(([id]) => id.startsWith('shape:'))
  const within = (parent: string) => shapes.filter(([, value]) => readParentAndIndex(value)?.parentId === parent)
  const bindings = all.filter(([id]) => id.startsWith('binding:'))
  return {
    sorted: shapes.map(([id]) => id).sort(),
    pages: all.flatMap(([id]) => (id.startsWith('page:') ? [id] : [])).sort(),
    children: parents.map(parent => within(parent).map(([id]) => id)).map(ids => ids.sort()),
    highest: parents.map(parent => highestKey(within(parent).map(([, value]) => readParentAndIndex(value)?.index))),
    places: shapeIds.map(id => {
      const place = readParentAndIndex(recordsOf(doc).get(id))
      return place && { id, ...place }
    }),
    bindings: shapeIds.map(end =>
      bindings.flatMap(([id, value]) => (endsOf(readRecord(id, value)).includes(end) ? [id] : [])).sort(),
    ),
  }
}

async function told(index: BoardIndex) {
  return {
    sorted: await index.sortedShapes(),
    pages: [...index.pages].sort(),
    children: parents.map(parent => [...index.childrenOf(parent)].sort()),
    highest: parents.map(parent => [...index.downFromHighest(parent)][0]?.index),
    places: shapeIds.map(id => index.placeOf(id)),
    bindings: shapeIds.map(id => [...index.bindingsOf(id)].sort()),
  }
}

test('an index that has seen edits, of whatever kind and from wherever, tells what looking through the board tells', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom<Layout>('fields', 'records'),
      fc.array(edit, { maxLength: 8 }),
      fc.array(
        fc.record({
          batch: fc.array(edit, { minLength: 1, maxLength: 4 }),
          isRemote: fc.boolean(),
          isAsked: fc.boolean(),
        }),
        { maxLength: 8 },
      ),
      async (layout, before, batches) => {
        const doc = new Y.Doc()
        metaOf(doc).set('layout', layout)
        for (const made of before) apply(doc, made)
        const packed = new Y.Doc()
        applyPacked(packed, Y.encodeStateAsUpdate(doc), 'test')
        expect(await told(BoardIndex.of(packed))).toEqual(lookedFor(doc))
        const index = BoardIndex.of(doc)
        for (const { batch, isRemote, isAsked } of batches) {
          const author = isRemote ? new Y.Doc() : doc
          if (isRemote) Y.applyUpdate(author, Y.encodeStateAsUpdate(doc))
          author.transact(() => {
            for (const made of batch) apply(author, made)
          })
          if (isRemote) Y.applyUpdate(doc, Y.encodeStateAsUpdate(author))
          // What was not asked for may have to be looked for later.
          if (isAsked) expect(await told(index)).toEqual(lookedFor(doc))
        }
        expect(BoardIndex.of(doc)).toBe(index)
        expect(await told(index)).toEqual(lookedFor(doc))
      },
    ),
    { numRuns: 400 },
  )
})

test('what changes while it is made in slices is in it, and others have their turn meanwhile', async () => {
  const doc = new Y.Doc()
  const square = (id: string, parentId: string): PlainRecord => {
    return { id, typeName: 'shape', x: 0, y: 0, rotation: 0, parentId, index: 'a1', props: {} }
  }
  doc.transact(() => {
    for (let n = 0; n < 20_000; n++) putRecord(doc, square(`shape:${n}`, 'page:page'))
  })
  let edits = 0
  const edit = () => {
    if (edits === 1_000) return
    setImmediate(edit)
    edits += 1
    changeRecord(doc, square('shape:0', 'page:page'), square('shape:0', `page:${edits}`))
    removeRecord(doc, 'shape:19999')
    putRecord(doc, square(`shape:new-${edits}`, 'page:page'))
  }
  let editsMeanwhile = 0
  await turnsIn(async () => {
    setImmediate(edit)
    await BoardIndex.prepare(doc)
    editsMeanwhile = edits
  })
  expect(editsMeanwhile).toBe(1_000)
  const index = BoardIndex.of(doc)
  expect(index.placeOf('shape:0')).toMatchObject({ parentId: `page:${edits}`, index: 'a1' })
  expect([...index.childrenOf(`page:${edits}`)]).toEqual(['shape:0'])
  expect(index.childrenOf('page:page').size).toBe(20_000 - 2 + edits)
  expect(await index.sortedShapes()).toHaveLength(20_000 - 1 + edits)
})
