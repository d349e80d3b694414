import { expect, test, vi } from 'vitest'
import * as Y from 'yjs'
import { createMetrics } from '../../core/base/metrics.ts'
import { parseBoardId } from '../../core/contract/board-id.ts'
import { Replica } from '../../core/doc/replica.ts'
import type { StoredBoard } from '../../core/store/board-archive.ts'
import { silent } from '../../test/kit/site.ts'
import { until } from '../../test/kit/until.ts'
import { LogFollower } from './log-follower.ts'
import type { SyncMessage } from './sync-message.ts'

const board = parseBoardId('board')

/** A log of one edit per row, of which the replica has read the first. */
function setUp() {
  const doc = new Y.Doc()
  const updates: Uint8Array[] = []
  doc.on('update', update => updates.push(update))
  const commit = () => doc.getMap('m').set(`row-${updates.length + 1}`, 1)
  const stored = (after: number): StoredBoard => ({
    head: { epoch: 1, headSeq: updates.length, bytes: 0, deleted: false },
    snapshot: undefined,
    rows: updates
      .map((data, index) => ({ seq: index + 1, actor: 'human:a' as const, data, at: new Date() }))
      .filter(({ seq }) => seq > after),
  })
  commit()
  const replica = new Replica(stored(0))
  const answers: (() => void)[] = []
  /** The store answers what it held when it was asked, when the test lets it. */
  const read = vi.fn((_board: unknown, known: number) => {
    const found = stored(known)
    return new Promise<StoredBoard>(resolve => answers.push(() => resolve(found)))
  })
  const owner = { onRead: vi.fn(), onHeard: vi.fn(), onDiscard: vi.fn() }
  const archive = { read, save: vi.fn(), pack: vi.fn() }
  const follower = new LogFollower(board, replica, { archive, log: silent, metrics: createMetrics() }, owner)
  const message = (seq: number): SyncMessage => ({
    instance: 'other',
    epoch: 1,
    firstSeq: seq,
    lastSeq: seq,
    update: updates[seq - 1],
  })
  const rowsIn = () => replica.doc.getMap('m').size
  return { commit, replica, answers, read, owner, follower, message, rowsIn }
}

test('what comes next is applied and passed on, without the log', () => {
  const { commit, follower, message, replica, read, owner, rowsIn } = setUp()
  commit()
  follower.hear(message(2))
  expect([replica.known, rowsIn()]).toEqual([2, 2])
  expect(owner.onHeard).toHaveBeenCalledOnce()
  follower.hear(message(2))
  expect(owner.onHeard).toHaveBeenCalledOnce()
  expect(read).not.toHaveBeenCalled()
})

test('what is committed after a reading began is read by another', async () => {
  const { commit, follower, message, replica, answers, read } = setUp()
  commit()
  follower.hear({ ...message(2), update: undefined })
  for (let row = 3; row <= 5; row++) {
    commit()
    follower.hear({ ...message(row), update: undefined })
  }
  expect(read).toHaveBeenCalledTimes(1)
  answers[0]?.()
  await until(() => read.mock.calls.length === 2)
  answers[1]?.()
  await until(() => replica.known === 5)
  expect(read).toHaveBeenCalledTimes(2)
})

test('a message and a reading at a time count each row once', async () => {
  const { commit, follower, message, replica, answers, owner, rowsIn } = setUp()
  commit()
  const reading = follower.catchUp()
  follower.hear(message(2))
  answers[0]?.()
  await reading
  expect([replica.known, rowsIn()]).toEqual([2, 2])
  expect(owner.onHeard).toHaveBeenCalledOnce()
  expect(owner.onRead.mock.calls.map(([updates]) => updates)).toEqual([[]])
})

test('nothing is heard once the room is closed', () => {
  const { commit, follower, message, replica, read } = setUp()
  commit()
  follower.close()
  follower.hear(message(2))
  follower.hear({ ...message(3), update: undefined })
  follower.missed()
  expect(replica.known).toBe(1)
  expect(read).not.toHaveBeenCalled()
})

test('while the replica has to stay as it is nothing is applied; what came meanwhile is read after that', async () => {
  const { commit, follower, message, replica, answers, read, rowsIn } = setUp()
  commit()
  const reading = follower.catchUp()
  let end = () => {}
  const still = follower.keepStill(
    () =>
      new Promise<void>(resolve => {
        end = resolve
      }),
  )
  answers[0]?.()
  follower.hear(message(2))
  commit()
  follower.hear(message(3))
  await new Promise(resolve => setImmediate(resolve))
  expect([replica.known, rowsIn()]).toEqual([1, 1])
  end()
  await Promise.all([still, reading])
  expect([replica.known, rowsIn()]).toEqual([2, 2])
  await until(() => read.mock.calls.length === 2)
  answers[1]?.()
  await until(() => replica.known === 3)
  follower.hear({ ...message(3), firstSeq: 4, lastSeq: 4 })
  expect(replica.known).toBe(4)
})

test('work for which the replica had to stay as it is fails for who asked for it, and everything goes on', async () => {
  const { commit, follower, message, replica } = setUp()
  commit()
  await expect(follower.keepStill(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
  follower.hear(message(2))
  expect(replica.known).toBe(2)
})
