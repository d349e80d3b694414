/** Credentials are where they were sent and nowhere else: not in a log, an error, a metric, a page, Redis or a row. */

import { createHash } from 'node:crypto'
import { Redis as RedisClient } from 'ioredis'
import { Client } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Instance, startInstance } from '../kit/instance.ts'
import { type Postgres, startPostgres } from '../kit/postgres.ts'
import { connectRaw, type RawOptions } from '../kit/raw-client.ts'
import { type Redis, startRedis } from '../kit/redis.ts'
import { releasing } from '../kit/releasing.ts'
import { adminKey, bearer, cookieOf, inSeconds, settings, token } from './signing.ts'

const use = releasing(afterAll)
const board = 'leaks'
let instance: Instance
let postgres: Postgres
let redis: Redis
let database: string
const heardOnRedis: string[] = []
/** All that clients were told, but for the one answer each that hands a new secret out. */
const told: string[] = []

beforeAll(async () => {
  postgres = use(await startPostgres({ fsync: false }))
  redis = use(await startRedis())
  database = await postgres.createDatabase()
  const listener = use(new RedisClient(redis.url), client => client.disconnect())
  const monitor = use(await listener.monitor(), client => client.disconnect())
  monitor.on('monitor', (_time: string, parts: string[]) => heardOnRedis.push(parts.join(' ')))
  instance = use(await startInstance({ ...settings, DATABASE_URL: database, REDIS_URL: redis.url, LOG_LEVEL: 'trace' }))
}, 120_000)

async function ask(method: string, path: string, headers: Record<string, string>, body?: object) {
  const answer = await fetch(instance.url + path, {
    method,
    headers: { ...headers, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  })
  const text = await answer.text()
  const json = text.startsWith('{') ? JSON.parse(text) : {}
  const handsOut = answer.status === 201 && ('key' in json || 'ticket' in json)
  told.push(handsOut ? '' : text, ...[...answer.headers].filter(([name]) => name !== 'set-cookie').flat())
  return { status: answer.status, json, cookie: cookieOf(answer.headers.get('set-cookie')) }
}

async function connect(path: string, options: RawOptions = {}): Promise<void> {
  const client = await connectRaw(`${instance.wsUrl}/${path}`, options)
  const spoken = await Promise.race([client.frame(() => true), client.closed])
  told.push(
    spoken instanceof Uint8Array ? Buffer.from(spoken).toString('latin1') : spoken.reason,
    client.socket.protocol,
  )
  client.stop()
}

/** Shown in every place that a credential may stand in, and in some where it may not. */
async function showEverywhere(credential: string): Promise<void> {
  const items = `/v1/boards/${board}/items`
  const encoded = encodeURIComponent(credential)
  await ask('GET', items, bearer(credential))
  await ask('GET', items, { 'x-api-key': credential })
  await ask('GET', `${items}?token=${encoded}`, {})
  await ask('GET', `/b/${board}?token=${encoded}`, {})
  await ask('GET', `/v1/boards/${encoded}/items`, bearer(credential))
  await ask('POST', items, bearer(credential), { type: 'sticky', id: 'a b' })
  await ask('GET', `/%${encoded}`, bearer(credential))
  await ask('GET', items, { cookie: `boardsync_session=${credential}` })
  await ask('POST', '/v1/session', { ...bearer(credential), origin: 'https://evil.example' })
  await connect(board, { headers: bearer(credential) })
  await connect(board, { headers: { 'x-api-key': credential } })
  await connect(board, { protocols: ['boardsync', `bearer.${credential}`] })
  await connect(`${board}?token=${encoded}`)
  await connect(`${board}?apiKey=${encoded}`)
  await connect(`not.a.board?apiKey=${encoded}`)
}

test('no credential is anywhere it was not sent to', { timeout: 120_000 }, async () => {
  const admin = bearer(adminKey)
  const { key } = (await ask('POST', `/v1/boards/${board}/keys`, admin, { role: 'write' })).json
  const { ticket } = (await ask('POST', `/v1/boards/${board}/tickets`, admin)).json
  const { ticket: forSession } = (await ask('POST', `/v1/boards/${board}/tickets`, bearer(key))).json
  const cookie = (await ask('POST', '/v1/session', bearer(forSession))).cookie
  const session = cookie.replace('boardsync_session=', '')
  const jwt = await token({ [board]: 'write' })
  const expired = await token({ [board]: 'write' }, { exp: inSeconds(-60) })
  // Rows that rest on settings: a session of each, and a ticket that stays.
  for (const credential of [adminKey, jwt]) await ask('POST', '/v1/session', bearer(credential))
  await ask('POST', `/v1/boards/${board}/tickets`, admin)
  await ask('GET', `/v1/boards/${board}/items`, { cookie })
  await connect(board, { headers: { cookie }, origin: instance.url })
  const shown = [key, ticket, jwt, expired, adminKey, session, `bs_${'y'.repeat(43)}`, 'hunter2-is-no-credential']
  for (const credential of shown) await showEverywhere(credential)
  const { status } = await ask('POST', `/v1/boards/${board}/items`, bearer(key), { type: 'sticky' })
  expect(status).toBe(201)

  await ask('GET', '/metrics', {})
  await ask('GET', '/health', {})
  const places = {
    'the log': instance.output(),
    'what clients were told': told.join('\n'),
    Redis: heardOnRedis.join('\n'),
    'the database': await everyRow(),
  }
  // So that none of these is searched in vain.
  expect(places['the log']).toContain('socket refused')
  expect(places['what clients were told']).toContain('boardsync_refusals_total')
  expect(places.Redis).toContain(`board:${board}:`)
  expect(places['the database']).toContain('item_changes')

  const secrets = [...shown, forSession, settings.JWT_SECRET, ...jwt.split('.').slice(1)]
  for (const [place, text] of Object.entries(places)) {
    for (const secret of secrets) {
      for (const form of [secret, encodeURIComponent(secret), Buffer.from(secret).toString('hex')]) {
        expect(text.includes(form), `${place} has ${secret}`).toBe(false)
      }
    }
  }
  // People choose these, so that not even a plain hash of them may be kept: they could be guessed from that.
  for (const chosen of [adminKey, settings.JWT_SECRET]) {
    for (const algorithm of ['md5', 'sha1', 'sha256', 'sha512']) {
      expect(places['the database']).not.toContain(createHash(algorithm).update(chosen).digest('hex'))
    }
  }
})

/** Every row of every table as text; bytes are in hexadecimal. */
async function everyRow(): Promise<string> {
  const client = new Client(database)
  await client.connect()
  try {
    const tables = await client.query(
      "SELECT table_schema || '.' || table_name AS name FROM information_schema.tables WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')",
    )
    const lines: string[] = []
    for (const { name } of tables.rows) {
      const { rows } = await client.query(`SELECT t::text AS row FROM ${name} AS t`)
      lines.push(name, ...rows.map(({ row }) => row))
    }
    return lines.join('\n')
  } finally {
    await client.end()
  }
}
