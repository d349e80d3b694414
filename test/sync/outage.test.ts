/** A real Postgres that goes away and comes back under a real process, and two processes that share one. */

import { Client } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type * as Y from 'yjs'
import { decided } from '../kit/decided.ts'
import { type Instance, startInstance } from '../kit/instance.ts'
import { type Postgres, startPostgres } from '../kit/postgres.ts'
import { connectRaw } from '../kit/raw-client.ts'
import { releasing } from '../kit/releasing.ts'
import { connectStock } from '../kit/stock-client.ts'
import { until } from '../kit/until.ts'

const use = releasing()
let postgres: Postgres
beforeAll(async () => {
  postgres = await startPostgres()
})
afterAll(() => postgres.stop())

const shapes = (doc: Y.Doc) => doc.getMap<unknown>('tldraw')

async function rows<R>(url: string, sql: string): Promise<R[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

const health = async ({ url }: Instance) => (await fetch(`${url}/health`)).json()

test.each(['fast', 'immediate'] as const)(
  'while Postgres is down (%s) the process lives, awareness goes on, edits wait; they are committed once when it is back',
  async how => {
    const database = await postgres.createDatabase()
    const instance = use(await startInstance({ DATABASE_URL: database, LOG_LEVEL: 'fatal' }))
    const [alice, bob] = [connectStock(instance.wsUrl, 'board-1'), connectStock(instance.wsUrl, 'board-1')].map(
      client => use(client),
    )
    if (!alice || !bob) throw new Error('two clients')
    await Promise.all([alice.synced, bob.synced])
    shapes(alice.doc).set('shape:before', 1)
    await until(bob.doc, () => shapes(bob.doc).has('shape:before'))

    await postgres.halt(how)
    shapes(alice.doc).set('shape:meanwhile', 1)
    shapes(alice.doc).delete('shape:before')
    await until(async () => (await fetch(`${instance.url}/ready`)).status === 503)
    expect(await health(instance)).toMatchObject({ status: 'degraded', storage: 'down', bus: 'up' })
    alice.awareness.setLocalState({ user: { name: 'Alice' } })
    await until(() => bob.awareness.getStates().get(alice.doc.clientID)?.user?.name === 'Alice')
    const stranger = use(await connectRaw(`${instance.wsUrl}/another-board`))
    expect((await stranger.closed).code).toBe(1013)
    shapes(bob.doc).set('shape:by-bob', 1)
    expect(shapes(bob.doc).has('shape:meanwhile')).toBe(false)

    await postgres.start()
    await until(bob.doc, () => shapes(bob.doc).has('shape:meanwhile'))
    await until(alice.doc, () => shapes(alice.doc).has('shape:by-bob'))
    await until(async () => (await fetch(`${instance.url}/ready`)).status === 200)
    expect(await health(instance)).toMatchObject({ status: 'ok', storage: 'up' })
    expect([alice.codes, bob.codes]).toEqual([[], []])
    const late = use(connectStock(instance.wsUrl, 'board-1'))
    await late.synced
    expect(shapes(late.doc).toJSON()).toEqual({ 'shape:meanwhile': 1, 'shape:by-bob': 1 })
    const stored = await rows<{ head_seq: string; rows: string; different: string }>(
      database,
      `SELECT head_seq, (SELECT count(*) FROM boardsync.board_updates) AS rows,
         (SELECT count(DISTINCT data) FROM boardsync.board_updates) AS different FROM boardsync.boards`,
    )
    expect(stored[0]?.different).toBe(stored[0]?.rows)
  },
  60_000,
)

test('two instances on one Postgres without a bus converge within 5 s, whoever edits', async () => {
  const DATABASE_URL = await postgres.createDatabase()
  const instances = await Promise.all([startInstance({ DATABASE_URL }), startInstance({ DATABASE_URL })])
  const clients = instances.map(instance => use(connectStock(use(instance).wsUrl, 'board-1')))
  const [alice, bob] = clients
  if (!alice || !bob) throw new Error('two clients')
  await Promise.all(clients.map(({ synced }) => synced))
  for (let round = 0; round < 3; round++) {
    for (let shape = 0; shape < 30; shape++) {
      shapes(alice.doc).set(`shape:a-${round}-${shape}`, round)
      shapes(bob.doc).set(`shape:b-${round}-${shape}`, round)
    }
    await until(() => clients.every(({ doc }) => shapes(doc).size === 60 * (round + 1)), { timeout: 5_000 })
  }
  // Also what REST takes in at one of them reaches the people at the other.
  const posted = await decided(() =>
    fetch(`${instances[0].url}/v1/boards/board-1/items`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': 'posted' },
      body: JSON.stringify({ id: 'posted', type: 'sticky', x: 1, y: 2, content: { text: 'from REST' } }),
    }),
  )
  expect(posted.status).toBe(201)
  await until(() => clients.every(({ doc }) => shapes(doc).has('shape:posted')), { timeout: 5_000 })
  expect(shapes(alice.doc).toJSON()).toEqual(shapes(bob.doc).toJSON())
}, 120_000)

