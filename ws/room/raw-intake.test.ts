/** Published changes while storage is away or too slow: nothing overtakes, memory is bounded, and what is lost is counted. */

import { describe, expect, test, vi } from 'vitest'
import { StorageError } from '../../core/base/errors.ts'
import { createLogger } from '../../core/base/log.ts'
import { createMetrics } from '../../core/base/metrics.ts'
import type { Bus, BusState } from '../../core/bus/bus.ts'
import { createInProcessBus } from '../../core/bus/in-process.ts'
import type { NewChange, RecordedChange } from '../../core/store/change-outbox.ts'
import { releasing } from '../../test/kit/releasing.ts'
import { until } from '../../test/kit/until.ts'
import { RawIntake } from './raw-intake.ts'

const use = releasing()
const silent = createLogger('silent')

type Submit = (change: NewChange) => Promise<RecordedChange>

const accepted = (change: NewChange): RecordedChange => ({
  ...change,
  status: 'pending',
  result: undefined,
  seq: undefined,
})

/** An intake on a storage that does as it is told, and all it was told of. */
async function intakeOn(submit: Submit, given: Partial<Bus> = {}) {
  const bus: Bus = { ...createInProcessBus(silent), ...given }
  const metrics = createMetrics()
  const changes = { submit, find: vi.fn(), boardsWithPending: vi.fn(), drain: vi.fn() }
  const intake = use(new RawIntake(changes as never, bus, silent, metrics))
  await intake.start()
  const publish = (board: string, message: object) =>
    bus.publish(`board:${board}:updates`, new TextEncoder().encode(JSON.stringify(message)))
  const refused = async (reason: string) => {
    const { values } = await metrics.refusals.get()
    return values.find(value => value.labels.reason === reason)?.value ?? 0
  }
  return { intake, publish, refused }
}

const create = (id: string, text = '') => ({ action: 'create', item: { id, type: 'sticky', content: { text } } })
const idIn = ({ change }: NewChange) => (JSON.parse(change) as { item: { id: string } }).item.id

test('a change that another program published is stored in the name of the bus, under a key that REST cannot give', async () => {
  const stored: NewChange[] = []
  const { publish } = await intakeOn(async change => {
    stored.push(change)
    return accepted(change)
  })
  publish('board', { ...create('a'), message_id: 'key' })
  await until(() => stored.length === 1)
  expect(stored[0]).toMatchObject({ board: 'board', actor: 'agent:bus', idempotencyKey: 'message·key' })
})

describe('while storage is away', () => {
  test('changes wait and keep their order; each attempt is the same change', async () => {
    let away = true
    const tried: string[] = []
    const stored: string[] = []
    const { publish } = await intakeOn(async change => {
      tried.push(change.publicId)
      if (away) throw new StorageError('unavailable', 'away')
      stored.push(idIn(change))
      return accepted(change)
    })
    for (const id of ['a', 'b', 'c']) publish('board', create(id))
    await until(() => tried.length > 2)
    expect(new Set(tried).size).toBe(1)
    away = false
    await until(() => stored.length === 3)
    expect(stored).toEqual(['a', 'b', 'c'])
  })

  test('one board does not hold up another', async () => {
    const stored: string[] = []
    const { publish } = await intakeOn(async change => {
      if (change.board === 'bad') throw new StorageError('busy', 'locked')
      stored.push(idIn(change))
      return accepted(change)
    })
    publish('bad', create('a'))
    publish('good', create('b'))
    await until(() => stored.length === 1)
    expect(stored).toEqual(['b'])
  })

  test('a bounded part of memory waits; the rest is dropped and counted', async () => {
    let release = () => {}
    const held = new Promise<void>(resolve => {
      release = resolve
    })
    let stored = 0
    const { publish, refused } = await intakeOn(async change => {
      await held
      stored++
      return accepted(change)
    })
    for (let n = 0; n < 2_200; n++) publish('board', create(`i${n}`, 'x'.repeat(9_000)))
    await until(async () => (await refused('raw-overflow')) > 0)
    publish('board', create('end', 'x'.repeat(9_000)))
    release()
    await until(async () => stored + (await refused('raw-overflow')) === 2_201)
    expect(stored).toBeGreaterThan(1_000)
    publish('board', create('afterwards'))
    await until(async () => stored + (await refused('raw-overflow')) === 2_202)
    expect(await refused('raw-overflow')).toBe(2_202 - stored)
  })

  test('a change that storage will never take is dropped and counted; the next one is taken', async () => {
    const stored: string[] = []
    const { publish, refused } = await intakeOn(async change => {
      if (idIn(change) === 'a') throw new StorageError('refused', 'never')
      stored.push(idIn(change))
      return accepted(change)
    })
    for (const id of ['a', 'b']) publish('board', create(id))
    await until(() => stored.length === 1)
    expect([stored, await refused('raw-not-stored')]).toEqual([['b'], 1])
  })
})

