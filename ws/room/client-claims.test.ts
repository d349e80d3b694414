/** To whom a client id belongs, on one instance. Between two: `takeover.test.ts`. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { lonePresence, peer, state } from '../../test/kit/presences.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const elapse = (ms: number) => vi.advanceTimersByTimeAsync(ms)

describe('a client id', () => {
  test('belongs to who first announced it, while that one answers', async () => {
    const { presence, refused, here, told } = lonePresence()
    const asked = vi.fn(async () => true)
    presence.receive([state(1, 1)], peer(undefined, asked))
    presence.receive([state(1, 2)], peer())
    await elapse(2_500)
    expect(asked).toHaveBeenCalledWith(2_000)
    expect(refused).toEqual(['awareness-foreign-client'])
    expect(here()).toEqual(['1@1'])
    expect(told()).toEqual(['1@1'])
  })

  test('goes to who claims it when the owner does not answer, with the newest that was claimed', async () => {
    const { presence, here } = lonePresence()
    const asked = vi.fn(() => new Promise<boolean>(resolve => setTimeout(resolve, 2_000, false)))
    const [dead, next] = [peer(undefined, asked), peer()]
    presence.receive([state(1, 1)], dead)
    presence.receive([state(1, 2)], next)
    presence.receive([state(1, 3)], next)
    await elapse(1_999)
    expect(here()).toEqual(['1@1'])
    await elapse(1)
    expect(here()).toEqual(['1@3'])
    expect(asked).toHaveBeenCalledOnce()
    // What the dead one owned is no longer its own.
    presence.leave(dead)
    expect(here()).toEqual(['1@3'])
  })

  test('is not given to a claimant that left meanwhile', async () => {
    const { presence, here } = lonePresence()
    const [dead, next] = [peer(undefined, () => new Promise(resolve => setTimeout(resolve, 2_000, false))), peer()]
    presence.receive([state(1, 1)], dead)
    presence.receive([state(1, 2)], next)
    presence.leave(next)
    await elapse(2_000)
    expect(here()).toEqual(['1@1'])
  })

  test('is taken over at once by the same subject, where one has shown who it is', () => {
    const { presence, here } = lonePresence()
    presence.receive([state(1, 1)], peer('alice'))
    presence.receive([state(1, 2)], peer('alice'))
    expect(here()).toEqual(['1@2'])
    presence.receive([state(1, 3)], peer('mallory'))
    expect(here()).toEqual(['1@2'])
  })

  test('is not taken over by an open server’s anyone', () => {
    const { presence, here } = lonePresence()
    presence.receive([state(1, 1)], peer())
    presence.receive([state(1, 2)], peer())
    expect(here()).toEqual(['1@1'])
  })
})
