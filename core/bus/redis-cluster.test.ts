/** What a bus does on a Redis Cluster: where messages go, and what becomes of them when the cluster changes. */

import { pino } from 'pino'
import { expect, test } from 'vitest'
import { absentRedis, type Redis, startRedis } from '../../test/kit/redis.ts'
import { startRedisCluster } from '../../test/kit/redis-cluster.ts'
import { releasing } from '../../test/kit/releasing.ts'
import { until } from '../../test/kit/until.ts'
import { Secret } from '../base/secret.ts'
import type { Bus } from './bus.ts'
import { createRedisBus } from './redis.ts'

const use = releasing()
const patience = { timeout: 120_000 }

function connect(url: string): { bus: Bus; logged: string[] } {
  const logged: string[] = []
  const log = pino({ level: 'trace' }, { write: line => logged.push(line) })
  return { bus: use(createRedisBus(new Secret(url), log), given => given.close()), logged }
}

const bytes = (text: string) => new TextEncoder().encode(text)

async function listen(bus: Bus, channel: string): Promise<string[]> {
  const heard: string[] = []
  await bus.subscribe(channel, (_channel, message) => heard.push(new TextDecoder().decode(message)))
  return heard
}

const listeners = async ({ client }: Redis): Promise<unknown> => client.call('PUBSUB', 'SHARDCHANNELS', 'board:*')

/** How often each server was told this by a client, not by another server. */
const asked = (servers: readonly Redis[], command: string) =>
  Promise.all(
    servers.map(async ({ client }) =>
      Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(await client.info('commandstats'))?.[1] ?? 0),
    ),
  )

test(
  'what instances tell each other of a board stays on one server; what others publish on any reaches all',
  async () => {
    const cluster = use(await startRedisCluster())
    const [one, other] = [connect(cluster.url).bus, connect(cluster.url).bus]
    await until(() => one.state === 'up' && other.state === 'up')
    const boards = ['a', 'b', 'c', 'd', 'e', 'f']
    const heard = await Promise.all(boards.map(board => listen(other, `board:${board}:sync`)))
    for (const board of boards) one.publish(`board:${board}:sync`, bytes(board))
    await until(() => heard.flat().length === boards.length)
    expect(heard.flat()).toEqual(boards)
    expect((await asked(cluster.servers, 'publish')).every(count => count === 0)).toBe(true)
    const holders = await Promise.all(boards.map(board => cluster.holderOf(`board:${board}:sync`)))
    expect(await asked(cluster.servers, 'spublish')).toEqual(
      cluster.servers.map(server => holders.filter(holder => holder === server).length),
    )

    const updates = await listen(other, 'board:*:updates')
    for (const [index, { client }] of cluster.servers.entries()) await client.publish('board:a:updates', String(index))
    await until(() => updates.length === 3)
    expect([...updates].sort()).toEqual(['0', '1', '2'])
  },
  patience.timeout,
)

test(
  'a board whose slot moves to another server is heard there, and was told to be looked for',
  async () => {
    const cluster = use(await startRedisCluster())
    const [one, other] = [connect(cluster.url).bus, connect(cluster.url).bus]
    await until(() => one.state === 'up' && other.state === 'up')
    const heard = await listen(other, 'board:a:sync')
    const states: string[] = []
    other.onState(state => states.push(state))
    const to = await cluster.move('board:a:sync')
    await until(async () => JSON.stringify(await listeners(to)) === '["board:a:sync"]')
    await until(() => {
      one.publish('board:a:sync', bytes('after'))
      return heard.includes('after')
    })
    await until(() => other.state === 'up')
    expect(states).toEqual(['down', 'up'])
  },
  patience.timeout,
)

test(
  'a server that dies takes the bus down; when it is back, all is subscribed to before the bus counts as up',
  async () => {
    const cluster = use(await startRedisCluster())
    const { bus, logged } = connect(cluster.url)
    await until(() => bus.state === 'up')
    const heard = await listen(bus, 'board:a:sync')
    const dying = await cluster.holderOf('board:a:sync')
    await dying.halt()
    await until(() => bus.state === 'down')
    expect(await bus.kept('g')).toBeUndefined()
    const later = await listen(bus, 'board:b:sync')
    await dying.start()
    const told = new Promise<void>(resolve => {
      bus.onState(state => {
        if (state === 'down') return
        for (const board of ['a', 'b']) bus.publish(`board:${board}:sync`, bytes('back'))
        resolve()
      })
    })
    await told
    await until(() => heard.includes('back') && later.includes('back'))
    expect(logged.filter(line => line.includes('"level":50'))).toEqual([])
  },
  patience.timeout,
)

test(
  'of several addresses one that answers is enough',
  async () => {
    const cluster = use(await startRedisCluster())
    const absent = use(await absentRedis())
    const { bus } = connect(`${absent.url},${cluster.servers[2]?.url}`)
    await until(() => bus.state === 'up')
    const heard = await listen(bus, 'board:a:sync')
    bus.publish('board:a:sync', bytes('1'))
    await until(() => heard.includes('1'))
  },
  patience.timeout,
)

test('several addresses that are no Cluster are told of, and not used', async () => {
  const [one, other] = [use(await startRedis()), use(await startRedis())]
  const { bus, logged } = connect(`${one.url},${other.url}`)
  await until(() => logged.length > 0)
  expect(logged.join()).toContain('cluster support disabled')
  expect(bus.state).toBe('down')
})
