import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Awareness, applyAwarenessUpdate, encodeAwarenessUpdate } from 'y-protocols/awareness'
import { Doc } from 'yjs'
import { lonePresence, peer, state } from '../../test/kit/presences.ts'
import { decodeAwareness, goneState } from '../protocol/awareness-codec.ts'
import { encodeAwarenessFrame } from '../protocol/frames.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const elapse = (ms: number) => vi.advanceTimersByTimeAsync(ms)

describe('a state', () => {
  test('goes to everybody at once after silence, and is here for who joins', async () => {
    const { presence, told, here } = lonePresence()
    presence.receive([state(1, 1)], peer())
    await elapse(0)
    expect(told()).toEqual(['1@1'])
    expect(here()).toEqual(['1@1'])
  })

  test('is gathered with others for 50 ms, the newest of each client only', async () => {
    const { presence, told } = lonePresence()
    const [alice, bob] = [peer(), peer()]
    presence.receive([state(1, 1)], alice)
    await elapse(0)
    presence.receive([state(1, 2)], alice)
    presence.receive([state(2, 1)], bob)
    presence.receive([state(1, 3)], alice)
    await elapse(49)
    expect(told()).toEqual(['1@1'])
    await elapse(1)
    expect(told()).toEqual(['1@1', '1@3 2@1'])
  })

  test('goes out though the clock is set back an hour', async () => {
    const { presence, told } = lonePresence()
    const alice = peer()
    presence.receive([state(1, 1)], alice)
    await elapse(100)
    vi.setSystemTime(Date.now() - 3_600_000)
    presence.receive([state(1, 2)], alice)
    await elapse(50)
    expect(told()).toEqual(['1@1', '1@2'])
  })

  test('that is no newer means nothing, and is not even parsed', async () => {
    const { presence, refused, told } = lonePresence()
    const [alice, bob] = [peer(), peer()]
    presence.receive([state(1, 5)], alice)
    await elapse(100)
    presence.receive([state(1, 5, 'no JSON'), state(1, 4, 'no JSON')], bob)
    presence.receive([state(1, 5, 'no JSON')], alice)
    await elapse(100)
    expect(told()).toEqual(['1@5'])
    expect(refused).toEqual([])
  })

  test.each(['', '[]', '"text"', '1', '{', '{"a":1}x'])('that is no JSON object is refused: %s', async json => {
    const { presence, refused, here } = lonePresence()
    presence.receive([state(1, 1, json)], peer())
    expect(refused).toEqual(['awareness-malformed'])
    expect(here()).toEqual([])
  })

  test('that is not UTF-8 is refused', () => {
    const { presence, refused } = lonePresence()
    presence.receive([{ clientId: 1, clock: 1, json: Uint8Array.of(0x7b, 0xff, 0x7d) }], peer())
    expect(refused).toEqual(['awareness-malformed'])
  })

  test('over 16 KiB is refused, and the one before stays', () => {
    const { presence, refused, here } = lonePresence()
    const alice = peer()
    const long = (bytes: number) => `{"a":"${'x'.repeat(bytes - 8)}"}`
    presence.receive([state(1, 1, long(16 * 1024))], alice)
    presence.receive([state(1, 2, long(16 * 1024 + 1))], alice)
    expect(refused).toEqual(['awareness-too-large'])
    expect(here()).toEqual(['1@1'])
  })

  test('is measured as it was sent, not with the name that is put into it, here and on other instances', () => {
    const [one, other] = [lonePresence(), lonePresence()]
    const alice = peer()
    Object.assign(alice, { grant: { ...alice.grant, name: 'Ann' } })
    one.presence.receive([state(1, 1, `{"a":"${'x'.repeat(16 * 1024 - 8)}"}`)], alice)
    expect([one.refused, one.here()]).toEqual([[], ['1@1']])
    other.presence.hear(one.presence.ours(), { instance: 'one' })
    expect([other.refused, other.here()]).toEqual([[], ['1@1']])
  })

  test('of a ninth client on one connection is refused; one that left makes room', () => {
    const { presence, refused, here } = lonePresence()
    const alice = peer()
    for (let client = 1; client <= 9; client++) presence.receive([state(client, 1)], alice)
    expect(refused).toEqual(['awareness-too-many-clients'])
    presence.receive([goneState(1, 1)], alice)
    presence.receive([state(9, 2)], alice)
    expect(here()).toHaveLength(8)
    expect(here()).toContain('9@2')
  })
})

describe('of a frame with thousands of states', () => {
  const many = (json: string) => Array.from({ length: 10_000 }, (_, index) => state(100 + index, 1, json))

  test.each(['{}', '{', '{"a":1}x'])('all but a few are refused unread, and that is counted once: %s', json => {
    const parse = vi.spyOn(JSON, 'parse')
    const { presence, refused, here } = lonePresence()
    presence.receive(many(json), peer())
    expect(parse.mock.calls.length).toBeLessThanOrEqual(8)
    parse.mockRestore()
    expect(refused.filter(reason => reason === 'awareness-too-many-clients')).toHaveLength(1)
    expect(refused.length).toBeLessThanOrEqual(2)
    expect(here().length).toBe(json === '{}' ? 8 : 0)
  })

  test('those of others who have left are answered in one', () => {
    const { presence, toldTo } = lonePresence()
    const [alice, bob] = [peer(), peer()]
    presence.receive(many('{}').slice(0, 8), alice)
    presence.leave(alice)
    presence.receive(many('{}').slice(0, 8), bob)
    expect(toldTo(bob)).toHaveLength(1)
  })

  test("one's own still count", () => {
    const { presence, here } = lonePresence()
    const alice = peer()
    presence.receive([state(1, 1)], alice)
    presence.receive([...many('{}'), state(1, 2)], alice)
    expect(here()).toContain('1@2')
  })

  test('whose clients belong to others no more are asked for than one may have', async () => {
    const { presence } = lonePresence()
    const pinged = vi.fn(async () => true)
    for (const from of [1, 9, 17]) {
      const owner = peer(undefined, pinged)
      presence.receive(many('{}').slice(from, from + 8), owner)
    }
    presence.receive(
      many('{}').map(one => ({ ...one, clock: 2 })),
      peer(),
    )
    expect(pinged).toHaveBeenCalledTimes(7)
    await elapse(3_000)
  })
})

