/** Published changes while storage is away or too slow: nothing overtakes, memory is bounded, and what is lost is counted. */

import { describe, expect, test, vi } from 'vitest'
import { StorageError } from '../../core/base/errors.ts'
import { createLogger } from '../../core/base/log.ts'
import { createMetrics } from '../../core/base/metrics.ts'
import type { Bus, BusHandler, Lease } from '../../core/bus/bus.ts'
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
async function intakeOn(submit: Submit, given: (bus: Bus) => Partial<Bus> = () => ({})) {
  const own = createInProcessBus(silent)
  const bus: Bus = { ...own, ...given(own) }
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
  const say = (channel: string, text: string) => bus.publish(channel, new TextEncoder().encode(text))
  return { intake, publish, say, refused }
}

/** An intake whose bus is as `given`, and what it stored, by item. */
async function storingIntake(given: (bus: Bus) => Partial<Bus>) {
  const stored: string[] = []
  const parts = await intakeOn(async change => {
    stored.push(idIn(change))
    return accepted(change)
  }, given)
  return { stored, ...parts }
}

const bytes = (message: unknown) => new TextEncoder().encode(JSON.stringify(message))
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

describe('a board that is handed over', () => {
  test('is taken in by the instance that stops until its mark, and not after it', async () => {
    const handlers: { name: string; handler: BusHandler }[] = []
    const { intake, stored, publish } = await storingIntake(bus => ({
      subscribe(name, handler) {
        handlers.push({ name, handler })
        return bus.subscribe(name, handler)
      },
      // All of it comes in at once, as from a socket.
      async release(_name, handover, mark) {
        const hear = (name: string, channel: string, message: Uint8Array) =>
          handlers.find(given => given.name === name)?.handler(channel, message)
        const updates = 'board:board:updates'
        hear('board:*:updates', updates, bytes(create('before-the-mark')))
        hear(handover, handover, new TextEncoder().encode(mark))
        hear('board:*:updates', updates, bytes(create('after-the-mark')))
      },
    }))
    publish('board', create('first'))
    await until(() => stored.length === 1)
    await intake.stop()
    expect(stored).toEqual(['first', 'before-the-mark'])
  })

  test('is taken in by the next one after the mark, also where it hears of its lease first', async () => {
    const mark = 'board 1'
    let grant = (_lease: Lease) => {}
    const granted = new Promise<Lease>(resolve => {
      grant = resolve
    })
    const asked = vi.fn()
    const { stored, publish, say } = await storingIntake(() => ({
      lease: () => {
        asked()
        return granted
      },
    }))
    publish('board', create('before-the-lease'))
    await until(() => asked.mock.calls.length === 1)
    grant({ after: mark })
    await granted
    publish('board', create('before-the-mark'))
    say('boardsync:handover', mark)
    publish('board', create('after-the-mark'))
    await until(() => stored.length > 0)
    publish('board', create('later'))
    await until(() => stored.includes('later'))
    expect(stored).toEqual(['after-the-mark', 'later'])
  })

  test('is taken in by the next one at once where it heard the mark before', async () => {
    const mark = 'board 1'
    let after: string | undefined = mark
    const { stored, publish, say } = await storingIntake(() => ({
      lease: async () => {
        const lease = after === undefined ? {} : { after }
        after = undefined
        return lease
      },
    }))
    say('boardsync:handover', mark)
    publish('board', create('a'))
    publish('board', create('b'))
    await until(() => stored.length === 2)
    expect(stored).toEqual(['a', 'b'])
  })
})
