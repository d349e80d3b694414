/** Two processes on one Postgres and one Redis, the people of a board spread over both: they do not notice. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import type * as Y from 'yjs'
import { startInstance } from '../kit/instance.ts'
import { type Postgres, startPostgres } from '../kit/postgres.ts'
import { type Redis, startRedis } from '../kit/redis.ts'
import { releasing } from '../kit/releasing.ts'
import { connectStock, type StockClient } from '../kit/stock-client.ts'
import { until } from '../kit/until.ts'

const use = releasing()
const useForAll = releasing(afterAll)

let postgres: Postgres
let redis: Redis
beforeAll(async () => {
  postgres = useForAll(await startPostgres())
  redis = useForAll(await startRedis())
})

const shapes = (doc: Y.Doc) => doc.getMap<unknown>('tldraw')

async function twoInstances() {
  const settings = { DATABASE_URL: await postgres.createDatabase(), REDIS_URL: redis.url, LOG_LEVEL: 'fatal' }
  const instances = await Promise.all([startInstance(settings), startInstance(settings)])
  for (const instance of instances) use(instance)
  const [first, second] = instances
  const [alice, bob] = [use(connectStock(first.wsUrl, 'shared')), use(connectStock(second.wsUrl, 'shared'))]
  await Promise.all([alice.synced, bob.synced])
  return { first, second, alice, bob }
}

/** One draws, the other sees it. @returns how long that took, in ms */
async function drawn(id: string, author: StockClient, observer: StockClient): Promise<number> {
  const before = performance.now()
  shapes(author.doc).set(`shape:${id}`, id)
  await until(observer.doc, () => shapes(observer.doc).has(`shape:${id}`), { what: `shape:${id}` })
  return performance.now() - before
}

test('people on different instances see each other’s edits and cursors, also while Redis is away', {
  timeout: 120_000,
}, async () => {
  const { second, alice, bob } = await twoInstances()
  const took = [await drawn('a', alice, bob), await drawn('b', bob, alice), await drawn('c', alice, bob)]
  console.log(`an edit reaches the other instance in ${took.map(ms => Math.round(ms)).join(', ')} ms`)
  alice.awareness.setLocalState({ user: { name: 'Alice' } })
  await until(() => bob.awareness.getStates().get(alice.doc.clientID)?.user?.name === 'Alice')

  await redis.halt()
  await drawn('without-redis', alice, bob)
  await drawn('nor-back', bob, alice)
  await redis.start()
  const bus = async () => ((await (await fetch(`${second.url}/health`)).json()) as { bus: string }).bus
  await until(async () => (await bus()) === 'up', { what: 'the bus to be up again' })
  await drawn('with-redis-again', alice, bob)
  expect(shapes(alice.doc).toJSON()).toEqual(shapes(bob.doc).toJSON())
})

test('who is on an instance that is killed or stopped goes on at another, and nothing seen is lost', {
  timeout: 120_000,
}, async () => {
  const { first, second, alice, bob } = await twoInstances()
  await drawn('before', alice, bob)
  await first.kill('SIGKILL')
  // An edit made while away; then the load balancer sends her elsewhere.
  shapes(alice.doc).set('shape:offline', 1)
  const moved = use(connectStock(second.wsUrl, 'shared', { doc: alice.doc, awareness: alice.awareness }))
  await until(bob.doc, () => shapes(bob.doc).has('shape:offline'))
  await drawn('after', bob, moved)
  expect(await second.kill('SIGTERM')).toEqual({ code: 0, signal: null })
  await until(() => moved.codes.length > 0)
  expect(moved.codes).toContain(1012)
})
