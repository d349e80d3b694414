/** Redis stands still, is told to pause, or dies and returns while people edit on two instances and agents post: nobody notices. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { decided } from '../kit/decided.ts'
import { type Postgres, startPostgres } from '../kit/postgres.ts'
import { type Redis, startRedis } from '../kit/redis.ts'
import { releasing } from '../kit/releasing.ts'
import { Seat } from '../kit/seat.ts'
import { connectStock, type StockClient } from '../kit/stock-client.ts'
import { until } from '../kit/until.ts'

const use = releasing()
const forAll = releasing(afterAll)

let postgres: Postgres
let redis: Redis
let seats: Seat[]
beforeAll(async () => {
  postgres = forAll(await startPostgres())
  redis = forAll(await startRedis())
  const settings = { DATABASE_URL: await postgres.createDatabase(), REDIS_URL: redis.url }
  seats = await Promise.all([Seat.take(settings), Seat.take(settings)])
  for (const seat of seats) forAll(seat)
  await bus('up')
})

const bus = async (state: 'up' | 'down') => {
  for (const seat of seats)
    await until(async () => (await seat.health()).bus === state, { what: `a bus that is ${state}` })
}
const linesOf = ({ doc }: StockClient) => doc.getArray<string>('lines').toJSON() as string[]

/** Somebody who adds a line every few milliseconds, until told to stop. */
async function writer(at: Seat, board: string, name: string) {
  const client = use(connectStock(at.instance.wsUrl, board))
  await client.synced
  let written = 0
  const timer = setInterval(() => client.doc.getArray('lines').push([`${name}-${++written}`]), 25)
  use(timer, clearInterval)
  return {
    client,
    stop: () => clearInterval(timer),
    lines: () => Array.from({ length: written }, (_, n) => `${name}-${n + 1}`),
    /** Resolves when all that was written by now is with somebody else. */
    async seenBy({ client: other }: { client: StockClient }) {
      const last = `${name}-${written + 1}`
      await until(other.doc, () => linesOf(other).includes(last), { what: `${last} at the other instance` })
    },
  }
}

async function post(at: Seat, board: string, x: number): Promise<void> {
  const answer = await decided(() =>
    fetch(`${at.instance.url}/v1/boards/${board}/items`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': `${x}` },
      body: JSON.stringify({ type: 'sticky', x }),
    }),
  )
  expect(answer.status).toBe(201)
  await answer.arrayBuffer()
}

/** `down`: whether the fault is one that `/health` has to tell of. */
const faults: [string, { begin(): unknown; end(): unknown; down: boolean }][] = [
  ['stands still', { begin: () => redis.pause(), end: () => redis.resume(), down: true }],
  [
    'is told to answer nobody (CLIENT PAUSE)',
    { begin: () => redis.client.call('CLIENT', 'PAUSE', '10000', 'ALL'), end: () => undefined, down: true },
  ],
  ['is killed and comes back', { begin: () => redis.halt(), end: () => redis.start(), down: true }],
  [
    'ends every connection',
    {
      begin: () => redis.client.call('CLIENT', 'KILL', 'SKIPME', 'yes'),
      end: () => undefined,
      down: false,
    },
  ],
]

test.each(faults)(
  'Redis %s: edits and posts of that time are everywhere, once',
  { timeout: 120_000 },
  async (what, fault) => {
    const board = `redis-${faults.findIndex(([name]) => name === what)}`
    const [one, other] = seats as [Seat, Seat]
    const [alice, bob] = [await writer(one, board, 'alice'), await writer(other, board, 'bob')]
    await alice.seenBy(bob)

    await fault.begin()
    await post(one, board, 1)
    if (fault.down) await bus('down')
    await Promise.all([alice.seenBy(bob), bob.seenBy(alice)])
    await post(other, board, 2)
    await fault.end()
    await bus('up')
    await Promise.all([alice.seenBy(bob), bob.seenBy(alice)])
    await post(one, board, 3)

    for (const { stop } of [alice, bob]) stop()
    const all = [...alice.lines(), ...bob.lines()].sort()
    const both = [alice.client, bob.client]
    for (const client of both) {
      await until(client.doc, () => linesOf(client).length >= all.length, { what: 'all lines' })
      expect([...linesOf(client)].sort()).toEqual(all)
      await until(client.doc, () => client.doc.getMap('tldraw').size >= 5, { what: 'three items, a page, a document' })
    }
    expect(both.map(linesOf)[0]).toEqual(both.map(linesOf)[1])
    expect(both.flatMap(({ codes }) => codes)).toEqual([])
    const answer = await fetch(`${other.instance.url}/v1/boards/${board}/items`)
    const { items } = (await answer.json()) as { items: { x: number }[] }
    expect(items.map(({ x }) => x).sort()).toEqual([1, 2, 3])
  },
)
