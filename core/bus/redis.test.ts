/** What a bus on Redis does when Redis is not there, hangs, comes back, or is somebody else's. */

import { once } from 'node:events'
import { createServer } from 'node:net'
import { pino } from 'pino'
import { describe, expect, test } from 'vitest'
import { absentRedis, type Redis, startRedis } from '../../test/kit/redis.ts'
import { releasing } from '../../test/kit/releasing.ts'
import { until } from '../../test/kit/until.ts'
import { Secret } from '../base/secret.ts'
import type { Bus } from './bus.ts'
import { createRedisBus } from './redis.ts'

const use = releasing()

interface Connected {
  bus: Bus
  /** Everything it logged, as text. */
  logged(): string[]
  states: string[]
}

function connect(url: string): Connected {
  const lines: string[] = []
  const log = pino({ level: 'trace' }, { write: line => lines.push(line) })
  const bus = use(createRedisBus(new Secret(url), log), given => given.close())
  const states: string[] = []
  bus.onState(state => states.push(state))
  return { bus, logged: () => lines, states }
}

const bytes = (text: string) => new TextEncoder().encode(text)

async function listen(bus: Bus, channel: string): Promise<string[]> {
  const heard: string[] = []
  await bus.subscribe(channel, (_channel, message) => heard.push(new TextDecoder().decode(message)))
  return heard
}

/** In place of the Redis that is not there: resolves when so many connections were tried, and refused. */
async function attempts(url: string, count: number): Promise<void> {
  let tried = 0
  const server = createServer(socket => {
    tried++
    socket.on('error', () => {}).destroy()
  })
  await once(server.listen(Number(new URL(url).port), '127.0.0.1'), 'listening')
  await until(() => tried >= count)
  server.close()
  await once(server, 'close')
}

/** Until a message of a bus that is up again arrives. */
async function arrives(redis: Redis, channel: string, heard: string[], text: string): Promise<void> {
  await redis.client.publish(channel, text)
  await until(() => heard.includes(text))
}

describe('while Redis is not there', () => {
  test('a bus starts, lets itself be published to, and holds up no subscriber for long', async () => {
    const redis = use(await absentRedis())
    const { bus } = connect(redis.url)
    expect(bus.state).toBe('down')
    bus.publish('c', bytes('lost'))
    // Else this would last until it is there.
    await listen(bus, 'c')
    expect(await bus.lease('l', 5_000)).toBeUndefined()
    await bus.release('l', 'c', 'mark')
  })

  test('what is subscribed to then is heard once Redis is there, channels and patterns', async () => {
    const redis = use(await absentRedis())
    const { bus, states } = connect(redis.url)
    const [exact, pattern] = [await listen(bus, 'a:b'), await listen(bus, 'a:*')]
    await redis.start()
    await until(() => bus.state === 'up')
    await arrives(redis, 'a:b', exact, '1')
    await until(() => pattern.length > 0)
    expect([exact, pattern, states]).toEqual([['1'], ['1'], ['up']])
  })

  test('one line says so, not one for each attempt, and none has the password', async () => {
    const redis = use(await absentRedis({ password: 'hunter2' }))
    const { bus, logged, states } = connect(redis.url)
    for (const outage of [1, 2]) {
      await until(() => logged().length === 2 * outage - 1)
      await attempts(redis.url, 5)
      await redis.start()
      await until(() => states.filter(state => state === 'up').length === outage)
      expect(logged()).toHaveLength(2 * outage)
      await redis.halt()
      await until(() => bus.state === 'down')
    }
    expect(logged().join()).not.toContain('hunter2')
  })
})

describe('a Redis that was killed', () => {
  test('is seen to be gone; when it is back, everything is subscribed before it counts as up', async () => {
    const redis = use(await startRedis())
    const { bus, states } = connect(redis.url)
    await until(() => bus.state === 'up')
    const heard = await listen(bus, 'c')
    const all = await listen(bus, 'c*')
    for (const round of ['1', '2']) {
      await redis.halt()
      await until(() => bus.state === 'down')
      bus.publish('c', bytes(`lost ${round}`))
      // Published by who was told that it is up: nothing is in between.
      const told = new Promise<void>(resolve => {
        bus.onState(() => {
          bus.publish('c', bytes(round))
          resolve()
        })
      })
      await redis.start()
      await told
      await until(() => heard.includes(round) && all.includes(round))
    }
    expect(new Set(heard)).toEqual(new Set(['1', '2']))
    expect(states).toEqual(['up', 'down', 'up', 'down', 'up'])
  })

  test('is not asked any more for what was unsubscribed while it was away', async () => {
    const redis = use(await startRedis())
    const { bus } = connect(redis.url)
    await until(() => bus.state === 'up')
    const unsubscribe = await bus.subscribe('gone', () => {})
    await redis.halt()
    await until(() => bus.state === 'down')
    unsubscribe()
    await redis.start()
    await until(() => bus.state === 'up')
    expect(await redis.client.pubsub('CHANNELS')).toEqual([])
  })
})