test('a busy board is compacted: at most 300 rows in its log, everything still there', async () => {
  const DATABASE_URL = await postgres.createDatabase()
  const settings = { DATABASE_URL, SNAPSHOT_DEBOUNCE_MS: '100', SNAPSHOT_MAX_WAIT_MS: '1000' }
  const instance = use(await startInstance(settings))
  const [alice, bob] = [use(connectStock(instance.wsUrl, 'board-1')), use(connectStock(instance.wsUrl, 'board-1'))]
  await Promise.all([alice.synced, bob.synced])
  for (let edits = 0; edits < 400; edits++) {
    shapes(alice.doc).set('shape:moved', edits)
    await until(bob.doc, () => shapes(bob.doc).get('shape:moved') === edits)
  }
  const counts = () =>
    rows<{ head_seq: string; snapshot_seq: string; log: string; snapshots: string }>(
      DATABASE_URL,
      `SELECT head_seq, snapshot_seq, (SELECT count(*) FROM boardsync.board_updates) AS log,
         (SELECT count(*) FROM boardsync.canvas_snapshots) AS snapshots FROM boardsync.boards`,
    )
  const isCompacted = async () => {
    const [now] = await counts()
    return now?.snapshot_seq === '400' && Number(now.log) <= 300 && Number(now.snapshots) <= 2
  }
  await until(isCompacted, { what: 'a snapshot of everything, and a short log' })
  const late = use(connectStock(instance.wsUrl, 'board-1'))
  await late.synced
  expect(shapes(late.doc).get('shape:moved')).toBe(399)
}, 120_000)

test('/health and /metrics have what operators were promised', async () => {
  const instance = use(await startInstance())
  const alice = use(connectStock(instance.wsUrl, 'board-1'))
  await alice.synced
  expect(await health(instance)).toEqual({
    status: 'ok',
    rooms: 1,
    connections: 1,
    storage: 'up',
    bus: 'up',
    version: expect.stringMatching(/^\d+\.\d+\.\d+/),
  })
  const answer = await fetch(`${instance.url}/metrics`)
  expect(answer.headers.get('content-type')).toContain('text/plain')
  const metrics = await answer.text()
  for (const name of [
    'boardsync_connections 1',
    'boardsync_rooms 1',
    'boardsync_log_lag_seconds 0',
    'boardsync_commit_seconds_bucket',
    'boardsync_snapshot_seconds_bucket',
    'boardsync_snapshot_bytes_total',
    'boardsync_room_discards_total',
    'boardsync_refusals_total',
    'boardsync_item_changes_total',
    'nodejs_eventloop_lag_seconds',
  ]) {
    expect(metrics).toContain(name)
  }
  for (const name of ['frames_in', 'bytes_in', 'frames_out', 'bytes_out']) {
    expect(metrics).toMatch(new RegExp(`^boardsync_${name}_total [1-9]`, 'm'))
  }
})
