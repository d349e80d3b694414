/** Published changes while storage is away or too slow: nothing overtakes, memory is bounded, and what is lost is counted. */

import { pino } from 'pino'
import { describe, expect, test, vi } from 'vitest'
import { StorageError } from '../../core/base/errors.ts'
import type { NewChange } from '../../core/store/change-outbox.ts'
import { accepted, create, idIn, type Submit, slowStorage, startIntake } from '../../test/kit/raw-intake.ts'
import { releasing } from '../../test/kit/releasing.ts'
import { until } from '../../test/kit/until.ts'

const use = releasing()
const intakeOn = (submit: Submit) => startIntake(use, submit)

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

test('of a large change that was stored everybody is told only that it was, which is no message of its own', async () => {
  const told: Uint8Array[] = []
  const { publish, refused, storage } = await startIntake(
    use,
    async change => accepted(change),
    bus => ({
      publish(channel, message) {
        told.push(message)
        bus.publish(channel, message)
      },
    }),
  )
  // Just under the limit; each item of it is given an id.
  const items = Array.from({ length: 500 }, () => ({ type: 'sticky', content: { text: 'x'.repeat(2_030) } }))
  publish('board', { action: 'batch', operations: items.map(item => ({ action: 'create', item })) })
  await until(async () => told.length === 2)
  expect(told[0]?.byteLength).toBeLessThan(1024 * 1024)
  expect(told[0]?.byteLength).toBeGreaterThan(1020 * 1024)
  expect(JSON.parse(new TextDecoder().decode(told[1]))).toEqual({ change_id: expect.any(String), action: 'batch' })
  await until(() => storage.tries === 1)
  expect(await refused('raw-malformed')).toBe(0)
})

describe('a bus that takes no leases from us', () => {
  test('has what is published forgotten, which is counted and logged once', async () => {
    const lines: string[] = []
    const log = pino({ level: 'info' }, { write: line => lines.push(line) })
    let refuses = true
    const lease = async () => {
      if (refuses) throw new Error('OOM command not allowed')
      return {}
    }
    const { publish, refused, storage } = await startIntake(
      use,
      async change => accepted(change),
      () => ({ lease }),
      log,
    )
    for (const id of ['a', 'b']) {
      publish('board', create(id))
      await until(async () => (await refused('raw-lease-refused')) === (id === 'a' ? 1 : 2))
    }
    refuses = false
    publish('board', create('c'))
    await until(() => storage.together.length === 1)
    expect(storage.together).toEqual([['c']])
    expect(lines.filter(line => line.includes('OOM command not allowed'))).toHaveLength(1)
  })
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

  test('changes that wait are stored together when it is back, in their order', async () => {
    let away = true
    const { publish, storage } = await intakeOn(async change => {
      if (away) throw new StorageError('unavailable', 'away')
      return accepted(change)
    })
    publish('board', create('first'))
    await until(() => storage.tries > 0)
    const others = Array.from({ length: 30 }, (_, number) => `i${number}`)
    for (const id of others) publish('board', create(id))
    away = false
    await until(() => storage.together.flat().length === 31)
    expect(storage.together).toEqual([['first'], others])
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

  test('an instance that stops drops and counts what it cannot store in time: it would come after what others store', async () => {
    const { stored, tried, submit, release } = slowStorage()
    const { intake, publish, refused } = await intakeOn(submit)
    for (const id of ['under-way', 'waiting']) publish('board', create(id))
    await until(() => tried.length === 1)
    await intake.stop()
    release()
    await until(async () => (await refused('raw-not-stored')) + stored.length === 2)
    expect(stored).toEqual(['under-way'])
  })

  test('a change that storage will never take is dropped and counted; those stored with it are taken', async () => {
    const stored: string[] = []
    let away = true
    const { publish, storage, refused } = await intakeOn(async change => {
      if (away) throw new StorageError('unavailable', 'away')
      if (idIn(change) === 'b') throw new StorageError('refused', 'never')
      stored.push(idIn(change))
      return accepted(change)
    })
    publish('board', create('first'))
    await until(() => storage.tries > 0)
    for (const id of ['a', 'b', 'c']) publish('board', create(id))
    away = false
    await until(() => stored.includes('c'))
    // The storage of this test rolls nothing back: hence the second a.
    expect([stored, await refused('raw-not-stored')]).toEqual([['first', 'a', 'a', 'c'], 1])
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
    await vi.waitFor(() => expect(stored).toEqual(['before']), { timeout: 15_000 })
    now += 60_000
    publish('board', create('late'))
    // In the bus's own order: the late one, then its echo, then what is new.
    await new Promise(resolve => setImmediate(resolve))
    await new Promise(resolve => setImmediate(resolve))
    publish('board', create('new'))
    await vi.waitFor(() => expect(stored).toContain('new'), { timeout: 15_000 })
    expect(stored).toEqual(['before', 'new'])
  })
})
