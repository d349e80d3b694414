/** Changes are decided in their order, and one that throws takes nothing else with it. */

import { pino } from 'pino'
import { expect, test, vi } from 'vitest'
import type * as Y from 'yjs'
import { parseBoardId } from '../../core/contract/board-id.ts'
import type { BoardChange, ItemChange } from '../../core/contract/change.ts'
import type * as items from '../../core/doc/items.ts'
import { Replica } from '../../core/doc/replica.ts'
import type { PendingChange } from '../../core/store/change-drain.ts'
import { turnsIn } from '../../test/kit/turns.ts'
import { BoardSize } from './board-size.ts'
import { ChangeThrew, ItemDecider } from './item-decider.ts'

/** What writing a change does first, by item id. */
const sabotage = vi.hoisted(() => new Map<string, (doc: Y.Doc) => void>())
/** What deciding a change does besides. */
const slowness = vi.hoisted(() => new Map<string, () => void>())
vi.mock('../../core/doc/items.ts', async importOriginal => {
  const original = await importOriginal<typeof items>()
  const decideChange: typeof items.decideChange = async (doc, change, othersTurn = async () => {}) => {
    const { outcome, write } = await original.decideChange(doc, change, othersTurn)
    if ('item' in change) slowness.get(change.item.id)?.()
    await othersTurn()
    if ('item' in change && change.item.id === 'untold') Object.assign(outcome, { item: 10n })
    const sabotaged = () => {
      if ('item' in change) sabotage.get(change.item.id)?.(doc)
      write()
    }
    return { outcome, write: sabotaged }
  }
  return { ...original, decideChange }
})

sabotage.set('throws', () => {
  throw new Error('sabotage')
})
sabotage.set('throws half-way', doc => {
  doc.getMap('tldraw').set('half', 1)
  throw new Error('sabotage')
})
sabotage.set('untold', doc => {
  doc.getMap('tldraw').set('untold', 1)
})

/** Milliseconds by which the clock of the process goes before its time. */
let ahead = 0
const now = performance.now.bind(performance)
vi.spyOn(performance, 'now').mockImplementation(() => now() + ahead)
const pass = (ms: number) => {
  ahead += ms
}
slowness.set('slow', () => pass(6_000))
slowness.set('large', () => pass(6_000))
slowness.set('waits', () => {
  pass(10)
  setImmediate(pass, 60_000)
})
sabotage.set('slow-to-write', () => pass(6_000))

const empty = () =>
  new Replica({ head: { epoch: 1, headSeq: 0, bytes: 0, deleted: false }, snapshot: undefined, rows: [] })

const sized = (limit: number) => new BoardSize(parseBoardId('sized'), 0, limit, pino({ level: 'silent' }), () => limit)
const roomy = sized(1e6)
const whenever = Number.POSITIVE_INFINITY

const changes = (...ids: string[]): PendingChange[] =>
  ids.map((id, n) => {
    const change: ItemChange = { action: 'update', item: { id } }
    return { id: n, publicId: id, change: JSON.stringify(change), actor: 'agent:a' }
  })

test('those before one that throws are decided; it is then tried alone, and rejected the fourth time', async () => {
  const decider = new ItemDecider()
  const decide = async (...ids: string[]) => {
    const decided = await decider.decide(empty(), roomy, changes(...ids), whenever)
    return decided.map(change => change.publicId)
  }
  expect(await decide('a', 'b', 'throws', 'c')).toEqual(['a', 'b'])
  expect(await decide('a', 'b', 'throws')).toEqual(['a', 'b'])
  const alone = () => decider.decide(empty(), roomy, changes('a', 'b', 'throws', 'c').slice(2), whenever)
  await expect(alone()).rejects.toThrow(ChangeThrew)
  await expect(alone()).rejects.toThrow(ChangeThrew)
  const decided = await alone()
  expect(decided.map(({ publicId, status }) => [publicId, status])).toEqual([
    ['throws', 'rejected'],
    ['c', 'rejected'],
  ])
  expect(decided[0]?.result).toContain('internal')
})

test('of a batch in which one throws half-way nothing is decided: the replica holds what no log will have', async () => {
  const decider = new ItemDecider()
  const batch = changes('a', 'throws half-way', 'b')
  await expect(decider.decide(empty(), roomy, batch, whenever)).rejects.toThrow(ChangeThrew)
  expect((await decider.decide(empty(), roomy, batch, whenever)).map(change => change.publicId)).toEqual(['a'])
})

test('one that takes longer than its transaction lasts counts as one that throws', async () => {
  const decider = new ItemDecider()
  const alone = () => decider.decide(empty(), roomy, changes('slow'), whenever)
  for (let times = 0; times < 3; times++) await expect(alone()).rejects.toThrow(ChangeThrew)
  expect((await alone())[0]?.result).toContain('internal')
})

