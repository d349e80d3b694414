/** One of two instances is cut off, from Redis, from Postgres or from both: people go on, callers hear the truth, all converge. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { decided } from '../kit/decided.ts'
import { type Postgres, startPostgres } from '../kit/postgres.ts'
import type { Proxy as Link } from '../kit/proxy.ts'
import { type Redis, startRedis } from '../kit/redis.ts'
import { releasing } from '../kit/releasing.ts'
import { Seat } from '../kit/seat.ts'
import { connectStock, type StockClient } from '../kit/stock-client.ts'
import { until } from '../kit/until.ts'

const use = releasing()
const forAll = releasing(afterAll)

let postgres: Postgres
let redis: Redis
let cut: Seat
let whole: Seat
let api: Seat
beforeAll(async () => {
  postgres = forAll(await startPostgres())
  redis = forAll(await startRedis())
  const settings = { DATABASE_URL: await postgres.createDatabase(), REDIS_URL: redis.url }
  const taken = await Promise.all([Seat.take(settings), Seat.take(settings), Seat.take({ ...settings, ROLE: 'api' })])
  for (const seat of taken) forAll(seat)
  ;[cut, whole, api] = taken
})

const post = (at: Seat, board: string, id: string) =>
  fetch(`${at.instance.url}/v1/boards/${board}/items`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': id },
    body: JSON.stringify({ type: 'sticky', id }),
  })
const posted = (at: Seat, board: string, id: string) => decided(() => post(at, board, id))

const itemsOn = async (at: Seat, board: string): Promise<string[]> => {
  const answer = await fetch(`${at.instance.url}/v1/boards/${board}/items`)
  return ((await answer.json()) as { items: { id: string }[] }).items.map(item => item.id).sort()
}
const isOk = (seat: Seat) =>
  until(async () => (await seat.health()).status === 'ok', { what: 'an instance that is ok' })

async function join(at: Seat, board: string, name: string): Promise<StockClient> {
  const client = use(connectStock(at.instance.wsUrl, board))
  await client.synced
  client.awareness.setLocalStateField('user', { name })
  return client
}
const edit = (client: StockClient, what: string) => client.doc.getArray('edits').push([what])
const editsOf = ({ doc }: StockClient) => doc.getArray<string>('edits').toJSON() as string[]
const hasEdit = (client: StockClient, what: string) =>
  until(client.doc, () => editsOf(client).includes(what), { what: `the edit ${what}` })
const namesSeenBy = ({ awareness }: StockClient) =>
  [...awareness.getStates().values()].map(({ user }) => user?.name).sort()

const how = {
  refused: (link: Link) => link.refuse(),
  silent: (link: Link) => link.stall(),
}
const heal = (seat: Seat) => {
  for (const link of Object.values(seat.links)) {
    // What was silent has missed too much to go on where it was: packets of such a connection are dropped.
    link.cut()
    link.resume()
  }
}

/** Alice and Carol are on the instance that is cut off, Bob on the other one. */
async function gather(board: string) {
  const alice = await join(cut, board, 'Alice')
  const carol = await join(cut, board, 'Carol')
  const bob = await join(whole, board, 'Bob')
  edit(alice, 'before')
  for (const client of [bob, carol]) await hasEdit(client, 'before')
  return { alice, bob, carol }
}

/** All is well again: everyone has every edit once and sees everyone. */
async function converged(clients: readonly StockClient[], edits: readonly string[]): Promise<void> {
  for (const seat of [cut, whole, api]) await isOk(seat)
  for (const client of clients) {
    for (const what of edits) await hasEdit(client, what)
    await until(() => namesSeenBy(client).length === clients.length, { what: 'everyone to be seen', timeout: 20_000 })
    expect(namesSeenBy(client)).toEqual(['Alice', 'Bob', 'Carol'])
  }
  for (const client of clients) {
    expect(editsOf(client)).toEqual(editsOf(clients[0] as StockClient))
    expect([...editsOf(client)].sort()).toEqual([...edits].sort())
  }
}

describe.each(['refused', 'silent'] as const)('connections are %s:', manner => {
  test('cut off from Redis, everything goes on, and says so', { timeout: 120_000 }, async () => {
    const board = `redis-${manner}`
    const { alice, bob, carol } = await gather(board)
    how[manner](cut.links.redis)
    edit(alice, 'from the cut side')
    edit(bob, 'from the whole side')
    await hasEdit(bob, 'from the cut side')
    await hasEdit(alice, 'from the whole side')
    await until(async () => {
      const { status, storage, bus } = await cut.health()
      return status === 'degraded' && storage === 'up' && bus === 'down'
    })
    await isOk(whole)
    for (const [seat, id] of [
      [cut, 'at-cut'],
      [whole, 'at-whole'],
    ] as const) {
      expect((await posted(seat, board, id)).status).toBe(201)
    }
    await until(bob.doc, () => bob.doc.getMap('tldraw').has('shape:at-cut'))
    await until(alice.doc, () => alice.doc.getMap('tldraw').has('shape:at-whole'))

    heal(cut)
    await converged([alice, bob, carol], ['before', 'from the cut side', 'from the whole side'])
    expect([alice.codes, bob.codes, carol.codes].flat()).toEqual([])
  })

  test.each([
    ['Postgres', ['postgres']],
    ['both', ['postgres', 'redis']],
  ] as const)(
    'cut off from %s, nobody sees what is not stored; when it heals, all of it is there',
    {
      timeout: 90_000,
    },
    async (what, links) => {
      const board = `${what}-${manner}`
      const { alice, bob, carol } = await gather(board)
      for (const link of links) how[manner](cut.links[link])
      edit(alice, 'from the cut side')
      edit(bob, 'from the whole side')
      await until(async () => (await cut.health()).storage === 'down')
      if (what === 'both') await until(async () => (await cut.health()).bus === 'down')
      else await hasEdit(alice, 'from the whole side')
      expect((await fetch(`${cut.instance.url}/ready`)).status).toBe(503)

      const refused = await post(cut, board, 'at-cut')
      expect(refused.status).toBe(503)
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
      expect((await posted(whole, board, 'at-whole')).status).toBe(201)
      edit(alice, 'still cut off')
      for (const client of [bob, carol]) expect(editsOf(client).join()).not.toMatch(/cut/)
      expect(await itemsOn(whole, board)).toEqual(['at-whole'])

      heal(cut)
      await until(async () => (await post(cut, board, 'at-cut')).status === 201)
      await converged([alice, bob, carol], ['before', 'from the cut side', 'from the whole side', 'still cut off'])
      for (const seat of [cut, whole, api]) expect(await itemsOn(seat, board)).toEqual(['at-cut', 'at-whole'])
    },
  )
})

test('a change that no instance with sockets can apply now is stored: 202, and later applied once', {
  timeout: 120_000,
}, async () => {
  const board = 'accepted'
  const bob = await join(whole, board, 'Bob')
  for (const seat of [cut, whole]) seat.links.postgres.refuse()
  const answer = await post(api, board, 'waits')
  expect(answer.status).toBe(202)
  const location = `${api.instance.url}${answer.headers.get('location')}`
  const status = async () => ((await (await fetch(location)).json()) as { status: string }).status
  expect(await status()).toBe('pending')

  for (const seat of [cut, whole]) heal(seat)
  await until(async () => (await status()) === 'applied')
  await until(bob.doc, () => bob.doc.getMap('tldraw').has('shape:waits'))
  expect((await post(api, board, 'waits')).status).toBe(201)
  expect(await itemsOn(api, board)).toEqual(['waits'])
})
