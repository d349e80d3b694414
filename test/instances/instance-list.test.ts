/** What /ready and /metrics tell an operator of all instances. */

import { expect, test } from 'vitest'
import type { RunningInstance } from '../../ops/instance-list.ts'
import { onRedis } from '../kit/on-redis.ts'
import { releasing } from '../kit/releasing.ts'
import { freshBoard, type Site } from '../kit/site.ts'
import { until } from '../kit/until.ts'

const use = releasing()
const shared = onRedis(use)

async function start(settings: Record<string, string> = {}): Promise<Site> {
  return (await shared.startOnRedis({ settings })).site
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

test('every instance tells of all that run, oldest first, until they end', { timeout: 120_000 }, async () => {
  const one = await start()
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

test('how many boards people of several instances share shows on each', { timeout: 120_000 }, async () => {
  const [one, other] = [await start(), await start()]
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
  timeout: 120_000,
}, async () => {
  const [one, other] = [await start(), await start()]
  await sees(one, 'all', 'all')
  shared.redis.pause()
  const hanging = await readyOf(one)
  expect([hanging.ready, hanging.instances.length]).toEqual([true, 2])
  await until(async () => (await readyOf(one)).partial && (await instancesOf(one)).length === 1)
  shared.redis.resume()
  await sees(one, 'all', 'all')
  await sees(other, 'all', 'all')
  expect((await readyOf(one)).partial).toBeUndefined()
})

test('without Redis an instance is the only one it knows of, and misses nobody', async () => {
  const site = await shared.start()
  const ready = await readyOf(site)
  expect([ready.instances.length, ready.partial]).toEqual([1, undefined])
})
