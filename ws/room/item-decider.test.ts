/** Changes are decided in their order, and one that throws takes nothing else with it. */

import { pino } from 'pino'
import { expect, test, vi } from 'vitest'
import type * as Y from 'yjs'
import { parseBoardId } from '../../core/contract/board-id.ts'
import type { BoardChange, ItemChange } from '../../core/contract/change.ts'
import type * as items from '../../core/doc/items.ts'
import { Replica } from '../../core/doc/replica.ts'
import type { PendingChange } from '../../core/store/change-drain.ts'
import { BoardSize } from './board-size.ts'
import { ChangeThrew, ItemDecider } from './item-decider.ts'

/** What an apply does instead, by item id. */
const sabotage = vi.hoisted(() => new Map<string, (doc: Y.Doc) => void>())
vi.mock('../../core/doc/items.ts', async importOriginal => {
  const original = await importOriginal<typeof items>()
  const applyChange: typeof items.applyChange = (doc, change, origin) => {
    if ('item' in change) sabotage.get(change.item.id)?.(doc)
    return original.applyChange(doc, change, origin)
  }
  return { ...original, applyChange }
})

sabotage.set('throws', () => {
  throw new Error('sabotage')
})
sabotage.set('throws half-way', doc => {
  doc.getMap('tldraw').set('half', 1)
  throw new Error('sabotage')
})

const empty = () =>
  new Replica({ head: { epoch: 1, headSeq: 0, bytes: 0, deleted: false }, snapshot: undefined, rows: [] })

const sized = (limit: number) => new BoardSize(parseBoardId('sized'), 0, limit, pino({ level: 'silent' }))
const roomy = sized(1e6)

const changes = (...ids: string[]): PendingChange[] =>
  ids.map((id, n) => {
    const change: ItemChange = { action: 'update', item: { id } }
    return { id: n, publicId: id, change: JSON.stringify(change), actor: 'agent:a' }
  })

test('those before one that throws are decided; it is then tried alone, and rejected the fourth time', () => {
  const decider = new ItemDecider()
  const decide = (...ids: string[]) => decider.decide(empty(), roomy, changes(...ids)).map(change => change.publicId)
  expect(decide('a', 'b', 'throws', 'c')).toEqual(['a', 'b'])
  expect(decide('a', 'b', 'throws')).toEqual(['a', 'b'])
  const alone = () => decider.decide(empty(), roomy, changes('a', 'b', 'throws', 'c').slice(2))
  expect(alone).toThrow(ChangeThrew)
  expect(alone).toThrow(ChangeThrew)
  expect(alone().map(({ publicId, status }) => [publicId, status])).toEqual([
    ['throws', 'rejected'],
    ['c', 'rejected'],
  ])
  expect(alone()[0]?.result).toContain('internal')
})

test('of a batch in which one throws half-way nothing is decided: the replica holds what no log will have', () => {
  const decider = new ItemDecider()
  const batch = changes('a', 'throws half-way', 'b')
  expect(() => decider.decide(empty(), roomy, batch)).toThrow(ChangeThrew)
  expect(decider.decide(empty(), roomy, batch).map(change => change.publicId)).toEqual(['a'])
})

test('what was stored in a form that this version does not know is rejected with a pointer', () => {
  const change = JSON.stringify({ action: 'update', item: { id: 'a', colour: 'red' } })
  const [decided] = new ItemDecider().decide(empty(), roomy, [{ id: 1, publicId: 'p', change, actor: 'agent:a' }])
  expect(decided).toMatchObject({ status: 'rejected', update: undefined })
  expect(JSON.parse(decided?.result ?? '')).toMatchObject({ reason: 'item-invalid', errors: [{ pointer: '/colour' }] })
})

test('a full board takes no more items, and lets those there are be deleted', () => {
  const replica = empty()
  const decide = (size: BoardSize, change: BoardChange) => {
    const pending = { id: 1, publicId: 'p', change: JSON.stringify(change), actor: 'agent:a' } as const
    return new ItemDecider().decide(replica, size, [pending])[0]
  }
  const create = (id: string) => ({ action: 'create', item: { id, type: 'sticky' } }) as const
  expect(decide(sized(1_000), create('a'))?.status).toBe('applied')
  const refused = decide(sized(10), create('b'))
  expect([refused?.status, refused?.update]).toEqual(['rejected', undefined])
  expect(JSON.parse(refused?.result ?? '')).toMatchObject({ reason: 'board-full' })
  const remove = { action: 'delete', item: { id: 'a' } } as const
  const batch = (...operations: ItemChange[]) => decide(sized(10), { action: 'batch', operations })?.status
  expect(batch(remove, create('b'))).toBe('rejected')
  expect(batch(remove)).toBe('applied')
  decide(sized(1_000), create('a'))
  expect(decide(sized(10), remove)?.status).toBe('applied')
})
