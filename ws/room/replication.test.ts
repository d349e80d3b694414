import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { BusState } from '../../core/bus/bus.ts'
import { createInProcessBus } from '../../core/bus/in-process.ts'
import { parseBoardId } from '../../core/contract/board-id.ts'
import { silent } from '../../test/kit/site.ts'
import { Replication } from './replication.ts'
import type { Rooms } from './rooms.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** One open board, which is as the store has it; `asked` counts the questions. */
function setUp() {
  const room = { board: parseBoardId('board'), replica: { known: 3, epoch: 1 } }
  const headsOtherThan = vi.fn(async () => new Map<string, undefined>())
  const listeners = new Set<(state: BusState) => void>()
  const bus = {
    ...createInProcessBus(silent),
    state: 'up' as BusState,
    onState(listener: (state: BusState) => void) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  const turn = (state: BusState) => {
    bus.state = state
    for (const listener of listeners) listener(state)
  }
  const boards = { headsOtherThan } as unknown as ConstructorParameters<typeof Replication>[0]
  const rooms = { open: () => [room] } as unknown as Rooms
  const replication = new Replication(boards, rooms, bus, silent, 2_000)
  return { turn, replication, headsOtherThan, asked: () => headsOtherThan.mock.calls.length }
}

test('boards are compared with the store every 2 s while the bus is up', async () => {
  const { replication, asked } = setUp()
  await vi.advanceTimersByTimeAsync(20_000)
  expect(asked()).toBeGreaterThanOrEqual(8)
  expect(asked()).toBeLessThanOrEqual(10)
  replication.stop()
})

test('boards are compared at least every 500 ms while the bus is down, and at once when it is back', async () => {
  const { turn, replication, asked } = setUp()
  turn('down')
  await vi.advanceTimersByTimeAsync(10_000)
  expect(asked()).toBeGreaterThanOrEqual(20)
  expect(asked()).toBeLessThanOrEqual(40)
  const before = asked()
  turn('up')
  expect(asked()).toBe(before + 1)
  replication.stop()
})

test('a comparison that was under way when the bus came back may have begun too early: another follows', async () => {
  const { turn, replication, headsOtherThan, asked } = setUp()
  let answer = (_: Map<string, undefined>) => {}
  headsOtherThan.mockImplementationOnce(
    () =>
      new Promise(resolve => {
        answer = resolve
      }),
  )
  await vi.advanceTimersByTimeAsync(2_000)
  expect(asked()).toBe(1)
  turn('up')
  expect(asked()).toBe(1)
  answer(new Map())
  await vi.advanceTimersByTimeAsync(0)
  expect(asked()).toBe(2)
  await vi.advanceTimersByTimeAsync(1_000)
  expect(asked()).toBe(2)
  replication.stop()
})