test('so does one that is written when its transaction is over; it is asked for again only where that failed', async () => {
  const decider = new ItemDecider()
  const results: unknown[] = []
  for (let times = 0; times < 4; times++) {
    results.push((await decider.decide(empty(), roomy, creationOf('slow-to-write'), whenever))[0]?.status)
  }
  expect(results).toEqual(['applied', 'applied', 'applied', 'rejected'])
})

test.each<[string, (id: string) => PendingChange[], string]>([
  ['waits for others', creationOf, 'waits'],
  ['is given more time, as it is large', id => creationOf(id, ' '.repeat(2 * 1024 * 1024)), 'large'],
])('one that %s is tried as often as it takes', async (_what, pending, id) => {
  const decider = new ItemDecider()
  for (let times = 0; times < 5; times++) {
    expect((await decider.decide(empty(), sized(1e9), pending(id), whenever))[0]?.status).toBe('applied')
  }
})

test('one whose outcome JSON cannot hold is not written, and takes nothing with it', async () => {
  const replica = empty()
  const decided = await new ItemDecider().decide(replica, roomy, changes('a', 'untold', 'b'), whenever)
  expect(decided.map(change => change.publicId)).toEqual(['a'])
  expect(replica.doc.getMap('tldraw').size).toBe(0)
})

test('what was stored in a form that this version does not know is rejected with a pointer', async () => {
  const change = JSON.stringify({ action: 'update', item: { id: 'a', colour: 'red' } })
  const pending = { id: 1, publicId: 'p', change, actor: 'agent:a' } as const
  const [decided] = await new ItemDecider().decide(empty(), roomy, [pending], whenever)
  expect(decided).toMatchObject({ status: 'rejected', update: undefined })
  expect(JSON.parse(decided?.result ?? '')).toMatchObject({ reason: 'item-invalid', errors: [{ pointer: '/colour' }] })
})

test('a full board takes no more items, and lets those there are be deleted', async () => {
  const replica = empty()
  const decide = async (size: BoardSize, change: BoardChange) => {
    const pending = { id: 1, publicId: 'p', change: JSON.stringify(change), actor: 'agent:a' } as const
    return (await new ItemDecider().decide(replica, size, [pending], whenever))[0]
  }
  const create = (id: string) => ({ action: 'create', item: { id, type: 'sticky' } }) as const
  expect((await decide(sized(1_000), create('a')))?.status).toBe('applied')
  const refused = await decide(sized(10), create('b'))
  expect([refused?.status, refused?.update]).toEqual(['rejected', undefined])
  expect(JSON.parse(refused?.result ?? '')).toMatchObject({ reason: 'board-full' })
  const remove = { action: 'delete', item: { id: 'a' } } as const
  const batch = async (...operations: ItemChange[]) =>
    (await decide(sized(10), { action: 'batch', operations }))?.status
  expect(await batch(remove, create('b'))).toBe('rejected')
  expect(await batch(remove)).toBe('applied')
  await decide(sized(1_000), create('a'))
  expect((await decide(sized(10), remove))?.status).toBe('applied')
})

function creationOf(id: string, blank = ''): PendingChange[] {
  const change: ItemChange = { action: 'create', item: { id, type: 'sticky' } }
  return [{ id: 1, publicId: id, change: JSON.stringify(change) + blank, actor: 'agent:a' }]
}

const creations = (count: number, text: string): PendingChange[] =>
  Array.from({ length: count }, (_, id) => {
    const change: ItemChange = { action: 'create', item: { id: `a${id}`, type: 'sticky', content: { text } } }
    return { id, publicId: `a${id}`, change: JSON.stringify(change), actor: 'agent:a' }
  })

test.each([
  ['long', creations(3, ''), 0, 3],
  ['much', creations(300, 'x'.repeat(10_000)), whenever, 2],
])('what is decided in one go takes not too %s; the rest is left for the next', async (_what, all, end, goes) => {
  const [replica, decider] = [empty(), new ItemDecider()]
  const decided: string[][] = []
  for (let left = all; left.length > 0; left = all.slice(decided.flat().length)) {
    decided.push((await decider.decide(replica, sized(1e9), left, end)).map(({ publicId }) => publicId))
  }
  expect(decided).toHaveLength(goes)
  expect(decided.flat()).toEqual(all.map(({ publicId }) => publicId))
})

test.each<[string, PendingChange[]]>([
  ['many changes', creations(300, '')],
  ['one large batch', batchOf(300)],
])('others get their turn while %s are decided', async (_what, many) => {
  let decided: unknown[] = []
  const turns = await turnsIn(async () => {
    decided = await new ItemDecider().decide(empty(), roomy, many, whenever)
  })
  expect(decided).toHaveLength(many.length)
  expect(turns).toBeGreaterThan(200)
})

function batchOf(count: number): PendingChange[] {
  const operations = creations(count, '').map(({ change }) => JSON.parse(change) as ItemChange)
  const batch: BoardChange = { action: 'batch', operations }
  return [{ id: 1, publicId: 'batch', change: JSON.stringify(batch), actor: 'agent:a' }]
}
