/** Whose a client id is when two sockets on two instances announce it. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { peer, said, state, twoPresences } from '../../test/kit/presences.ts'
import { watchedBus } from '../../test/kit/watched-bus.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => {
  vi.clearAllTimers()
  vi.useRealTimers()
})

const elapse = (ms: number) => vi.advanceTimersByTimeAsync(ms)

async function two() {
  const bus = watchedBus()
  const both = await twoPresences(bus)
  await elapse(60)
  return { bus, ...both }
}

/** A socket that is still open here, while nobody is at its other end. */
const deadPeer = (subject?: string) =>
  peer(subject, withinMs => new Promise(resolve => setTimeout(resolve, withinMs, false)))

test('somebody else on another instance does not get it while its owner lives, however often they ask', async () => {
  const { bus, one, other } = await two()
  const [owner, thief] = [peer('alice'), peer('mallory')]
  one.presence.receive([state(1, 1)], owner)
  await elapse(60)
  for (let clock = 2; clock < 50; clock++) {
    other.presence.receive([state(1, clock, '{"stolen":true}')], thief)
    await elapse(100)
  }
  await elapse(10_000)
  expect([one.told, other.told]).toEqual([['1@1'], ['1@1']])
  expect(other.refused).toContain('awareness-foreign-client')
  expect(said(bus, 'other').filter(line => line.startsWith('claim')).length).toBeLessThan(4)
  one.presence.receive([state(1, 2)], owner)
  await elapse(60)
  expect([one.here(), other.here()]).toEqual([['1@2'], ['1@2']])
})

test('nor does somebody who is nobody in particular', async () => {
  const { one, other } = await two()
  one.presence.receive([state(1, 1)], peer())
  await elapse(60)
  other.presence.receive([state(1, 2)], peer())
  await elapse(10_000)
  expect([one.here(), other.here()]).toEqual([['1@1'], ['1@1']])
})

test('the same authenticated subject has it at once, on all instances, also while the bus is down', async () => {
  const { bus, one, other } = await two()
  one.presence.receive([state(1, 1)], peer('alice'))
  await elapse(60)
  other.presence.receive([state(1, 2)], peer('alice'))
  await elapse(60)
  expect([one.here(), other.here()]).toEqual([['1@2'], ['1@2']])
  bus.loses = () => true
  one.presence.receive([state(1, 3)], peer('alice'))
  await elapse(60)
  expect(one.here()).toEqual(['1@3'])
})

test('anybody gets it when its owner does not answer a ping within 2 s', async () => {
  const { one, other } = await two()
  one.presence.receive([state(1, 1)], deadPeer())
  await elapse(60)
  other.presence.receive([state(1, 2)], peer())
  await elapse(1_900)
  expect([one.here(), other.here()]).toEqual([['1@1'], ['1@1']])
  await elapse(900)
  expect([one.here(), other.here()]).toEqual([['1@2'], ['1@2']])
})

test('or when the instance of its owner does not answer', async () => {
  const { one, other } = await two()
  one.presence.receive([state(1, 1)], peer())
  await elapse(60)
  one.crash()
  other.presence.receive([state(1, 2)], peer())
  await elapse(1_900)
  expect(other.here()).toEqual(['1@1'])
  await elapse(900)
  expect(other.here()).toEqual(['1@2'])
})

test('an instance that did not know its owner gives it back, and the owner is seen again everywhere', async () => {
  const { bus, one, other } = await two()
  const owner = peer('alice')
  bus.loses = () => true
  one.presence.receive([state(1, 1)], owner)
  await elapse(60)
  bus.loses = () => false
  other.presence.receive([state(1, 9, '{"stolen":true}')], peer('mallory'))
  await elapse(60)
  expect(other.here()).toEqual([])
  // As a stock client does when it hears that it is gone.
  expect(one.toldTo).toEqual([{ peer: owner, states: '1@9 gone' }])
  one.presence.receive([state(1, 10)], owner)
  await elapse(60)
  expect([one.here(), other.here()]).toEqual([['1@10'], ['1@10']])
})

test('of two who announced it without knowing of each other, the first keeps it', async () => {
  const { bus, one, other } = await two()
  bus.loses = () => true
  const [first, second] = [peer('alice'), peer('mallory')]
  one.presence.receive([state(1, 1)], first)
  await elapse(500)
  other.presence.receive([state(1, 5)], second)
  await elapse(500)
  bus.loses = () => false
  one.presence.receive([state(1, 8)], first)
  await elapse(1_000)
  other.presence.receive([state(1, 9)], second)
  await elapse(30_000)
  one.presence.receive([state(1, 20)], first)
  await elapse(60)
  expect([one.here(), other.here()]).toEqual([['1@20'], ['1@20']])
  other.presence.receive([state(1, 21)], second)
  await elapse(5_000)
  expect([one.here(), other.here()]).toEqual([['1@20'], ['1@20']])
})
