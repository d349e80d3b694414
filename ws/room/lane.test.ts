import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Lane } from './lane.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** A lane with one piece of work at a time, due when the test says; `end` ends the one that runs. */
function lane(apartMs = 0) {
  const state = { due: undefined as number | undefined, runs: 0, end: () => {} }
  const own = new Lane(
    () => state.due,
    () => {
      state.runs += 1
      state.due = undefined
      return new Promise<void>(resolve => {
        state.end = resolve
      })
    },
    apartMs,
  )
  return { own, state }
}

test('work that is due is done at once, work that is due later is done then', async () => {
  const { own, state } = lane()
  state.due = performance.now()
  own.wake()
  expect(state.runs).toBe(1)
  state.due = performance.now() + 100
  state.end()
  await vi.advanceTimersByTimeAsync(99)
  expect(state.runs).toBe(1)
  await vi.advanceTimersByTimeAsync(1)
  expect(state.runs).toBe(2)
})

test('one piece at a time: what becomes due meanwhile is done right after', async () => {
  const { own, state } = lane()
  state.due = performance.now()
  own.wake()
  state.due = performance.now()
  own.wake()
  await vi.advanceTimersByTimeAsync(1_000)
  expect(state.runs).toBe(1)
  state.end()
  await vi.advanceTimersByTimeAsync(0)
  expect(state.runs).toBe(2)
})

test('what becomes due earlier than it was is done earlier', async () => {
  const { own, state } = lane()
  state.due = performance.now() + 1_000
  own.wake()
  state.due = performance.now() + 10
  own.wake()
  await vi.advanceTimersByTimeAsync(10)
  expect(state.runs).toBe(1)
  await vi.advanceTimersByTimeAsync(5_000)
  expect(state.runs).toBe(1)
})

test('a lane without work, or that was stopped, keeps no timer', async () => {
  const { own, state } = lane()
  own.wake()
  expect(vi.getTimerCount()).toBe(0)
  state.due = performance.now() + 10
  own.wake()
  expect(vi.getTimerCount()).toBe(1)
  own.stop()
  own.wake()
  expect(vi.getTimerCount()).toBe(0)
})

test('what becomes due later than the next piece is found when that is done', async () => {
  const { own, state } = lane()
  state.due = performance.now() + 10
  own.wakeAt(state.due)
  own.wakeAt(performance.now() + 20)
  await vi.advanceTimersByTimeAsync(10)
  expect(state.runs).toBe(1)
  state.due = performance.now() + 10
  state.end()
  await vi.advanceTimersByTimeAsync(10)
  expect(state.runs).toBe(2)
})

test('a piece that becomes due before the next one is not kept waiting', async () => {
  const { own, state } = lane()
  state.due = performance.now() + 1_000
  own.wakeAt(state.due)
  state.due = performance.now() + 10
  own.wakeAt(state.due)
  await vi.advanceTimersByTimeAsync(10)
  expect(state.runs).toBe(1)
})

test('pieces begin a while apart; after silence one begins at once', async () => {
  const { own, state } = lane(16)
  state.due = performance.now()
  own.wake()
  expect(state.runs).toBe(1)
  state.due = performance.now()
  state.end()
  await vi.advanceTimersByTimeAsync(5)
  own.wakeAt(performance.now())
  await vi.advanceTimersByTimeAsync(10)
  expect(state.runs).toBe(1)
  await vi.advanceTimersByTimeAsync(1)
  expect(state.runs).toBe(2)
  state.end()
  await vi.advanceTimersByTimeAsync(100)
  state.due = performance.now()
  own.wakeAt(state.due)
  expect(state.runs).toBe(3)
})
