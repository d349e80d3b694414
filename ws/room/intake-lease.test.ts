/** Whose a published change is: of several instances that hear it, the one that has the lease then, wherever the lease goes. */

import { describe, expect, test, vi } from 'vitest'
import type { Bus, BusHandler, BusState, Lease } from '../../core/bus/bus.ts'
import { createInProcessBus } from '../../core/bus/in-process.ts'
import { accepted, bytesOf, create, idIn, slowStorage, startIntake } from '../../test/kit/raw-intake.ts'
import { releasing } from '../../test/kit/releasing.ts'
import { silent } from '../../test/kit/site.ts'
import { until } from '../../test/kit/until.ts'

const use = releasing()

/** An intake whose bus is as `given`, and what it stored, by item. */
async function storingIntake(given: (bus: Bus) => Partial<Bus>) {
  const stored: string[] = []
  const parts = await startIntake(
    use,
    async change => {
      stored.push(idIn(change))
      return accepted(change)
    },
    given,
  )
  return { stored, ...parts }
}

/** A bus on which one at a time has the lease, and which goes away and comes back as the test says. */
function leasingBus() {
  const bus = createInProcessBus(silent)
  const listeners: ((state: BusState) => void)[] = []
  const asked: string[] = []
  let holder: string | undefined
  let mark: string | undefined
  const lease = async (name: string): Promise<Lease | undefined> => {
    asked.push(name)
    if (holder !== undefined) return holder === name ? {} : undefined
    holder = name
    return mark === undefined ? {} : { after: mark }
  }
  return {
    asked,
    lease,
    as: (name: string) => (): Bus => ({
      ...bus,
      lease: () => lease(name),
      onState: listener => {
        listeners.push(listener)
        return () => {}
      },
    }),
    comesBack(): void {
      for (const listener of listeners) listener('down')
      for (const listener of listeners) listener('up')
    },
    /** To one after the other, in the order in which they started; each time something has been heard in between. */
    async comesBackSlowly(): Promise<void> {
      for (const listener of listeners) listener('down')
      for (const listener of listeners) {
        listener('up')
        await new Promise(resolve => setImmediate(resolve))
      }
    },
    isFree(after?: string): void {
      holder = undefined
      mark = after
    },
  }
}

