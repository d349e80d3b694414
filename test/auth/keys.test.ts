/** API keys: made, used, listed and revoked. */

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { releasing } from '../kit/releasing.ts'
import { freshBoard, Site } from '../kit/site.ts'
import { projectRoot } from '../kit/sources.ts'
import { connectStock } from '../kit/stock-client.ts'
import { until } from '../kit/until.ts'
import { pointersOf, refusalOf } from '../rest/refusals.ts'
import { embeddedSite, type Site as Store } from '../storage/site.ts'
import { asAdmin, bearer, makeKey, settings, signIn } from './signing.ts'

const useForAll = releasing(afterAll)
const use = releasing()
let store: Store
let site: Site
beforeAll(async () => {
  store = useForAll(await embeddedSite())
  site = useForAll(await Site.start({ storage: store.storage, settings }))
})

const keysOf = (board: string, query = '') => site.ask('GET', `/v1/boards/${board}/keys${query}`, undefined, asAdmin)
const items = (board: string) => `/v1/boards/${board}/items`

describe('a key', () => {
  test('is shown once, to who made it; what is stored is its hash', async () => {
    const board = freshBoard()
    const answer = await site.ask('POST', `/v1/boards/${board}/keys`, { role: 'write' }, asAdmin)
    expect(answer.statusCode).toBe(201)
    const { id, key, ...rest } = answer.json()
    expect(rest).toEqual({ role: 'write', created_at: expect.any(String), expires_at: null })
    expect(answer.headers).toMatchObject({ location: `/v1/boards/${board}/keys/${id}`, 'cache-control': 'no-store' })
    expect(key).toMatch(/^bs_[A-Za-z0-9_-]{43}$/)

    const listed = (await keysOf(board)).json()
    expect(listed).toEqual({ keys: [{ id, ...rest, last_used_at: null }], next: null })
    const [row] = await store.database.query<{ key_hash: Uint8Array }>(
      'SELECT key_hash FROM boardsync.api_keys WHERE id = $1',
      [id],
    )
    expect(Buffer.from(row?.key_hash ?? []).toString('hex')).toBe(createHash('sha256').update(key).digest('hex'))
  })

  test('is made once per Idempotency-Key: a repeat is told its id, and never the key again', async () => {
    const board = freshBoard()
    const ask = (path: string, body: object | undefined, key: string, method: 'POST' | 'DELETE' = 'POST') =>
      site.ask(method, `/v1${path}`, body, { ...asAdmin, 'idempotency-key': key })
    const made = await ask(`/boards/${board}/keys`, { role: 'read' }, 'k')
    const again = await ask(`/boards/${board}/keys`, { role: 'read' }, 'k')
    expect(again.statusCode).toBe(409)
    expect(again.json()).toMatchObject({ type: '/v1/problems/already-created', id: made.json().id })
    expect(again.body).not.toContain('bs_')
    expect((await keysOf(board)).json().keys).toHaveLength(1)
    expect(refusalOf(await ask(`/boards/${board}/keys`, { role: 'write' }, 'k'))).toBe('422 idempotency-key-reused')

    for (const path of [`/boards/${board}/tickets`, '/session']) {
      expect((await ask(path, undefined, 't')).statusCode).toBe(201)
      expect((await ask(path, undefined, 't')).json()).toMatchObject({ type: '/v1/problems/already-created' })
    }
    const address = `/boards/${board}/keys/${made.json().id}`
    for (let n = 0; n < 2; n++) expect((await ask(address, undefined, 'd', 'DELETE')).statusCode).toBe(204)
    const kept = await store.database.query('SELECT * FROM boardsync.kept_answers')
    expect(kept).toHaveLength(4)
    expect(JSON.stringify(kept)).not.toMatch(/bst?_|bss_|boardsync_session/)
  })

  test('is another one each time', async () => {
    const made = await Promise.all(Array.from({ length: 20 }, () => makeKey(site, 'many-keys')))
    expect(new Set(made.map(({ key }) => key)).size).toBe(20)
  })

  test('opens its board to sockets and REST, and no other board', async () => {
    const [board, other] = [freshBoard(), freshBoard()]
    const { key } = await makeKey(site, board)
    await makeKey(site, other)
    const client = use(connectStock(site.wsUrl, board, { params: { apiKey: key } }))
    await client.synced
    expect((await site.ask('POST', items(board), { type: 'sticky', id: 'a' }, bearer(key))).statusCode).toBe(201)
    await until(client.doc, () => client.doc.getMap('tldraw').has('shape:a'))

    const refused = use(connectStock(site.wsUrl, other, { params: { apiKey: key } }))
    expect((await refused.gaveUp).code).toBe(4403)
    for (const nowhere of [other, freshBoard()]) {
      expect(refusalOf(await site.ask('GET', items(nowhere), undefined, bearer(key)))).toBe('404 board-missing')
      expect(refusalOf(await site.ask('POST', items(nowhere), { type: 'sticky' }, bearer(key)))).toBe(
        '404 board-missing',
      )
    }
  })

  test('tells when it was last used', async () => {
    const board = freshBoard()
    const { key } = await makeKey(site, board)
    await site.ask('GET', items(board), undefined, bearer(key))
    await until(async () => (await keysOf(board)).json().keys[0].last_used_at)
  })

  test('opens nothing after its expiry', async () => {
    const board = freshBoard()
    const { id, key } = await makeKey(site, board, { role: 'read', expires_at: new Date(Date.now() + 60_000) })
    expect((await keysOf(board)).json().keys[0].expires_at).toMatch(/Z$/)
    await store.database.query("UPDATE boardsync.api_keys SET expires_at = now() - interval '1 s' WHERE id = $1", [id])
    expect(refusalOf(await site.ask('GET', items(board), undefined, bearer(key)))).toBe('401 credential-invalid')
  })

  test('that is revoked opens nothing, is not listed, and cannot be revoked again', async () => {
    const board = freshBoard()
    const { id, key } = await makeKey(site, board)
    const kept = await makeKey(site, board)
    expect((await site.ask('GET', items(board), undefined, bearer(key))).statusCode).toBe(200)
    const revoke = () => site.ask('DELETE', `/v1/boards/${board}/keys/${id}`, undefined, asAdmin)
    expect((await revoke()).statusCode).toBe(204)
    await until(async () => (await site.ask('GET', items(board), undefined, bearer(key))).statusCode === 401)
    expect(refusalOf(await revoke())).toBe('404 key-missing')
    expect((await keysOf(board)).json().keys.map((listed: { id: string }) => listed.id)).toEqual([kept.id])
    expect((await site.ask('GET', items(board), undefined, bearer(kept.key))).statusCode).toBe(200)
  })

  test('is revoked on its own board only', async () => {
    const { id } = await makeKey(site, freshBoard())
    const elsewhere = freshBoard()
    for (const wrong of [id, 'no-id-at-all']) {
      const answer = await site.ask('DELETE', `/v1/boards/${elsewhere}/keys/${wrong}`, undefined, asAdmin)
      expect(refusalOf(answer)).toBe('404 key-missing')
    }
  })
})

