import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { channel, openPresence, peer, said, state, twoPresences } from '../../test/kit/presences.ts'
import { watchedBus } from '../../test/kit/watched-bus.ts'
import { goneState } from '../protocol/awareness-codec.ts'
import { encodeAwarenessMessage } from './awareness-message.ts'
import type { OwnedState } from './presence-owner.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => {
  vi.clearAllTimers()
  vi.useRealTimers()
})

const elapse = (ms: number) => vi.advanceTimersByTimeAsync(ms)
const gone = (clientId: number, clock: number): OwnedState => ({ ...goneState(clientId, clock), subject: '', since: 1 })

async function two() {
  const bus = watchedBus()
  const both = await twoPresences(bus)
  await elapse(60) // they have asked each other
  return { bus, ...both }
}

describe('a peer of one instance', () => {
  test('is seen on the other, moves and goes there', async () => {
    const { one, other } = await two()
    const alice = peer()
    one.presence.receive([state(1, 1)], alice)
    await elapse(60)
    expect(other.told).toEqual(['1@1'])
    one.presence.receive([state(1, 2)], alice)
    await elapse(60)
    expect(other.here()).toEqual(['1@2'])
    one.presence.leave(alice)
    await elapse(60)
    expect(other.told).toEqual(['1@1', '1@2', '1@2 gone'])
    expect(other.here()).toEqual([])
  })

  test('costs a message per gathering, however often others send back what they hear', async () => {
    const { bus, one, other } = await two()
    const [alice, bob, carol] = [peer(), peer(), peer()]
    for (let clock = 1; clock <= 10; clock++) {
      one.presence.receive([state(1, clock)], alice)
      await elapse(5)
    }
    await elapse(60)
    for (const echo of [bob, carol]) other.presence.receive([state(1, 10)], echo)
    await elapse(100)
    expect(said(bus, 'one').filter(line => line.startsWith('changed'))).toEqual(['changed 1@1', 'changed 1@10'])
    expect(said(bus, 'other')).toEqual(['who'])
  })

  test('is told to an instance that opens the board later, by all at once', async () => {
    const { bus, one, other } = await two()
    one.presence.receive([state(1, 1), state(2, 1)], peer())
    other.presence.receive([state(3, 1)], peer())
    await elapse(100)
    const late = await openPresence(bus, 'late')
    const later = await openPresence(bus, 'later')
    await elapse(60)
    expect(late.here()).toEqual(['1@1', '2@1', '3@1'])
    expect(later.here()).toEqual(['1@1', '2@1', '3@1'])
    expect(said(bus, 'one').filter(line => line.startsWith('everybody'))).toEqual(['everybody 1@1 2@1'])
  })

  test('that is older than what is known here, or equal, is dropped unparsed', async () => {
    const { bus, other } = await two()
    const send = (order: number, ...states: OwnedState[]) =>
      bus.deliver(channel, encodeAwarenessMessage({ kind: 'changed', instance: 'one', order, states }))
    send(1, state(1, 5))
    send(2, state(1, 5, 'no JSON'), state(1, 4, 'no JSON'))
    await elapse(60)
    expect(other.told).toEqual(['1@5'])
    expect(other.refused).toEqual([])
  })

  test('is held to the limits of a state also here', async () => {
    const { bus, other } = await two()
    const states = [state(1, 1, 'no JSON'), state(2, 1, `"${'x'.repeat(33_000)}"`)]
    bus.deliver(channel, encodeAwarenessMessage({ kind: 'changed', instance: 'one', order: 1, states }))
    await elapse(60)
    expect(other.refused).toEqual(['awareness-malformed', 'awareness-too-large'])
    expect(other.here()).toEqual([])
  })
})

describe('an instance', () => {
  test('that dies takes its people with it within 30 s, and nobody else', async () => {
    const { one, other } = await two()
    one.presence.receive([state(1, 1)], peer())
    other.presence.receive([state(2, 1)], peer())
    await elapse(7_000)
    one.crash()
    await elapse(14_000)
    expect(other.here()).toEqual(['1@1', '2@1'])
    await elapse(16_000)
    expect(other.here()).toEqual(['2@1'])
    expect(other.told.at(-1)).toBe('1@1 gone')
  })

  test('keeps its people seen as long as it lives, though they do not move and a heartbeat is lost', async () => {
    const { bus, one, other } = await two()
    one.presence.receive([state(1, 1)], peer())
    await elapse(62_000)
    bus.loses = () => true
    await elapse(10_000)
    bus.loses = () => false
    await elapse(60_000)
    expect(other.told).toEqual(['1@1'])
  })

  test('that closes the board takes its people with it at once', async () => {
    const { one, other } = await two()
    one.presence.receive([state(1, 1), state(2, 1)], peer())
    other.presence.receive([state(3, 1)], peer())
    await elapse(60)
    one.close()
    await elapse(60)
    expect(other.here()).toEqual(['3@1'])
  })

  test('makes up for lost messages with its next heartbeat: who came, who moved, who went', async () => {
    const { bus, one, other } = await two()
    const [alice, bob] = [peer(), peer()]
    one.presence.receive([state(1, 1), state(2, 1)], alice)
    one.presence.receive([state(3, 1)], bob)
    await elapse(60)
    bus.loses = () => true
    one.presence.receive([state(2, 2), state(4, 1)], alice)
    one.presence.leave(bob)
    await elapse(60)
    bus.loses = () => false
    expect(other.here()).toEqual(['1@1', '2@1', '3@1'])
    await elapse(10_000)
    expect(other.here()).toEqual(['1@1', '2@2', '4@1'])
  })

  test('whose list of everybody comes late removes nobody who came since', async () => {
    const { bus, other } = await two()
    const send = (kind: 'changed' | 'everybody', order: number, ...states: OwnedState[]) =>
      bus.deliver(channel, encodeAwarenessMessage({ kind, instance: 'one', order, states }))
    send('changed', 2, state(1, 1))
    send('everybody', 1)
    await elapse(60)
    expect(other.here()).toEqual(['1@1'])
  })

  test('of which nobody was ever here says nothing but who', async () => {
    const { bus } = await two()
    await elapse(60_000)
    expect(said(bus, 'one')).toEqual(['who'])
  })
})

