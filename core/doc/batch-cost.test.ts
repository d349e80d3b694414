/** What a batch costs grows with the board and with the batch, and not with one times the other. */
import { afterEach, expect, test, vi } from 'vitest'
import * as Y from 'yjs'
import { binding, drawn, noteProps, page } from '../../test/kit/items.ts'
import type { ItemChange } from '../contract/change.ts'
import type { ItemType } from '../contract/item.ts'
import { BoardIndex } from './board-index.ts'
import { BoardRecords } from './board-records.ts'
import { foresee } from './items.ts'
import { deepestShape } from './record-hazard.ts'
import { type PlainRecord, putRecord } from './record-layout.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

const there = 2_000
const operations = 200
const make = (id: string, type: ItemType = 'sticky', more = {}): ItemChange => ({
  action: 'create',
  item: { id, type, ...more },
})
const take = (id: string): ItemChange => ({ action: 'delete', item: { id } })
const frame = (id: string, more = {}) => drawn(id, 'frame', { w: 9, h: 9, name: '', color: 'black' }, more)

const each = (record: (n: number) => PlainRecord) => Array.from({ length: there }, (_, n) => record(n))
const indexOf = (n: number) => `b${n.toString().padStart(2, '0')}`.slice(0, 3)
const notes = (parentId = 'page:page') =>
  each(n => drawn(`n${n}`, 'note', noteProps, { parentId, index: indexOf(n % 100) }))
const inFrame = [frame('f'), ...notes('shape:f')]
const inTurn = (...changes: ((n: number) => ItemChange)[]) =>
  Array.from({ length: operations }, (_, n) => changes[n % changes.length]?.(n - (n % changes.length)) as ItemChange)

test.each<[string, PlainRecord[], ItemChange[]]>([
  [
    'takes the topmost away and puts another there',
    notes(),
    [
      take('n99'),
      ...inTurn(
        n => make(`c${n}`),
        n => take(`c${n}`),
      ),
    ],
  ],
  [
    'takes a big frame away again and again',
    inFrame,
    inTurn(
      () => take('f'),
      () => make('f', 'frame'),
    ),
  ],
  ['is for a board of many pages', each(n => page(`page:${n}`, indexOf(n % 100))), inTurn(n => make(`c${n}`))],
  [
    'takes what has many bindings away again and again',
    [drawn('hub', 'note', noteProps), ...each(n => binding(`b${n}`, `gone${n}`, 'hub', 'start'))],
    inTurn(
      () => take('hub'),
      () => make('hub'),
    ),
  ],
])('a batch that %s', async (_what, records, changes) => {
  expect(await seenBy(records, changes)).toBeLessThan(10 * there + 100 * operations)
})

test('connectors between what lies in many frames look at no more of these than a canvas shows', async () => {
  const frames = each(n => frame(`f${n}`, n > 0 ? { parentId: `shape:f${n - 1}` } : {}))
  const content = { from: `f${there - 1}`, to: `f${there - 2}` }
  const seen = await seenBy(
    frames,
    inTurn(n => make(`c${n}`, 'connector', { content })),
  )
  // For each of its ends, and more than once.
  expect(seen).toBeLessThan(15 * deepestShape * operations)
})

async function seenBy(records: readonly PlainRecord[], changes: ItemChange[]): Promise<number> {
  const doc = new Y.Doc()
  doc.transact(() => {
    for (const record of records) putRecord(doc, record)
  })
  BoardIndex.of(doc)
  const seen = lookedAt()
  expect(await foresee(doc, { action: 'batch', operations: changes })).toMatchObject({ status: 'applied' })
  return seen()
}

/** How many records and places were looked at so far, and how many ids there were in what was asked for. */
function lookedAt(): () => number {
  const single = [vi.spyOn(BoardRecords.prototype, 'record'), vi.spyOn(BoardIndex.prototype, 'placeOf')]
  const many = [vi.spyOn(BoardIndex.prototype, 'childrenOf'), vi.spyOn(BoardIndex.prototype, 'bindingsOf')]
  return () => {
    const groups = many.flatMap(spy => spy.mock.results.map(({ value }) => (value as ReadonlySet<string>).size))
    return single.reduce((sum, spy) => sum + spy.mock.calls.length, 0) + groups.reduce((sum, size) => sum + size, 0)
  }
}
