/** A batch is its operations one by one, or nothing at all. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { arbitraryEnds, arbitraryItem } from '../../test/kit/arbitrary-item.ts'
import { applyChange, listItems } from '../../test/kit/items.ts'
import type { ItemChange } from '../contract/change.ts'
import { itemTypes } from '../contract/item.ts'
import { foresee, readItem } from './items.ts'
import { readRecords } from './record-layout.ts'
import { recordFault } from './tldraw-schema.ts'

const frames = ['c', 'd']
const ids = ['one', 'two', ...frames, 'e', 'f', 'g', 'h']
const id = fc.constantFrom(...ids)
const frame = fc.constantFrom(...frames)

/** Few ids, so that most operations meet something; frames too, so that much lies in something. */
const arbitraryOperation: fc.Arbitrary<ItemChange> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ item: arbitraryItem, id, from: id, to: id, parent: fc.option(frame) }).map(createOf),
  },
  {
    weight: 3,
    arbitrary: fc
      .record({ item: arbitraryItem, id, parent: fc.option(frame) })
      .map(
        ({
          item: { type: _type, content: { from: _from, to: _to, ...content } = {}, ...patch },
          id,
          parent,
        }): ItemChange => {
          return { action: 'update', item: { ...patch, content, id, ...(parent && { parent }) } }
        },
      ),
  },
  { weight: 1, arbitrary: id.map((id): ItemChange => ({ action: 'delete', item: { id } })) },
)

function createOf({
  item,
  id,
  from,
  to,
  parent,
}: {
  item: Omit<Extract<ItemChange, { action: 'create' }>['item'], 'id'>
  id: string
  from: string
  to: string
  parent: string | null
}): ItemChange {
  const type = frames.includes(id) ? 'frame' : item.type
  const content = item.type === 'connector' ? { ...item.content, from, to } : item.content
  return { action: 'create', item: { ...item, type, id, ...(content && { content }), ...(parent && { parent }) } }
}

const recordsOf = (doc: Y.Doc) => new Map([...readRecords(doc)].sort(([a], [b]) => (a < b ? -1 : 1)))
const copyOf = (doc: Y.Doc): Y.Doc => {
  const copy = new Y.Doc()
  Y.applyUpdate(copy, Y.encodeStateAsUpdate(doc))
  return copy
}
const create = (id: string, item: object = {}): ItemChange =>
  ({ action: 'create', item: { type: 'sticky', id, ...item } }) as ItemChange

describe('a batch of any operations', () => {
  it('leaves what its operations leave one by one, or the board byte for byte as it was', async () => {
    let made = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(arbitraryOperation, { maxLength: 12 }),
        fc.array(arbitraryOperation, { minLength: 1, maxLength: 8 }),
        async (before, tried) => {
          const doc = new Y.Doc()
          for (const item of arbitraryEnds) applyChange(doc, { action: 'create', item })
          for (const change of before) applyChange(doc, change)
          const alone = copyOf(doc)
          const fits = tried.map(change => applyChange(alone, change)).every(({ status }) => status === 'applied')
          // Most operations at random do not fit: those that do are a batch, too.
          const fitting = copyOf(doc)
          const operations = tried.filter(
            change => applyChange(copyOf(fitting), change).status === 'applied' && applyChange(fitting, change),
          )
          for (const [batch, expected] of [
            [tried, fits ? alone : undefined],
            [operations, fitting],
          ] as const) {
            if (batch.length === 0) continue
            const board = copyOf(doc)
            const foreseen = await foresee(board, { action: 'batch', operations: batch })
            const outcome = applyChange(board, { action: 'batch', operations: batch })
            expect(foreseen).toEqual(outcome)
            expect(outcome.status).toBe(expected ? 'applied' : 'rejected')
            if (expected) expect(recordsOf(board)).toEqual(recordsOf(expected))
            else expect(Y.encodeStateAsUpdate(board)).toEqual(Y.encodeStateAsUpdate(doc))
            for (const record of recordsOf(board).values()) expect(recordFault(record)).toBeUndefined()
            if (expected) made += batch.length
          }
        },
      ),
      { numRuns: 300 },
    )
    // About three times as many: chance alone does not make this fail.
    expect(made).toBeGreaterThan(50)
  })
})