describe('an instance that stood still', () => {
  test('takes nothing that it hears late, and goes on when it hears itself', async () => {
    const stored: string[] = []
    let now = performance.now()
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now)
    use({ stop: () => clock.mockRestore() })
    const { publish } = await intakeOn(async change => {
      stored.push(idIn(change))
      return accepted(change)
    })
    publish('board', create('before'))
    await vi.waitFor(() => expect(stored).toEqual(['before']))
    now += 60_000
    publish('board', create('late'))
    // In the bus's own order: the late one, then its echo, then what is new.
    await new Promise(resolve => setImmediate(resolve))
    await new Promise(resolve => setImmediate(resolve))
    publish('board', create('new'))
    await vi.waitFor(() => expect(stored).toContain('new'))
    expect(stored).toEqual(['before', 'new'])
  })
})

describe('a lease that was lost', () => {
  /** A bus on which one at a time has the lease, and which goes away and comes back as the test says. */
  function leasingBus() {
    const bus = createInProcessBus(silent)
    const listeners: ((state: BusState) => void)[] = []
    const asked: string[] = []
    let holder: string | undefined
    return {
      asked,
      as: (name: string): Bus => ({
        ...bus,
        lease: async () => {
          asked.push(name)
          holder ??= name
          return holder === name
        },
        onState: listener => {
          listeners.push(listener)
          return () => {}
        },
      }),
      comesBack(): void {
        for (const state of ['down', 'up'] as const) for (const listener of listeners) listener(state)
      },
      isFree(): void {
        holder = undefined
      },
    }
  }

  /** Storage that is slow until told otherwise. */
  function slowStorage() {
    const stored: string[] = []
    const tried: string[] = []
    let release = () => {}
    const held = new Promise<void>(resolve => {
      release = resolve
    })
    const submit: Submit = async change => {
      tried.push(idIn(change))
      await held
      stored.push(idIn(change))
      return accepted(change)
    }
    return { stored, tried, submit, release }
  }

  test('is asked for when a change is heard, not when those before it are stored: by then it may have been made', async () => {
    const leases = leasingBus()
    const { stored, tried, submit, release } = slowStorage()
    const { publish } = await intakeOn(submit, leases.as('one'))
    publish('board', create('a'))
    await until(() => tried.length === 1)
    leases.isFree()
    await leases.as('other').lease('', 0)
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
    const { stored, tried, submit, release } = slowStorage()
    const overtaking: string[] = []
    await intakeOn(async change => {
      overtaking.push(idIn(change))
      return accepted(change)
    }, leases.as('quick'))
    await leases.as('slow').lease('', 0)
    const { publish } = await intakeOn(submit, leases.as('slow'))
    publish('board', create('a'))
    await until(() => leases.asked.includes('quick') && tried.length === 1)
    leases.isFree()
    leases.comesBack()
    publish('board', create('b'))
    release()
    await until(() => stored.length === 2)
    expect([stored, overtaking]).toEqual([['a', 'b'], []])
  })
})
