/** Sockets and REST as processes of their own, on one Postgres and one Redis. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { decided } from '../kit/decided.ts'
import { type Instance, startInstance } from '../kit/instance.ts'
import { type Postgres, startPostgres } from '../kit/postgres.ts'
import { absentRedis, type Redis, startRedis } from '../kit/redis.ts'
import { releasing } from '../kit/releasing.ts'
import { connectStock } from '../kit/stock-client.ts'
import { until } from '../kit/until.ts'

const use = releasing()
const useForAll = releasing(afterAll)

let postgres: Postgres
let redis: Redis
beforeAll(async () => {
  postgres = useForAll(await startPostgres())
  redis = useForAll(await startRedis())
})

const post = (at: Instance, board: string, item: { id: string }) =>
  decided(() =>
    fetch(`${at.url}/v1/boards/${board}/items`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': item.id },
      body: JSON.stringify({ type: 'sticky', ...item }),
    }),
  )

interface Health {
  status: string
  bus: string
}
const healthOf = async (at: Instance) => (await (await fetch(`${at.url}/health`)).json()) as Health

/** How many changes this instance was told of so. */
async function foundBy(at: Instance, by: 'message' | 'sweep'): Promise<number> {
  const metrics = await (await fetch(`${at.url}/metrics`)).text()
  return Number(new RegExp(`^boardsync_item_changes_found_total\\{by="${by}"\\} (\\d+)$`, 'm').exec(metrics)?.[1] ?? 0)
}

async function startBoth(settings: Record<string, string>): Promise<{ ws: Instance; api: Instance }> {
  const [ws, api] = await Promise.all([
    startInstance({ ...settings, ROLE: 'ws' }),
    startInstance({ ...settings, ROLE: 'api' }),
  ])
  return { ws: use(ws), api: use(api) }
}

test('what is posted to the api instance is on the board of the ws instance, which was told of it, and answered 201', {
  timeout: 120_000,
}, async () => {
  const { ws, api } = await startBoth({ DATABASE_URL: await postgres.createDatabase(), REDIS_URL: redis.url })
  await until(async () => (await healthOf(ws)).bus === 'up' && (await healthOf(api)).bus === 'up')
  const bob = use(connectStock(ws.wsUrl, 'roles'))
  await bob.synced

  for (let x = 0; x < 7; x++) {
    const answer = await post(api, 'roles', { id: `item-${x}` })
    expect(answer.status).toBe(201)
    await until(bob.doc, () => bob.doc.getMap('tldraw').has(`shape:item-${x}`))
  }
  // The sweep, which finds every second what nobody was told of, may have come first now and then.
  expect(await foundBy(ws, 'message')).toBeGreaterThan(0)
})

test('both start without Redis, say so, make every change, and use it when it comes', {
  timeout: 120_000,
}, async () => {
  const late = use(await absentRedis())
  const { ws, api } = await startBoth({ DATABASE_URL: await postgres.createDatabase(), REDIS_URL: late.url })
  for (const instance of [ws, api]) expect(await healthOf(instance)).toMatchObject({ status: 'degraded', bus: 'down' })
  expect((await post(api, 'late', { id: 'a' })).status).toBe(201)

  await late.start()
  for (const instance of [ws, api]) {
    await until(async () => (await healthOf(instance)).status === 'ok')
  }
  expect((await post(api, 'late', { id: 'b' })).status).toBe(201)

  late.pause()
  for (const instance of [ws, api]) {
    await until(async () => (await healthOf(instance)).bus === 'down')
  }
  expect((await post(api, 'late', { id: 'c' })).status).toBe(201)
  expect(await ws.kill('SIGTERM')).toEqual({ code: 0, signal: null })
  expect(await api.kill('SIGTERM')).toEqual({ code: 0, signal: null })
})
