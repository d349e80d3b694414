/** Published changes while the instance that takes them in dies, or stands still: each is made at most once, and it goes on. */

import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { decided } from '../kit/decided.ts'
import { type Instance, startInstance } from '../kit/instance.ts'
import { type Postgres, startPostgres } from '../kit/postgres.ts'
import { type Redis, startRedis } from '../kit/redis.ts'
import { releasing } from '../kit/releasing.ts'
import { until } from '../kit/until.ts'

const use = releasing()
const forAll = releasing(afterAll)

let postgres: Postgres
let redis: Redis
beforeAll(async () => {
  postgres = forAll(await startPostgres())
  redis = forAll(await startRedis())
})

const sticky = (x: number) => ({ action: 'create', item: { type: 'sticky', x } })
const publish = (board: string, message: object) =>
  redis.client.publish(`board:${board}:updates`, JSON.stringify(message))
/** Where the items are, each by its x. */
async function placesOn(at: Instance, board: string): Promise<number[]> {
  const answer = await fetch(`${at.url}/v1/boards/${board}/items?limit=500`)
  const { items } = (await answer.json()) as { items: { x: number }[] }
  return items.map(item => item.x).sort((a, b) => a - b)
}

async function startSeveral(count: number): Promise<Instance[]> {
  const settings = { DATABASE_URL: await postgres.createDatabase(), REDIS_URL: redis.url }
  const instances = await Promise.all(Array.from({ length: count }, () => startInstance(settings)))
  for (const instance of instances) {
    use(instance)
    await until(async () => (await (await fetch(`${instance.url}/health`)).text()).includes('"bus":"up"'))
  }
  return instances
}

async function makeBoard(at: Instance, board: string): Promise<void> {
  const headers = { 'content-type': 'application/json', 'idempotency-key': board }
  const body = JSON.stringify({ type: 'sticky', x: 0 })
  const answer = await decided(() => fetch(`${at.url}/v1/boards/${board}/items`, { method: 'POST', headers, body }))
  expect(answer.status).toBe(201)
}

/** Publishes again and again, each time another x, until one of them is on the board. */
async function takenAgain(at: Instance, board: string, from: number): Promise<void> {
  let x = from
  await until(async () => {
    await publish(board, sticky(x++))
    return (await placesOn(at, board)).some(place => place >= from)
  })
}

const isOnce = (places: number[]) => new Set(places).size === places.length

test('an instance that is killed while it takes them in: none is made twice, and another one goes on within seconds', {
  timeout: 120_000,
}, async () => {
  const [survivor, ...others] = await startSeveral(3)
  if (!survivor) throw new Error('three instances were started')
  const board = 'killed'
  await makeBoard(survivor, board)
  for (const [round, instance] of others.entries()) {
    const from = round * 1_000 + 1
    for (let x = from; x < from + 50; x++) await publish(board, sticky(x))
    await instance.kill('SIGKILL')
    await takenAgain(survivor, board, from + 50)
    expect(isOnce(await placesOn(survivor, board))).toBe(true)
  }
})

test('an instance that stood still takes nothing in that another one had taken in long ago', {
  timeout: 120_000,
}, async () => {
  const [one, other] = await startSeveral(2)
  if (!one || !other) throw new Error('two instances were started')
  const board = `still-${randomUUID()}`
  await makeBoard(one, board)
  process.kill(other.pid, 'SIGSTOP')
  await publish(board, sticky(1))
  await until(async () => (await placesOn(one, board)).includes(1))
  await one.kill('SIGKILL')
  await until(async () => (await redis.client.exists(`boardsync:intake:${board}`)) === 0)
  process.kill(other.pid, 'SIGCONT')
  await takenAgain(other, board, 2)
  const places = await placesOn(other, board)
  expect(isOnce(places)).toBe(true)
  expect(places.slice(0, 2)).toEqual([0, 1])
})
