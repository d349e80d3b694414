/** What a bus promises, whichever it is. Two ends: the bus as two instances have it (in one process it is the same). */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { collectGarbage } from '../../test/kit/garbage.ts'
import { type Redis, startRedis } from '../../test/kit/redis.ts'
import { type RedisCluster, startRedisCluster } from '../../test/kit/redis-cluster.ts'
import { releasing } from '../../test/kit/releasing.ts'
import { until } from '../../test/kit/until.ts'
import { createLogger } from '../base/log.ts'
import { Secret } from '../base/secret.ts'
import type { Bus, BusHandler } from './bus.ts'
import { createInProcessBus } from './in-process.ts'
import { createRedisBus } from './redis.ts'

interface Ends {
  one: Bus
  other: Bus
}

const use = releasing()
const useForAll = releasing(afterAll)
let redis: Redis
let cluster: RedisCluster
beforeAll(async () => {
  redis = useForAll(await startRedis())
  cluster = useForAll(await startRedisCluster())
}, 120_000)

const inProcess = async (): Promise<Ends> => {
  const bus = use(createInProcessBus(createLogger('silent')), given => given.close())
  return { one: bus, other: bus }
}

const onRedisAt = async (url: string): Promise<Ends> => {
  const connect = () => use(createRedisBus(new Secret(url), createLogger('silent')), given => given.close())
  const [one, other] = [connect(), connect()]
  await until(() => one.state === 'up' && other.state === 'up')
  return { one, other }
}

const bytes = (text: string) => new TextEncoder().encode(text)

/** Notes what it hears as `channel text`. */
function listener(): { heard: string[]; handler: BusHandler } {
  const heard: string[] = []
  return { heard, handler: (channel, message) => heard.push(`${channel} ${new TextDecoder().decode(message)}`) }
}

/** Resolves when everything that `from` published before has been delivered at `to`. */
async function delivered(from: Bus, to: Bus): Promise<void> {
  const marker = listener()
  const unsubscribe = await to.subscribe('marker', marker.handler)
  from.publish('marker', bytes('end'))
  await until(() => marker.heard.length > 0)
  unsubscribe()
}

/** In the end: Redis does not always answer in time. */
const finds = (bus: Bus, group: string, expected: Record<string, string>) =>
  until(async () => {
    expect(Object.fromEntries((await bus.kept(group)) ?? [])).toEqual(expected)
    return true
  })