test('keys are listed in pages, each key once', async () => {
  const board = freshBoard()
  const made = await Promise.all(Array.from({ length: 5 }, () => makeKey(site, board, { role: 'read' })))
  const seen: string[] = []
  for (let next = '' as string | null; next !== null; ) {
    const page = (await keysOf(board, `?limit=2${next && `&cursor=${next}`}`)).json()
    expect(page.keys.length).toBeLessThanOrEqual(2)
    seen.push(...page.keys.map(({ id }: { id: string }) => id))
    next = page.next
  }
  expect(seen).toEqual(made.map(({ id }) => id).sort())
})

test.each([
  ['?limit=1e2', '/limit'],
  ['?limit=0x10', '/limit'],
  ['?limit=0', '/limit'],
  ['?limit=501', '/limit'],
  ['?cursor=x', '/cursor'],
  ['?role=read', '/role'],
])('the list of keys is refused with a pointer for %s', async (query, pointer) => {
  const answer = await keysOf(freshBoard(), query)
  expect([refusalOf(answer), pointersOf(answer)]).toEqual(['400 request-invalid', [pointer]])
})

test.each<[object, string[]]>([
  [{}, ['/role']],
  [{ role: 'owner' }, ['/role']],
  [{ role: 'read', expires_at: 'soon' }, ['/expires_at']],
  [{ role: 'read', expires_at: '2020-01-01T00:00:00Z' }, ['/expires_at']],
  [{ role: 'read', board: 'other' }, ['/board']],
])('a key that is asked for as %j is refused with a pointer', async (body, pointers) => {
  const answer = await site.ask('POST', '/v1/boards/refused/keys', body, asAdmin)
  expect(refusalOf(answer)).toBe('400 request-invalid')
  expect(pointersOf(answer)).toEqual(pointers)
})

test('no keys are made for a board that was deleted, and a purged one takes its keys along', async () => {
  const board = freshBoard()
  const { key } = await makeKey(site, board)
  await store.database.query('UPDATE boardsync.boards SET deleted_at = now() WHERE id = $1', [board])
  expect(refusalOf(await site.ask('POST', `/v1/boards/${board}/keys`, { role: 'read' }, asAdmin))).toBe(
    '404 board-missing',
  )
  await store.database.query('DELETE FROM boardsync.boards WHERE id = $1', [board])
  const later = await site.ask('POST', items(board), { type: 'sticky' }, bearer(key))
  expect(refusalOf(later)).toBe('401 credential-invalid')
})

test('the statement in OPERATING.md revokes a key and all that was made with it, also over a session, and no other', async () => {
  const board = freshBoard()
  const [stolen, other] = [await makeKey(site, board, { role: 'admin' }), await makeKey(site, board)]
  const keys = `/v1/boards/${board}/keys`
  const byPage = { cookie: await signIn(site, stolen.key), 'sec-fetch-site': 'same-origin' }
  const made = (await site.ask('POST', keys, { role: 'admin' }, byPage)).json()
  const madeOfThat = (await site.ask('POST', keys, { role: 'read' }, bearer(made.key))).json()
  const statusOf = async ({ key }: { key: string }) =>
    (await site.ask('GET', `/v1/boards/${board}`, undefined, bearer(key))).statusCode
  expect((await site.ask('DELETE', `${keys}/${stolen.id}`, undefined, asAdmin)).statusCode).toBe(204)
  await expect.poll(() => statusOf(stolen), { timeout: 10_000 }).toBe(401)
  expect(await Promise.all([made, madeOfThat, other].map(statusOf))).toEqual([200, 200, 200])

  const page = readFileSync(join(projectRoot, 'docs/OPERATING.md'), 'utf8')
  const [, statement = ''] = /```sql\n(WITH.*?);\n```/s.exec(page) ?? []
  await store.database.query(statement.replace('<id of the key>', stolen.id))
  await expect.poll(() => statusOf(madeOfThat), { timeout: 10_000 }).toBe(401)
  expect(await Promise.all([made, other].map(statusOf))).toEqual([401, 200])
})