describe('a client that moves from one instance to another with the clock it had', () => {
  test('after the first said goodbye, announces itself anew', async () => {
    const { one, other } = await two()
    const [before, after] = [peer(), peer()]
    one.presence.receive([state(1, 3)], before)
    await elapse(60)
    one.presence.leave(before)
    await elapse(60)
    other.presence.receive([state(1, 3)], after)
    expect(other.toldTo).toEqual([{ peer: after, states: '1@3 gone' }])
    other.presence.receive([state(1, 4)], after)
    await elapse(60)
    expect(one.here()).toEqual(['1@4'])
  })

  test('before the first says goodbye, hears of it and announces itself anew', async () => {
    const { one, other } = await two()
    const [before, after] = [peer(), peer()]
    one.presence.receive([state(1, 3)], before)
    await elapse(60)
    other.presence.receive([state(1, 3)], after)
    one.presence.leave(before)
    await elapse(60)
    expect(other.told.at(-1)).toBe('1@3 gone') // as everybody there, the client hears this
    other.presence.receive([state(1, 4)], after)
    await elapse(60)
    expect([one.here(), other.here()]).toEqual([['1@4'], ['1@4']])
  })

  test('is not removed by a goodbye that comes when it has moved on', async () => {
    const { one, other } = await two()
    const [before, after] = [peer('alice'), peer('alice')]
    one.presence.receive([state(1, 3)], before)
    await elapse(60)
    other.presence.receive([state(1, 4)], after)
    await elapse(60)
    one.presence.leave(before)
    await elapse(60)
    expect([one.here(), other.here()]).toEqual([['1@4'], ['1@4']])
  })

  test('to one that did not know of it yet, is told when the first says goodbye', async () => {
    const { bus, one, other } = await two()
    const [before, after] = [peer(), peer()]
    bus.loses = () => true
    one.presence.receive([state(1, 3)], before)
    await elapse(60)
    other.presence.receive([state(1, 3)], after)
    await elapse(60)
    bus.loses = () => false
    one.presence.leave(before)
    await elapse(60)
    expect(other.toldTo).toEqual([{ peer: after, states: '1@3 gone' }])
    expect(other.here()).toEqual(['1@3'])
  })

  test('that knows nothing of it, is told by those who take it to be gone', async () => {
    const { bus, one, other } = await two()
    const [before, after] = [peer(), peer()]
    one.presence.receive([state(1, 3)], before)
    await elapse(60)
    one.close()
    await elapse(60)
    const again = await openPresence(bus, 'one')
    again.presence.receive([state(1, 3)], after)
    await elapse(60)
    expect(other.here()).toEqual([])
    expect(again.toldTo).toEqual([{ peer: after, states: '1@3 gone' }])
    again.presence.receive([state(1, 4)], after)
    await elapse(60)
    expect(other.here()).toEqual(['1@4'])
  })
})

test('a goodbye that comes before what it takes back counts', async () => {
  const { bus, other } = await two()
  const send = (order: number, state: OwnedState) =>
    bus.deliver(channel, encodeAwarenessMessage({ kind: 'changed', instance: 'third', order, states: [state] }))
  send(2, gone(1, 3))
  send(1, state(1, 3))
  await elapse(60)
  expect(other.told).toEqual([])
})

test('a client that has a newer clock by now is not asked to announce itself anew', async () => {
  const { bus, one } = await two()
  one.presence.receive([state(1, 3)], peer())
  const states = [gone(1, 2)]
  bus.deliver(channel, encodeAwarenessMessage({ kind: 'outdated', instance: 'third', order: 1, states }))
  await elapse(60)
  expect(one.toldTo).toEqual([])
})

test('a goodbye from an instance that does not own a client removes nobody', async () => {
  const { bus, one, other } = await two()
  one.presence.receive([state(1, 3)], peer())
  await elapse(60)
  const states = [gone(1, 9)]
  bus.deliver(channel, encodeAwarenessMessage({ kind: 'changed', instance: 'third', order: 1, states }))
  bus.deliver(channel, encodeAwarenessMessage({ kind: 'everybody', instance: 'third', order: 2, states: [] }))
  await elapse(60)
  expect([one.here(), other.here()]).toEqual([['1@3'], ['1@3']])
})

test('what is no message is passed over, and the next one works', async () => {
  const { bus, one, other } = await two()
  bus.deliver(channel, Uint8Array.of(1, 2, 3))
  one.presence.receive([state(1, 3)], peer())
  await elapse(60)
  expect(other.here()).toEqual(['1@3'])
})