describe.each([
  ['in one process', inProcess],
  ['on Redis', () => onRedisAt(redis.url)],
  ['on a Redis Cluster', () => onRedisAt(cluster.url)],
])('a bus %s', (_name, open) => {
  test('is up', async () => {
    const { one, other } = await open()
    expect([one.state, other.state]).toEqual(['up', 'up'])
  })

  test('says that nobody else hears a channel only where that is so', async () => {
    const { one, other } = await open()
    await one.subscribe('board:a:sync', () => {})
    const end = await other.subscribe('board:a:sync', () => {})
    expect(one.mayReachOthers('board:a:sync')).toBe(true)
    end()
    await other.subscribe('board:*:sync', () => {})
    expect(one.mayReachOthers('board:a:sync')).toBe(true)
  })

  test('brings a message to everybody who listens to its channel, the sender included, and to nobody else', async () => {
    const { one, other } = await open()
    const [own, far, elsewhere] = [listener(), listener(), listener()]
    await one.subscribe('board:a:updates', own.handler)
    await other.subscribe('board:a:updates', far.handler)
    for (const name of ['board:b:updates', 'board:a:update', 'board:a:updatesx', 'board:a']) {
      await other.subscribe(name, elsewhere.handler)
    }
    one.publish('board:a:updates', bytes('1'))
    await delivered(one, other)
    await until(() => own.heard.length > 0)
    expect([own.heard, far.heard]).toEqual([['board:a:updates 1'], ['board:a:updates 1']])
    expect(elsewhere.heard).toEqual([])
  })

  test('keeps the order of what one sender sends', async () => {
    const { one, other } = await open()
    const far = listener()
    await other.subscribe('c', far.handler)
    const sent = Array.from({ length: 50 }, (_, index) => `c ${index}`)
    for (const [index] of sent.entries()) one.publish('c', bytes(String(index)))
    await delivered(one, other)
    expect(far.heard).toEqual(sent)
  })

  test('carries what instances tell each other of many boards, each in order, until nobody listens', async () => {
    const { one, other } = await open()
    const names = Array.from({ length: 20 }, (_, index) => `board:b${index}:${index % 2 ? 'sync' : 'awareness'}`)
    const [far, gone] = [listener(), listener()]
    for (const name of names) (await other.subscribe(name, gone.handler))()
    for (const name of names) await other.subscribe(name, far.handler)
    for (const text of ['1', '2', '3']) for (const name of names) one.publish(name, bytes(text))
    await until(() => far.heard.length === 60)
    expect(names.map(name => far.heard.filter(line => line.startsWith(`${name} `)))).toEqual(
      names.map(name => [`${name} 1`, `${name} 2`, `${name} 3`]),
    )
    expect(gone.heard).toEqual([])
  })

  test('brings every byte, and messages without any', async () => {
    const { one, other } = await open()
    const every = Uint8Array.from({ length: 256 }, (_, value) => value)
    const heard: Uint8Array[] = []
    await other.subscribe('c', (_channel, message) => heard.push(message))
    one.publish('c', every.subarray(1))
    one.publish('c', new Uint8Array())
    await until(() => heard.length === 2)
    expect(heard.map(message => [...message])).toEqual([[...every.subarray(1)], []])
  })

  test('takes a name with * for every channel that fits, and nothing else in it for a pattern', async () => {
    const { one, other } = await open()
    const [pattern, dots] = [listener(), listener()]
    await other.subscribe('board:*:updates', pattern.handler)
    await other.subscribe('b.(c)*', dots.handler)
    for (const name of [
      'board:a:updates',
      'board:b:acks',
      'xboard:a:updates',
      'board:c:updates:x',
      'bx(c)',
      'b.(c)d',
    ]) {
      one.publish(name, bytes('1'))
    }
    await delivered(one, other)
    expect(pattern.heard).toEqual(['board:a:updates 1'])
    expect(dots.heard).toEqual(['b.(c)d 1'])
  })

  test('never calls back into whoever is publishing', async () => {
    const { one, other } = await open()
    let publishing = false
    const nested: boolean[] = []
    await one.subscribe('c', () => nested.push(publishing))
    publishing = true
    one.publish('c', bytes('1'))
    publishing = false
    await delivered(one, other)
    await until(() => nested.length > 0)
    expect(nested).toEqual([false])
  })

  test('brings nothing more to who unsubscribed, everything to the others, however often one unsubscribes', async () => {
    const { one, other } = await open()
    const [gone, again, stays] = [listener(), listener(), listener()]
    const unsubscribe = await other.subscribe('c', gone.handler)
    unsubscribe()
    await other.subscribe('c', again.handler)
    unsubscribe()
    await other.subscribe('c', stays.handler)
    one.publish('c', bytes('1'))
    await delivered(one, other)
    expect([gone.heard, again.heard, stays.heard]).toEqual([[], ['c 1'], ['c 1']])
  })

  test('brings nothing to who unsubscribed, though the message was under way', async () => {
    const { one, other } = await open()
    const gone = listener()
    const unsubscribe = await other.subscribe('c', gone.handler)
    one.publish('c', bytes('1'))
    unsubscribe()
    await delivered(one, other)
    expect(gone.heard).toEqual([])
  })

  test('takes one function that subscribes twice for two subscriptions', async () => {
    const { one, other } = await open()
    const twice = listener()
    const unsubscribe = await other.subscribe('c', twice.handler)
    await other.subscribe('c', twice.handler)
    one.publish('c', bytes('1'))
    await delivered(one, other)
    unsubscribe()
    one.publish('c', bytes('2'))
    await delivered(one, other)
    expect(twice.heard).toEqual(['c 1', 'c 1', 'c 2'])
  })

  test('keeps one listener’s failure from the others and from the next message', async () => {
    const { one, other } = await open()
    const [failing, sound] = [listener(), listener()]
    await other.subscribe('c', (channel, message) => {
      failing.handler(channel, message)
      throw new Error('this listener fails')
    })
    await other.subscribe('c', sound.handler)
    for (const text of ['1', '2']) one.publish('c', bytes(text))
    await delivered(one, other)
    expect([failing.heard, sound.heard]).toEqual([
      ['c 1', 'c 2'],
      ['c 1', 'c 2'],
    ])
  })

  test('grants a lease to whoever asks, again to who has it, and again after it was given back', async () => {
    const { one, other } = await open()
    expect(await one.lease('l', 5_000)).toEqual({})
    expect(await one.lease('l', 5_000)).toEqual({})
    await one.release('l', 'given-back', 'mark')
    expect(await other.lease('l', 5_000)).toBeTruthy()
  })

  test('marks when a lease was given back: after all that was published before', async () => {
    const { one, other } = await open()
    const far = listener()
    for (const name of ['c', 'given-back']) await other.subscribe(name, far.handler)
    await one.lease('marked', 5_000)
    one.publish('c', bytes('1'))
    await delivered(one, other)
    await one.release('marked', 'given-back', 'mark')
    one.publish('c', bytes('2'))
    await delivered(one, other)
    expect(far.heard).toEqual(['c 1', 'given-back mark', 'c 2'])
  })

  test('lets everybody find what an instance keeps, the newest of each name, until it is forgotten', async () => {
    const { one, other } = await open()
    one.keep('g', 'one', 'first', 60_000)
    one.keep('g', 'one', '{"é":1}', 60_000)
    other.keep('g', 'other', '', 60_000)
    other.keep('h', 'one', 'elsewhere', 60_000)
    for (const bus of [one, other]) await finds(bus, 'g', { one: '{"é":1}', other: '' })
    one.forget('g', 'one')
    one.forget('g', 'nobody')
    for (const bus of [one, other]) await finds(bus, 'g', { other: '' })
    other.forget('g', 'other')
    await until(async () => (await other.kept('g'))?.size === 0)
  })

  test('forgets what is not kept again in time, and nothing else of its group', async () => {
    const { one, other } = await open()
    one.keep('life', 'long', '1', 60_000)
    other.keep('life', 'short', '2', 40)
    one.keep('life', 'renewed', '3', 40)
    one.keep('life', 'renewed', '4', 60_000)
    await until(async () => (await other.kept('life'))?.has('renewed'))
    await until(async () => (await other.kept('life'))?.has('short') === false)
    await finds(one, 'life', { long: '1', renewed: '4' })
  })

  test('that is closed brings nothing and lets itself be published to', async () => {
    const { one, other } = await open()
    const far = listener()
    await other.subscribe('c', far.handler)
    one.publish('c', bytes('1'))
    await delivered(one, other)
    await other.close()
    one.publish('c', bytes('2'))
    other.publish('c', bytes('3'))
    const after = (await open()).one
    await delivered(after, after)
    expect(far.heard).toEqual(['c 1'])
  })
})

test('in one process, a bus holds nothing of what was forgotten', async () => {
  const { one } = await inProcess()
  collectGarbage()
  const before = process.memoryUsage().heapUsed
  for (let group = 0; group < 50_000; group++) {
    one.keep(`group ${group}`, 'name', 'value', 60_000)
    one.forget(`group ${group}`, 'name')
  }
  collectGarbage()
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(2_000_000)
  expect(await one.kept('group 0')).toEqual(new Map())
})

test('in one process, a bus knows when a channel has one subscription, which never hears of any other instance', async () => {
  const { one } = await inProcess()
  expect(one.mayReachOthers('a')).toBe(false)
  const end = await one.subscribe('a', () => {})
  await one.subscribe('b*', () => {})
  expect(one.mayReachOthers('a')).toBe(false)
  await one.subscribe('a', () => {})
  expect(one.mayReachOthers('a')).toBe(true)
  end()
  expect(one.mayReachOthers('a')).toBe(false)
})
