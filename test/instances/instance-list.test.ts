/** What /ready and /metrics tell an operator of all instances. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { Secret } from '../../core/base/secret.ts'
import { createRedisBus } from '../../core/bus/redis.ts'
import type { Storage } from '../../core/store/storage.ts'
import type { RunningInstance } from '../../ops/instance-list.ts'
import { type Redis, startRedis } from '../kit/redis.ts'
import { releasing, type Stoppable } from '../kit/releasing.ts'
import { embeddedStorage, freshBoard, Site, silent } from '../kit/site.ts'
import { until } from '../kit/until.ts'

const use = releasing()
let storage: Storage & Stoppable
let redis: Redis
beforeAll(async () => {
  storage = await embeddedStorage()
  redis = await startRedis()
}, 120_000)
afterAll(async () => {
  await redis.stop()
  await storage.stop()
})

async function start(settings: Record<string, string> = {}): Promise<Site> {
  const bus = use(createRedisBus(new Secret(redis.url), silent), given => given.close())
  const site = await Site.start({ storage, bus, settings, applies: false })
  await until(() => bus.state === 'up')
  return site
}

interface Ready {
  ready: boolean
  instances: RunningInstance[]
  partial?: true
}
const readyOf = async (site: Site): Promise<Ready> => (await site.ask('GET', '/ready')).json()
const instancesOf = async (site: Site) => (await readyOf(site)).instances
const sees = (site: Site, ...roles: string[]) =>
  until(async () => JSON.stringify((await instancesOf(site)).map(({ role }) => role)) === JSON.stringify(roles))

test('every instance tells of all that run, oldest first, until they end', { timeout: 30_000 }, async () => {
  const one = use(await start())
  const other = await start({ ROLE: 'api', DATABASE_URL: 'postgres://unused' })
  await sees(one, 'all', 'api')
  await sees(other, 'all', 'api')
  const [seen, itself] = [(await instancesOf(one))[1], (await instancesOf(other))[1]]
  expect({ ...seen, connections: 0 }).toEqual({ ...itself, connections: 0 })
  expect(itself).toMatchObject({ version: expect.stringMatching(/^\d/), draining: false, rooms: 0, rooms_shared: 0 })
  expect(new Date(itself?.since ?? '').getTime()).toBeLessThanOrEqual(Date.now())
  expect((await one.ask('GET', '/metrics')).body).toMatch(/^boardsync_instances 2$/m)
  await other.stop()
  await sees(one, 'all')
})

test('how many boards people of several instances share shows on each', { timeout: 30_000 }, async () => {
  const [one, other] = [use(await start()), use(await start())]
  const [shared, alone] = [freshBoard(), freshBoard()]
  for (const [site, board] of [
    [one, shared],
    [other, shared],
    [one, alone],
  ] as const) {
    const client = use(await site.join(board))
    client.awareness.setLocalState({ user: { name: 'Somebody' } })
  }
  await until(async () => (await one.ask('GET', '/metrics')).body.includes('boardsync_rooms_shared 1\n'))
  await until(async () => {
    const [first, second] = await instancesOf(other)
    return first?.rooms === 2 && first.rooms_shared === 1 && first.connections === 2 && second?.rooms_shared === 1
  })
})

test('while Redis is away an instance knows of itself, and says that there may be more', {
  timeout: 30_000,
}, async () => {
  const [one, other] = [use(await start()), use(await start())]
  await sees(one, 'all', 'all')
  redis.pause()
  const hanging = await readyOf(one)
  expect([hanging.ready, hanging.instances.length]).toEqual([true, 2])
  await until(async () => (await readyOf(one)).partial && (await instancesOf(one)).length === 1)
  redis.resume()
  await sees(one, 'all', 'all')
  await sees(other, 'all', 'all')
  expect((await readyOf(one)).partial).toBeUndefined()
})

test('without Redis an instance is the only one it knows of, and misses nobody', async () => {
  const site = use(await Site.start({ storage }))
  const ready = await readyOf(site)
  expect([ready.instances.length, ready.partial]).toEqual([1, undefined])
})
