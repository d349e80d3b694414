/** One of three instances is told to stop while thirty people edit behind a load balancer: they move on and lose nothing. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { type LoadBalancer, startLoadBalancer } from '../kit/load-balancer.ts'
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
let balancer: LoadBalancer
beforeAll(async () => {
  postgres = forAll(await startPostgres())
  redis = forAll(await startRedis())
  const settings = { DATABASE_URL: await postgres.createDatabase(), REDIS_URL: redis.url }
  seats = await Promise.all([Seat.take(settings), Seat.take(settings), Seat.take(settings)])
  for (const seat of seats) forAll(seat)
  balancer = forAll(await startLoadBalancer(() => seats.flatMap(seat => seat.addresses)))
})

interface Person {
  client: StockClient
  board: string
  lines: string[]
}

const boards = ['draining-1', 'draining-2', 'draining-3']
const linesOf = ({ client }: Person) => client.doc.getArray<string>('lines').toJSON() as string[]

test('who is on it is sent elsewhere; every edit is there once, every cursor is somebody’s, and it exits 0', {
  timeout: 90_000,
}, async () => {
  let written = 0
  const people: Person[] = []
  for (let n = 0; n < 30; n++) {
    const board = boards[n % boards.length] as string
    const client = use(connectStock(balancer.wsUrl, board))
    await client.synced
    client.awareness.setLocalState({ user: { name: `person-${n}` }, at: 0 })
    people.push({ client, board, lines: [] })
  }
  const connections = await Promise.all(seats.map(async seat => (await seat.health()).connections))
  expect(connections).toEqual([10, 10, 10])

  const work = setInterval(() => {
    for (const { client, lines } of people) {
      if (Math.random() < 0.5) continue
      const line = `${client.doc.clientID}-${++written}`
      lines.push(line)
      client.doc.getArray('lines').push([line])
      client.awareness.setLocalStateField('at', written)
    }
  }, 50)
  use(work, clearInterval)
  await until(() => written > 200)

  const [leaving, ...staying] = seats as [Seat, ...Seat[]]
  expect(await leaving.end('SIGTERM')).toEqual({ code: 0, signal: null })
  const moved = () => people.filter(({ client }) => client.codes.length > 0)
  await until(() => moved().length === 10, { what: 'ten to be sent away' })
  expect(moved().map(({ client }) => client.codes[0])).toEqual(Array(10).fill(1012))
  await until(() => people.every(({ client }) => client.provider.synced), { what: 'everyone to be back' })
  const after = written
  await until(() => written > after + 200)
  clearInterval(work)

  for (const board of boards) {
    const together = people.filter(person => person.board === board)
    const lines = together.flatMap(person => person.lines).sort()
    for (const person of together) {
      await until(person.client.doc, () => linesOf(person).length >= lines.length, { what: 'all lines' })
      expect([...linesOf(person)].sort()).toEqual(lines)
      expect(linesOf(person)).toEqual(linesOf(together[0] as Person))
    }
    const ids = together.map(({ client }) => client.doc.clientID).sort()
    for (const { client } of together) {
      const seen = () => [...client.awareness.getStates().keys()].sort()
      await until(() => String(seen()) === String(ids), { what: `exactly those to be seen who are on ${board}` })
    }
  }
  const left = await Promise.all(staying.map(async seat => (await seat.health()).connections))
  expect(left.reduce((sum, count) => sum + count)).toBe(30)
  console.log(`thirty people after one of three instances left: ${left.join(' and ')}`)
})