describe('whom the server shows', () => {
  test('is here for everybody and goes again; is told to no other instance, and is nobody else', async () => {
    const { presence, told, shared } = lonePresence()
    presence.show(1, { user: { name: 'agent' } })
    await elapse(100)
    const clock = Number(/^1@(\d+)$/.exec(told()[0] ?? '')?.[1])
    expect(clock).toBeLessThan(2 ** 32)
    const alice = peer()
    presence.receive([state(1, clock + 5), goneState(1, clock + 5)], alice)
    presence.hear([{ ...state(1, clock + 6), subject: '', since: 0 }], { instance: 'other' })
    await elapse(3_000)
    presence.hearHeld([{ ...state(1, clock + 6), subject: '', since: 0 }], { instance: 'other' })
    presence.leave(alice)
    await elapse(100)
    expect([presence.ours(), presence.isShared, told().length]).toEqual([[], false, 1])
    presence.hide(1)
    await elapse(100)
    presence.show(1, {})
    await elapse(100)
    expect(told().slice(1)).toEqual([`1@${clock} gone`, expect.stringMatching(/^1@\d+$/)])
    expect(Number(/\d+$/.exec(told()[2] ?? '')?.[0])).toBeGreaterThan(clock)
    expect(shared).toEqual([])
  })

  test('takes the place of who has its client id', async () => {
    const { presence, here } = lonePresence()
    const mallory = peer()
    presence.receive([state(1, 2 ** 40)], mallory)
    presence.show(1, {})
    expect(here()).toEqual([`1@${2 ** 40 + 2}`])
    presence.leave(mallory)
    expect(here()).toHaveLength(1)
    presence.hide(2)
    presence.hide(1)
    expect(here()).toEqual([])
  })
})

describe('who leaves', () => {
  test('is gone at once for everybody, under the clock it had', async () => {
    const { presence, told, here } = lonePresence()
    const [alice, bob] = [peer(), peer()]
    presence.receive([state(1, 3), state(11, 1)], alice)
    presence.receive([state(2, 1)], bob)
    await elapse(100)
    presence.leave(alice)
    await elapse(50)
    expect(told().at(-1)).toBe('1@3 gone 11@1 gone')
    expect(here()).toEqual(['2@1'])
  })

  test('takes leave under the clock it has, as a closed page does', async () => {
    const { presence, told } = lonePresence()
    const alice = peer()
    presence.receive([state(1, 3)], alice)
    await elapse(100)
    presence.receive([goneState(1, 3)], alice)
    await elapse(50)
    expect(told().at(-1)).toBe('1@3 gone')
    presence.leave(alice)
    await elapse(50)
    expect(told()).toHaveLength(2)
  })

  test('is not brought back by what others still repeat', async () => {
    const { presence, here, toldTo } = lonePresence()
    const [alice, bob] = [peer(), peer()]
    presence.receive([state(1, 3)], alice)
    presence.leave(alice)
    presence.receive([state(1, 3)], bob)
    expect(here()).toEqual([])
    expect(toldTo(bob)).toEqual(['1@3 gone'])
  })

  test('cannot be sent away by another', async () => {
    const { presence, here } = lonePresence()
    presence.receive([state(1, 3)], peer())
    presence.receive([goneState(1, 3)], peer())
    presence.receive([goneState(1, 4)], peer())
    await elapse(3_000)
    expect(here()).toEqual(['1@3'])
  })

  test('and was never here is no news', async () => {
    const { presence, told } = lonePresence()
    presence.receive([goneState(1, 3)], peer())
    await elapse(100)
    expect(told()).toEqual([])
  })
})

describe('who comes back', () => {
  test('with the clock it had is told of its removal, and as a stock client then shows itself anew', async () => {
    const { presence, toldTo, here } = lonePresence()
    const doc = new Doc()
    doc.clientID = 1
    const awareness = new Awareness(doc)
    awareness.setLocalState({ name: 'Alice' })
    const own = () => decodeAwareness(encodeAwarenessUpdate(awareness, [1]))
    const [before, again] = [peer(), peer()]
    presence.receive(own(), before)
    presence.leave(before)
    presence.receive(own(), again)
    expect(here()).toEqual([])
    const [farewell] = toldTo(again)
    expect(farewell).toMatch(/^1@\d+ gone$/)

    const clock = Number(/@(\d+)/.exec(farewell ?? '')?.[1])
    applyAwarenessUpdate(awareness, encodeAwarenessFrame([goneState(1, clock)]).slice(2), 'server')
    presence.receive(own(), again)
    expect(here()).toEqual([`1@${clock + 1}`])
    awareness.destroy()
  })

  test('with a newer clock is here', () => {
    const { presence, here } = lonePresence()
    const alice = peer()
    presence.receive([state(1, 3)], alice)
    presence.leave(alice)
    presence.receive([state(1, 4)], peer())
    expect(here()).toEqual(['1@4'])
  })
})

test('a closed room keeps no timer', async () => {
  const { presence, told } = lonePresence()
  const alice = peer()
  presence.receive([state(1, 1)], alice)
  presence.close()
  presence.leave(alice)
  expect(vi.getTimerCount()).toBe(0)
  await elapse(100)
  expect(told()).toEqual([])
})