describe('a Redis that hangs', () => {
  test('is noticed, holds nobody up, and is used again when it goes on', async () => {
    const redis = use(await startRedis())
    const { bus } = connect(redis.url)
    await until(() => bus.state === 'up')
    redis.pause()
    await until(() => bus.state === 'down')
    const heard = await listen(bus, 'c')
    bus.publish('c', bytes('lost'))
    redis.resume()
    await until(() => bus.state === 'up')
    await arrives(redis, 'c', heard, '1')
  })

  test('takes a bounded part of memory: what is published beyond it is dropped', async () => {
    const redis = use(await startRedis())
    const { bus } = connect(redis.url)
    await until(() => bus.state === 'up')
    redis.pause()
    const message = Buffer.alloc(1024 * 1024)
    for (let count = 0; count < 100; count++) bus.publish('c', message)
    const heard: number[] = []
    const counting = bus.subscribe('c', (_channel, given) => heard.push(given.byteLength))
    redis.resume()
    await counting
    await until(async () => Number(((await redis.client.call('PUBSUB', 'NUMSUB', 'c')) as unknown[])[1]) === 1)
    bus.publish('c', bytes('1'))
    await until(() => heard.includes(1))
    const taken = (await redis.client.info('commandstats')).match(/cmdstat_publish:calls=(\d+)/)?.[1]
    expect(Number(taken)).toBeGreaterThan(5)
    expect(Number(taken)).toBeLessThan(20)
  })
})

describe('a lease on Redis', () => {
  test('is held by one instance at a time, renewed by it alone, and free again when it has lapsed', async () => {
    const redis = use(await startRedis())
    const [one, other] = [connect(redis.url).bus, connect(redis.url).bus]
    await until(() => one.state === 'up' && other.state === 'up')
    const asked = await Promise.all([one, other].map(bus => bus.lease('l', 60_000)))
    expect(asked.filter(Boolean)).toHaveLength(1)
    const [holder, loser] = asked[0] ? [one, other] : [other, one]
    await loser.release('l', 'c', 'mark')
    expect([await loser.lease('l', 60_000), await holder.lease('l', 100_000)]).toEqual([undefined, {}])
    expect(await redis.client.pttl('l')).toBeGreaterThan(60_000)
    await redis.client.pexpire('l', 1)
    await until(() => loser.lease('l', 60_000))
    expect(await holder.lease('l', 60_000)).toBeUndefined()
    await loser.release('l', 'c', 'mark')
    expect(await holder.lease('l', 60_000)).toEqual({ after: 'mark' })
    expect(await holder.lease('l', 60_000)).toEqual({})
  })

  test('is kept from who takes the key by hand, too', async () => {
    const redis = use(await startRedis())
    const { bus } = connect(redis.url)
    await until(() => bus.state === 'up')
    await redis.client.set('l', 'somebody', 'PX', 60_000, 'NX')
    expect(await bus.lease('l', 5_000)).toBeUndefined()
  })
})

test('a Redis that takes no leases from us is not one where somebody else has them', async () => {
  const redis = use(await startRedis())
  await redis.client.call('ACL', 'SETUSER', 'reader', 'on', '>secret', '~*', '&*', '+@all', '-eval')
  const { bus } = connect(redis.url.replace('redis://', 'redis://reader:secret@'))
  await until(() => bus.state === 'up')
  await expect(bus.lease('l', 5_000)).rejects.toThrow('NOPERM')
  await redis.client.call('ACL', 'SETUSER', 'reader', '+eval')
  expect(await bus.lease('l', 5_000)).toEqual({})
})

test('a wrong password is told without it', async () => {
  const redis = use(await startRedis({ password: 'hunter2' }))
  const { bus, logged } = connect(redis.url.replace('hunter2', 'hunter3'))
  await until(() => logged().length > 0)
  expect(bus.state).toBe('down')
  expect(logged().join()).toContain('WRONGPASS')
  expect(logged().join()).not.toMatch(/hunter[23]/)
})
