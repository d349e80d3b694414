/** Agents are shown by what other instances tell of them, whatever the time is there. */

import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createMetrics } from '../../core/base/metrics.ts'
import { type AgentSighting, encodeSighting, leftOf } from '../../core/contract/agent-sighting.ts'
import { parseBoardId } from '../../core/contract/board-id.ts'
import { agentsChannel } from '../../core/contract/channels.ts'
import { silent } from '../../test/kit/site.ts'
import { watchedBus } from '../../test/kit/watched-bus.ts'
import { Agents } from './agents.ts'

const toFake = ['setTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'] as const
beforeEach(() => void vi.useFakeTimers({ toFake: [...toFake] }))
afterEach(() => void vi.useRealTimers())

const board = parseBoardId('board')
const minute = 60_000

async function setUp() {
  const seen = new Map<number, object>()
  const show = (id: number, state: object) => seen.set(id, state)
  const room = { board, presence: { show, hide: (id: number) => seen.delete(id) } }
  const bus = watchedBus()
  const rooms = { find: () => room, onOpened: () => () => {} }
  const agents = new Agents(rooms as never, bus, silent, createMetrics())
  await agents.start()
  const told = () => bus.published.map(({ message }) => JSON.parse(new TextDecoder().decode(message)) as AgentSighting)
  const hear = async (sighting: AgentSighting) => {
    bus.deliver(agentsChannel(board), new TextEncoder().encode(encodeSighting(sighting)))
    await new Promise(resolve => setImmediate(resolve))
  }
  const places = () => [...seen.values()].map(state => (state as { cursor: { x: number } | null }).cursor?.x)
  return { agents, hear, places, told }
}

/** As an instance tells it whose clock says this. */
const sighting = (clock: number, x: number, ms = 5_000): AgentSighting => {
  const place = { cursor: { x, y: 0 } }
  return { clientId: 7, name: 'a', color: '#000000', type: 'agent', ...place, clock, until: clock + ms }
}

test.each([
  ['behind', -minute],
  ['ahead', minute],
])('an agent is seen for its time where the clock of who tells of it is %s', async (_, skew) => {
  const { agents, hear, places } = await setUp()
  await hear(sighting(Date.now() + skew, 1))
  expect(places()).toEqual([1])
  await vi.advanceTimersByTimeAsync(4_700)
  expect(places()).toEqual([1])
  await vi.advanceTimersByTimeAsync(600)
  expect(places()).toEqual([])
  agents.stop()
})

test('an agent goes when its time is over, though the clock is set back meanwhile', async () => {
  const { agents, hear, places } = await setUp()
  await hear(sighting(Date.now(), 1))
  vi.setSystemTime(Date.now() - 60 * minute)
  await vi.advanceTimersByTimeAsync(5_300)
  expect(places()).toEqual([])
  agents.stop()
})

test('what is told here of an agent is later than what was heard of it, whatever the time was there', async () => {
  const { agents, hear, places, told } = await setUp()
  const heard = sighting(Date.now() + minute, 1)
  await hear(heard)
  agents.tell(board, sighting(Date.now(), 2))
  expect(places()).toEqual([2])
  expect(told()).toHaveLength(1)
  expect(told()[0]?.clock).toBeGreaterThan(heard.clock)
  expect(told().map(leftOf)).toEqual([5_000])
  agents.tell(board, sighting(Date.now(), 2, 0))
  expect(places()).toEqual([])
  agents.stop()
})
