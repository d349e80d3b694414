/** A board is followed while somebody listens, and for a moment after that. */

import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { StorageError } from '../core/base/errors.ts'
import { parseBoardId } from '../core/contract/board-id.ts'
import { silent } from '../test/kit/site.ts'
import { watchedBus } from '../test/kit/watched-bus.ts'
import { EventFeeds } from './event-feeds.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] }))
afterEach(() => void vi.useRealTimers())

const board = parseBoardId('board')
const long = 3_600_000

/** Feeds of an empty board in a store that fails as long as `isDown`. */
function setUp() {
  const head = { epoch: 1, headSeq: 0, bytes: 0, deleted: false }
  const store = { isDown: false }
  const answer = async <T>(found: T): Promise<T> => {
    if (store.isDown) throw new StorageError('unavailable', 'away')
    return found
  }
  const storage = {
    archive: { read: async () => ({ head, snapshot: undefined, rows: [] }) },
    boards: { headsOtherThan: () => answer(new Map()) },
    past: { since: () => answer({ head, base: undefined, rows: [] }) },
  } as unknown as ConstructorParameters<typeof EventFeeds>[0]
  const bus = watchedBus()
  const nobody = { clientsOn: async () => ({ clients: new Map(), isPartial: false }) }
  const feeds = new EventFeeds(storage, bus, nobody as never, silent)
  return {
    feeds,
    store,
    storage,
    nobody,
    followed: () => bus.subscribed.length,
    isFollowed: () => bus.subscribed.length > 0,
  }
}

test('nobody listens to a feed that could not be brought up to date: it goes', async () => {
  const { feeds, store, isFollowed } = setUp()
  store.isDown = true
  await expect(feeds.stream(board, undefined, 'ann')).rejects.toThrow('away')
  expect(isFollowed()).toBe(true)
  await vi.advanceTimersByTimeAsync(long)
  expect(isFollowed()).toBe(false)
  feeds.close()
})

test('a feed that somebody listens to stays, though another could not and one left', async () => {
  const { feeds, store, isFollowed } = setUp()
  const stream = await feeds.stream(board, undefined, 'ann')
  store.isDown = true
  await expect(feeds.stream(board, undefined, 'ann')).rejects.toThrow('away')
  store.isDown = false
  await vi.advanceTimersByTimeAsync(long)
  expect(isFollowed()).toBe(true)
  stream.destroy()
  await vi.advanceTimersByTimeAsync(long)
  expect(isFollowed()).toBe(false)
  feeds.close()
})

test('a store or a bus that is slow to answer is not asked again meanwhile', async () => {
  const { feeds, storage, nobody } = setUp()
  const stream = await feeds.stream(board, undefined, 'ann')
  const answers: (() => void)[] = []
  const late = <T>(found: T) => new Promise<T>(resolve => answers.push(() => resolve(found)))
  const asked = vi.spyOn(storage.boards, 'headsOtherThan').mockImplementation(() => late(new Map()))
  const looked = vi.spyOn(nobody, 'clientsOn').mockImplementation(() => late({ clients: new Map(), isPartial: false }))
  await vi.advanceTimersByTimeAsync(8_000)
  expect([asked, looked].map(spy => spy.mock.calls.length)).toEqual([1, 1])
  for (const answer of answers.splice(0)) answer()
  await vi.advanceTimersByTimeAsync(1_000)
  expect([asked, looked].map(spy => spy.mock.calls.length)).toEqual([2, 2])
  stream.destroy()
  feeds.close()
})

test('one caller has a hundred streams at most, those included that are being opened', async () => {
  const { feeds } = setUp()
  const open = (caller: string) => feeds.stream(board, undefined, caller)
  const streams = await Promise.all(Array.from({ length: 100 }, () => open('ann')))
  await expect(open('ann')).rejects.toMatchObject({ problem: 'too-many-streams' })
  streams.push(await open('ben'))
  streams.shift()?.destroy()
  await vi.advanceTimersByTimeAsync(0)
  streams.push(await open('ann'))
  await expect(open('ann')).rejects.toMatchObject({ problem: 'too-many-streams' })
  for (const stream of streams) stream.destroy()
  feeds.close()
})

test('of many boards that nobody listens to any longer, those left first are let go at once', async () => {
  const { feeds, followed } = setUp()
  const kept = await feeds.stream(board, undefined, 'ann')
  for (let n = 0; n < 30; n++) {
    const stream = await feeds.stream(parseBoardId(`left-${n}`), undefined, 'ann')
    stream.destroy()
    await vi.advanceTimersByTimeAsync(0)
  }
  expect(followed()).toBe(21)
  kept.destroy()
  await vi.advanceTimersByTimeAsync(long)
  expect(followed()).toBe(0)
  feeds.close()
})
