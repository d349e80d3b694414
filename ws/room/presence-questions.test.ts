import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { peer } from '../../test/kit/rooms.ts'
import type { Peer } from './peer.ts'
import { PresenceQuestions } from './presence-questions.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** Who is here is told in one byte. */
function open() {
  const frame = Uint8Array.of(1)
  const everybody = vi.fn((): Uint8Array | undefined => frame)
  const told: Peer[] = []
  const questions = new PresenceQuestions(everybody, (_frame, to) => told.push(to))
  return { questions, everybody, told }
}

test('who asks hundreds of times at once is answered once, with the others who ask', () => {
  const { questions, everybody, told } = open()
  const [alice, bob] = [peer().own, peer().own]
  for (let times = 0; times < 300; times++) {
    questions.ask(alice)
    questions.ask(bob)
  }
  vi.advanceTimersByTime(1_000)
  expect(told).toEqual([alice, bob])
  expect(everybody).toHaveBeenCalledTimes(1)
  questions.ask(bob)
  vi.advanceTimersByTime(50)
  expect(told).toEqual([alice, bob, bob])
})

test('who takes nothing is answered when they have, and who has gone is not', () => {
  const { questions, everybody, told } = open()
  const waiting = { bufferedAmount: 2 * 1024 * 1024 }
  const [slow, gone] = [peer(waiting).own, peer().own]
  Object.defineProperty(slow.socket, 'bufferedAmount', { get: () => waiting.bufferedAmount })
  questions.ask(slow)
  questions.ask(gone)
  questions.forget(gone)
  vi.advanceTimersByTime(1_000)
  expect(everybody).not.toHaveBeenCalled()
  waiting.bufferedAmount = 0
  vi.advanceTimersByTime(50)
  expect(told).toEqual([slow])
  expect(vi.getTimerCount()).toBe(0)
})

test('a closed room answers nobody and keeps no timer', () => {
  const { questions, told } = open()
  questions.ask(peer().own)
  questions.close()
  expect(vi.getTimerCount()).toBe(0)
  expect(told).toEqual([])
})