describe('a board that is handed over', () => {
  /** Its bus brings all of this at once, as from a socket, while the instance stops; then stops it. @returns what is stored */
  async function stoppedWhileHearing(heard: (mark: string) => (object | string)[]): Promise<string[]> {
    const handlers = new Map<string, BusHandler>()
    const { intake, stored, publish } = await storingIntake(bus => ({
      subscribe(name, handler) {
        handlers.set(name, handler)
        return bus.subscribe(name, handler)
      },
      async release(_name, handover, mark) {
        for (const message of heard(mark)) {
          if (typeof message === 'string') handlers.get(handover)?.(handover, new TextEncoder().encode(message))
          else handlers.get('board:*:updates')?.('board:board:updates', bytesOf(message))
        }
      },
    }))
    publish('board', create('first'))
    await until(() => stored.length === 1)
    await intake.stop()
    return stored
  }

  test('is taken in by the instance that stops until its mark, and not after it', async () => {
    const stored = await stoppedWhileHearing(mark => [create('before-the-mark'), mark, create('after-the-mark')])
    expect(stored).toEqual(['first', 'before-the-mark'])
  })

  test('is not left at the mark of another one, which is heard late', async () => {
    const stored = await stoppedWhileHearing(mark => ['board 1', create('before-its-own'), mark])
    expect(stored).toEqual(['first', 'before-its-own'])
  })

  test('is taken in by the next one after the mark, also where it hears of its lease first', async () => {
    const mark = 'board 1'
    let grant = (_lease: Lease) => {}
    const granted = new Promise<Lease>(resolve => {
      grant = resolve
    })
    // It is told of the mark once; from then on it renews what is its own.
    const lease = vi.fn<() => Promise<Lease>>(async () => ({})).mockImplementationOnce(() => granted)
    const { stored, publish, say } = await storingIntake(() => ({ lease }))
    publish('board', create('before-the-lease'))
    await until(() => lease.mock.calls.length === 1)
    grant({ after: mark })
    await granted
    publish('board', create('before-the-mark'))
    say('boardsync:handover', mark)
    say('boardsync:handover', `${mark} stored`)
    publish('board', create('after-the-mark'))
    await until(() => stored.length > 0)
    publish('board', create('later'))
    await until(() => stored.includes('later'))
    expect(stored).toEqual(['after-the-mark', 'later'])
  })

  test('is taken in by the next one at once where it heard the mark before', async () => {
    const mark = 'board 1'
    const lease = vi.fn<() => Promise<Lease>>(async () => ({})).mockResolvedValueOnce({ after: mark })
    const { stored, publish, say } = await storingIntake(() => ({ lease }))
    say('boardsync:handover', mark)
    say('boardsync:handover', `${mark} stored`)
    publish('board', create('a'))
    publish('board', create('b'))
    await until(() => stored.length === 2)
    expect(stored).toEqual(['a', 'b'])
  })

  test('is stored by the next one when the one before has stored what came before the mark', async () => {
    const mark = 'board 1'
    const lease = vi.fn<() => Promise<Lease>>(async () => ({})).mockResolvedValueOnce({ after: mark })
    const order: string[] = []
    const { publish, say } = await startIntake(
      use,
      async change => {
        order.push(idIn(change))
        return accepted(change)
      },
      bus => ({
        lease,
        subscribe: (name, handler) =>
          bus.subscribe(name, (channel, message) => {
            if (new TextDecoder().decode(message) === `${mark} stored`) order.push('the one before')
            handler(channel, message)
          }),
      }),
    )
    say('boardsync:handover', mark)
    publish('board', create('a'))
    publish('board', create('b'))
    // It renews its lease, and has stored nothing.
    await until(() => lease.mock.calls.length > 1)
    say('boardsync:handover', `${mark} stored`)
    await until(() => order.length === 3)
    expect(order).toEqual(['the one before', 'a', 'b'])
  })

  test('is left to the next one to store only when all is stored that came before the mark', async () => {
    const said: string[] = []
    const { stored, tried, submit, release } = slowStorage()
    const { intake, publish } = await startIntake(use, submit, bus => ({
      publish(channel, message) {
        if (channel === 'boardsync:handover') said.push(`${stored.length} ${new TextDecoder().decode(message)}`)
        bus.publish(channel, message)
      },
    }))
    publish('board', create('a'))
    await until(() => tried.length === 1)
    const stopped = intake.stop()
    await until(() => said.length === 1)
    release()
    await stopped
    expect(said).toEqual([expect.stringMatching(/^0 board \S+$/), expect.stringMatching(/^1 board \S+ stored$/)])
  })

  test('is not asked for again by who hands it over, also where the bus was away meanwhile', async () => {
    const leases = leasingBus()
    const { tried, submit, release } = slowStorage()
    const asked: number[] = []
    const { intake, publish } = await startIntake(use, submit, () => ({
      ...leases.as('one')(),
      async release() {
        asked.push(leases.asked.length)
        leases.comesBack()
        asked.push(leases.asked.length)
        release()
      },
    }))
    publish('board', create('a'))
    await until(() => tried.length === 1)
    await intake.stop()
    expect(asked).toHaveLength(2)
    expect(asked[1]).toBe(asked[0])
  })

  test('is parted at the mark also where the next one has earlier changes to store, and comes to these much later', async () => {
    const mark = 'board 1'
    const leases = leasingBus()
    const { stored, tried, submit, release } = slowStorage()
    const { publish, say } = await startIntake(use, submit, leases.as('one'))
    publish('board', create('a'))
    await until(() => tried.length === 1)
    leases.isFree()
    await leases.lease('other')
    leases.comesBack()
    leases.isFree(mark)
    const before = leases.asked.length
    publish('board', create('before-the-mark'))
    await until(() => leases.asked.length > before)
    say('boardsync:handover', mark)
    publish('board', create('after-the-mark'))
    say('boardsync:handover', `${mark} stored`)
    release()
    await until(() => stored.includes('after-the-mark'))
    expect(stored).toEqual(['a', 'after-the-mark'])
  })
})

describe('a lease that was lost', () => {
  test('is asked for when a change is heard, not when those before it are stored: by then it may have been made', async () => {
    const leases = leasingBus()
    const { stored, tried, submit, release } = slowStorage()
    const { publish } = await startIntake(use, submit, leases.as('one'))
    publish('board', create('a'))
    await until(() => tried.length === 1)
    leases.isFree()
    await leases.lease('other')
    leases.comesBack()
    const before = leases.asked.length
    publish('board', create('theirs'))
    await until(() => leases.asked.length > before)
    leases.isFree()
    publish('board', create('b'))
    release()
    await until(() => stored.includes('b'))
    expect(stored).toEqual(['a', 'b'])
  })

  test('is taken anew at once by who has changes of before to store: those of others do not overtake', async () => {
    const leases = leasingBus()
    const overtaking: string[] = []
    const { stored, tried, submit, release } = slowStorage()
    await startIntake(
      use,
      async change => {
        overtaking.push(idIn(change))
        return accepted(change)
      },
      leases.as('quick'),
    )
    await leases.lease('slow')
    const { publish } = await startIntake(use, submit, leases.as('slow'))
    publish('board', create('a'))
    await until(() => leases.asked.includes('quick') && tried.length === 1)
    leases.isFree()
    const before = leases.asked.length
    publish('board', create('b'))
    await leases.comesBackSlowly()
    await until(() => leases.asked.slice(before).includes('quick'))
    release()
    await until(() => stored.length === 2)
    expect([stored, overtaking]).toEqual([['a', 'b'], []])
  })

  test('is asked for at once by who had it, before anything is heard: the others wait for that', async () => {
    const leases = leasingBus()
    const { tried, submit, release } = slowStorage()
    const { publish } = await startIntake(use, submit, leases.as('one'))
    release()
    publish('board', create('a'))
    await until(() => tried.length === 1)
    const before = leases.asked.length
    leases.comesBack()
    await until(() => leases.asked.length > before)
  })
})