describe('a batch', () => {
  it('is one Yjs transaction, and answers with every item as the batch left it', () => {
    const doc = new Y.Doc()
    let updates = 0
    doc.on('update', () => updates++)
    const outcome = applyChange(doc, {
      action: 'batch',
      operations: [
        create('a'),
        create('gone'),
        { action: 'update', item: { id: 'a', x: 5 } },
        { action: 'delete', item: { id: 'gone' } },
      ],
    })
    expect(updates).toBe(1)
    expect(outcome).toEqual({
      status: 'applied',
      results: [
        { action: 'create', id: 'a', status: 'applied', item: readItem(doc, 'a') },
        { action: 'create', id: 'gone', status: 'applied' },
        { action: 'update', id: 'a', status: 'applied', item: readItem(doc, 'a') },
        { action: 'delete', id: 'gone', status: 'applied' },
      ],
    })
    expect(readItem(doc, 'a')).toMatchObject({ x: 5 })
  })

  it('may put back under the same id what it took away, with nothing left of that', () => {
    const doc = new Y.Doc()
    applyChange(doc, create('a', { content: { text: 'old' }, style: { color: 'red' } }))
    applyChange(doc, { action: 'update', item: { id: 'a', rotation: 1 } })
    const operations: ItemChange[] = [{ action: 'delete', item: { id: 'a' } }, create('a', { type: 'text' })]
    applyChange(doc, { action: 'batch', operations })
    const anew = new Y.Doc()
    applyChange(anew, create('a', { type: 'text' }))
    expect(listItems(doc)).toEqual(listItems(anew))
  })

  it('what somebody does meanwhile to what it took away does not show on what it put there instead', () => {
    const doc = new Y.Doc()
    applyChange(doc, create('a', { style: { color: 'red' } }))
    const other = copyOf(doc)
    applyChange(doc, { action: 'batch', operations: [{ action: 'delete', item: { id: 'a' } }, create('a')] })
    applyChange(other, { action: 'update', item: { id: 'a', content: { text: 'to the old one' } } })
    Y.applyUpdate(doc, Y.encodeStateAsUpdate(other))
    expect(readItem(doc, 'a')).toMatchObject({ content: { text: '' }, style: { color: 'yellow' } })
  })

  const take = (id: string): ItemChange => ({ action: 'delete', item: { id } })
  const frame = (id: string) => create(id, { type: 'frame' })
  it.each<[string, ItemChange[]]>([
    ['what was on top is gone', [create('a'), create('b'), take('b'), create('c')]],
    [
      'what was on top is in a frame',
      [frame('f'), create('a'), { action: 'update', item: { id: 'a', parent: 'f' } }, create('b')],
    ],
    ['a frame got something since', [frame('f'), create('a'), take('a'), create('b', { parent: 'f' }), take('f')]],
    [
      'a frame lost something since',
      [
        frame('f'),
        create('a', { parent: 'f' }),
        create('b'),
        take('b'),
        { action: 'update', item: { id: 'a', parent: null } },
        take('f'),
      ],
    ],
    [
      'a frame lost to another what it had all along',
      [{ action: 'update', item: { id: 'inside', parent: 'other' } }, take('frame'), create('c', { parent: 'other' })],
    ],
    [
      'a connector let go of what it was bound to all along, and of what it was bound to since',
      [
        { action: 'update', item: { id: 'arrow', content: { from: 'frame', to: 'inside' } } },
        { action: 'update', item: { id: 'arrow', content: { from: 'frame', to: 'other' } } },
        take('outside'),
        take('inside'),
      ],
    ],
  ])('knows of what it did before: %s', (_what, operations) => {
    const [batch, alone] = [new Y.Doc(), new Y.Doc()]
    for (const doc of [batch, alone]) {
      for (const there of [frame('frame'), frame('other'), create('inside', { parent: 'frame' }), create('outside')]) {
        applyChange(doc, there)
      }
      applyChange(doc, create('arrow', { type: 'connector', content: { from: 'frame', to: 'outside' } }))
    }
    expect(applyChange(batch, { action: 'batch', operations })).toMatchObject({ status: 'applied' })
    for (const change of operations) applyChange(alone, change)
    expect(recordsOf(batch)).toEqual(recordsOf(alone))
  })

  it('that cannot be made says of every operation what became of it, and points at each fault', () => {
    const doc = new Y.Doc()
    applyChange(doc, create('a'))
    const operations: ItemChange[] = [
      create('b'),
      create('a'),
      { action: 'update', item: { id: 'a', x: 1 }, if_match: '"old"' },
      create('c', { parent: 'nowhere' }),
      { action: 'delete', item: { id: 'nobody' } },
    ]
    const outcome = applyChange(doc, { action: 'batch', operations })
    const pointers = [
      '/operations/1/item/id',
      '/operations/2/if_match',
      '/operations/3/item/parent',
      '/operations/4/item/id',
    ]
    expect(outcome).toMatchObject({
      status: 'rejected',
      reason: 'item-exists',
      errors: pointers.map(pointer => ({ pointer })),
    })
    expect(outcome.results?.map(({ status }) => status)).toEqual([
      'skipped',
      'rejected',
      'rejected',
      'rejected',
      'rejected',
    ])
    expect(outcome.results?.[3]?.errors).toEqual([{ pointer: pointers[2], detail: expect.any(String) }])
    expect(listItems(doc)).toHaveLength(1)
  })

  it('builds a diagram: a frame, every type of item in it, connected', () => {
    const doc = new Y.Doc()
    const types = itemTypes.filter(type => type !== 'connector' && type !== 'frame')
    const operations = [
      create('frame', { type: 'frame' }),
      ...types.map(type =>
        create(type, { type, parent: 'frame', ...(type === 'image' && { content: { url: 'https://a.example' } }) }),
      ),
      ...types.slice(1).map((type, n) => create(`${n}`, { type: 'connector', content: { from: types[n], to: type } })),
    ]
    expect(applyChange(doc, { action: 'batch', operations })).toMatchObject({ status: 'applied' })
    expect(
      listItems(doc)
        .filter(item => item.type === 'connector')
        .map(item => item.parent),
    ).toEqual(Array(4).fill('frame'))
    const indexes = operations.slice(1).map(({ item }) => String(readRecords(doc).get(`shape:${item.id}`)?.index))
    expect([...new Set(indexes)].sort()).toEqual(indexes)
  })
})
