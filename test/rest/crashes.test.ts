/** Real processes that die or lose their database: what was stored is made once, whoever crashes when. */

import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { decided } from '../kit/decided.ts'
import { type Instance, startInstance } from '../kit/instance.ts'
import { type Postgres, startPostgres } from '../kit/postgres.ts'
import { releasing } from '../kit/releasing.ts'
import { connectStock } from '../kit/stock-client.ts'
import { temporaryFolder } from '../kit/temporary-folder.ts'
import { until } from '../kit/until.ts'

const use = releasing()
const useForAll = releasing(afterAll)

const headers = { 'content-type': 'application/json' }
const posted = (at: Instance, board: string, item: object, key: string) => decided(() => post(at, board, item, key))
const post = (at: Instance, board: string, item: object, key: string) =>
  fetch(`${at.url}/v1/boards/${board}/items`, {
    method: 'POST',
    headers: { ...headers, 'idempotency-key': key },
    body: JSON.stringify({ type: 'sticky', ...item }),
  })
const listed = async (at: Instance, board: string) => {
  const page = (await (await fetch(`${at.url}/v1/boards/${board}/items?limit=500`)).json()) as {
    items: { x: number }[]
  }
  return page.items
}

describe('an instance that is killed while many agents post', () => {
  test('has made each of their changes once, after they all have tried again', { timeout: 120_000 }, async () => {
    const folder = use(temporaryFolder())
    const first = use(await startInstance({ DATA_DIR: folder.path }))
    const watcher = use(connectStock(first.wsUrl, 'killed'))
    await watcher.synced
    const keys = Array.from({ length: 120 }, (_, n) => n)
    const answered = new Map<number, unknown>()
    let answers = 0
    const asked = Promise.allSettled(
      keys.map(async x => {
        const answer = await post(first, 'killed', { x }, `key-${x}`)
        if (answer.status === 201) answered.set(x, await answer.json())
        answers++
      }),
    )
    await until(() => answers > 5)
    await first.kill('SIGKILL')
    await asked
    const seen = [...watcher.doc.getMap('tldraw').keys()].filter(key => key.startsWith('shape:'))
    watcher.stop()

    const second = use(await startInstance({ DATA_DIR: folder.path }))
    const survivors = (await listed(second, 'killed')) as { id: string; x: number }[]
    for (const [x, item] of answered) expect(survivors).toContainEqual(expect.objectContaining({ x, id: idOf(item) }))
    for (const id of seen) expect(survivors.map(item => `shape:${item.id}`)).toContain(id)

    for (const x of keys) {
      const again = await posted(second, 'killed', { x }, `key-${x}`)
      expect(again.status).toBe(201)
      const item = await again.json()
      if (answered.has(x)) expect(item).toEqual(answered.get(x))
    }
    expect((await listed(second, 'killed')).map(item => item.x).sort((a, b) => a - b)).toEqual(keys)
  })
})

describe('on a Postgres server', () => {
  let postgres: Postgres
  beforeAll(async () => {
    postgres = useForAll(await startPostgres())
  })

  test('a change whose instance was killed before it was applied is applied once by the next', {
    timeout: 120_000,
  }, async () => {
    const settings = { DATABASE_URL: await postgres.createDatabase() }
    const api = use(await startInstance({ ...settings, ROLE: 'api' }))
    const answer = await post(api, 'orphaned', { id: 'a', x: 5 }, 'key')
    expect(answer.status).toBe(202)
    const location = answer.headers.get('location') ?? ''
    await api.kill('SIGKILL')

    const [one, other] = await Promise.all([startInstance(settings), startInstance(settings)])
    use(one)
    use(other)
    await until(async () => {
      const change = (await (await fetch(one.url + location)).json()) as { status: string }
      return change.status === 'applied'
    })
    expect((await posted(other, 'orphaned', { id: 'a', x: 5 }, 'key')).status).toBe(201)
    for (const instance of [one, other]) expect(await listed(instance, 'orphaned')).toMatchObject([{ id: 'a', x: 5 }])
    expect(
      await count(settings.DATABASE_URL, "SELECT head_seq::int AS n FROM boardsync.boards WHERE id = 'orphaned'"),
    ).toBe(1)
  })

  test('who waits for an answer gets it from an instance that is told to stop', { timeout: 120_000 }, async () => {
    const settings = { DATABASE_URL: await postgres.createDatabase() }
    const api = use(await startInstance({ ...settings, ROLE: 'api' }))
    const answer = post(api, 'stopped', { id: 'a' }, 'key')
    const stored = 'SELECT count(*)::int AS n FROM boardsync.item_changes'
    await until(async () => (await count(settings.DATABASE_URL, stored)) === 1)
    const exit = api.kill('SIGTERM')
    expect((await answer).status).toBe(202)
    expect(await exit).toEqual({ code: 0, signal: null })
  })

  test('a write through one instance is in the next read through another', { timeout: 120_000 }, async () => {
    const settings = { DATABASE_URL: await postgres.createDatabase() }
    const [one, other] = await Promise.all([startInstance(settings), startInstance(settings)])
    use(one)
    use(other)
    for (let x = 0; x < 40; x++) {
      const [writer, reader] = x % 2 === 0 ? [one, other] : [other, one]
      expect((await posted(writer, 'both', { x }, `key-${x}`)).status).toBe(201)
      expect(await listed(reader, 'both')).toHaveLength(x + 1)
    }
  })

  test('that is down, requests get 503 with Retry-After; when it is back, each change is made once', {
    timeout: 120_000,
  }, async () => {
    const settings = { DATABASE_URL: await postgres.createDatabase() }
    const instance = use(await startInstance(settings))
    await posted(instance, 'outage', { x: 0 }, 'before')
    await postgres.halt('immediate')
    const keys = [1, 2, 3]
    for (const x of keys) {
      const answer = await post(instance, 'outage', { x }, `key-${x}`)
      expect(answer.status).toBe(503)
      expect(answer.headers.get('content-type')).toBe('application/problem+json')
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
      await answer.arrayBuffer()
    }
    expect((await fetch(`${instance.url}/v1/boards/outage/items`)).status).toBe(503)
    await postgres.start()
    for (const x of keys) {
      await until(async () => (await post(instance, 'outage', { x }, `key-${x}`)).status === 201)
    }
    expect((await listed(instance, 'outage')).map(item => item.x).sort()).toEqual([0, ...keys])
  })
})

const idOf = (item: unknown): unknown => (item as { id: unknown }).id

async function count(url: string, query: string): Promise<number> {
  const client = new Client(url)
  await client.connect()
  try {
    return (await client.query<{ n: number }>(query)).rows[0]?.n ?? 0
  } finally {
    await client.end()
  }
}
