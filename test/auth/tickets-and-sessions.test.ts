/** One-time tickets, and what pages sign in with. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { roles } from '../../core/contract/role.ts'
import { isSyncStep1 } from '../kit/frames.ts'
import { connectRaw, type RawOptions } from '../kit/raw-client.ts'
import { releasing } from '../kit/releasing.ts'
import { freshBoard, Site } from '../kit/site.ts'
import { refusalOf } from '../rest/refusals.ts'
import { embeddedSite, type Site as Store } from '../storage/site.ts'
import { asAdmin, bearer, cookieOf, inSeconds, makeKey, makeTicket, settings, signIn, token } from './signing.ts'

const allowed = 'https://app.example'
const useForAll = releasing(afterAll)
const use = releasing()
let store: Store
let site: Site
beforeAll(async () => {
  store = useForAll(await embeddedSite())
  site = useForAll(await Site.start({ storage: store.storage, settings: { ...settings, ALLOWED_ORIGINS: allowed } }))
})

const items = (board: string) => `/v1/boards/${board}/items`
const read = (board: string, headers: Record<string, string>) => site.ask('GET', items(board), undefined, headers)

/** `'open'`, or the close code. */
async function outcome(path: string, options: RawOptions = {}): Promise<'open' | number> {
  const client = use(await connectRaw(`${site.wsUrl}/${path}`, options))
  const opened = client.frame(isSyncStep1).then(() => 'open' as const)
  return Promise.race([opened, client.closed.then(({ code }) => code)])
}

describe('a ticket', () => {
  test('opens one connection to its board', async () => {
    const board = freshBoard()
    const ticket = await makeTicket(site, board)
    expect(await outcome(`${board}?token=${ticket}`)).toBe('open')
    expect(await outcome(`${board}?token=${ticket}`)).toBe(4401)
  })

  test('opens no other board, and is used up by the attempt', async () => {
    const [board, other] = [freshBoard(), freshBoard()]
    await makeKey(site, other)
    const ticket = await makeTicket(site, board)
    expect(await outcome(`${other}?token=${ticket}`)).toBe(4403)
    expect(await outcome(`${board}?token=${ticket}`)).toBe(4401)
  })

  test('is good for 60 seconds', async () => {
    const board = freshBoard()
    const answer = await site.ask('POST', `/v1/boards/${board}/tickets`, undefined, asAdmin)
    expect(answer.statusCode).toBe(201)
    expect(answer.headers['cache-control']).toBe('no-store')
    const left = Date.parse(answer.json().expires_at) - Date.now()
    expect(left).toBeGreaterThan(50_000)
    expect(left).toBeLessThanOrEqual(60_500)
    await store.database.query("UPDATE boardsync.tickets SET expires_at = now() - interval '1 ms'")
    expect(await outcome(`${board}?token=${answer.json().ticket}`)).toBe(4401)
  })

  test('gives at most the role of who asked for it: write unless something else is asked for', async () => {
    const board = freshBoard()
    await makeKey(site, board)
    const reader = bearer(await token({ [board]: 'read' }))
    const writer = bearer(await token({ [board]: 'write' }))
    const roleOf = async (ticket: string): Promise<string> => {
      const cookie = await signIn(site, ticket)
      const [created, keys] = await Promise.all([
        site.ask('POST', items(board), { type: 'sticky' }, { cookie, origin: allowed }),
        site.ask('GET', `/v1/boards/${board}/keys`, undefined, { cookie }),
      ])
      return keys.statusCode === 200 ? 'admin' : created.statusCode === 201 ? 'write' : 'read'
    }
    expect(await roleOf(await makeTicket(site, board, {}, reader))).toBe('read')
    expect(await roleOf(await makeTicket(site, board, {}, writer))).toBe('write')
    expect(await roleOf(await makeTicket(site, board, { role: 'read' }, writer))).toBe('read')
    expect(await roleOf(await makeTicket(site, board))).toBe('write')
    expect(await roleOf(await makeTicket(site, board, { role: 'admin' }))).toBe('admin')
    for (const [headers, role] of [
      [reader, 'write'],
      [writer, 'admin'],
    ] as const) {
      const answer = await site.ask('POST', `/v1/boards/${board}/tickets`, { role }, headers)
      expect(refusalOf(answer)).toBe('403 forbidden')
    }
  })

  test('that a page asked for is of no use to a page of another origin', async () => {
    const board = freshBoard()
    const make = () => makeTicket(site, board, {}, { ...asAdmin, origin: allowed })
    expect(await outcome(`${board}?token=${await make()}`, { origin: site.url })).toBe(4401)
    expect(await outcome(`${board}?token=${await make()}`)).toBe(4401)
    expect(await outcome(`${board}?token=${await make()}`, { origin: allowed })).toBe('open')
  })

  test('is of no use once the key is revoked that it was asked for with', async () => {
    const board = freshBoard()
    const { id, key } = await makeKey(site, board)
    const ticket = await makeTicket(site, board, {}, bearer(key))
    await site.ask('DELETE', `/v1/boards/${board}/keys/${id}`, undefined, asAdmin)
    expect(await outcome(`${board}?token=${ticket}`)).toBe(4401)
  })

  test('makes no board for those who may only read, who learn no more than that they have none', async () => {
    const board = freshBoard()
    const asked = await site.ask('POST', `/v1/boards/${board}/tickets`, {}, bearer(await token({ '*': 'read' })))
    const foreign = await site.ask('POST', `/v1/boards/${board}/tickets`, {}, bearer(await token({})))
    expect([refusalOf(asked), refusalOf(foreign)]).toEqual(['404 board-missing', '404 board-missing'])
    expect(asked.json().detail).toBe(foreign.json().detail)
  })
})

describe('a session', () => {
  test('is a cookie that no script reads and no other site sends', async () => {
    const answer = await site.ask('POST', '/v1/session', undefined, asAdmin)
    expect(answer.statusCode).toBe(201)
    expect(answer.json()).toEqual({ subject: 'admin', expires_at: expect.any(String) })
    expect(answer.headers['set-cookie']).toMatch(
      /^boardsync_session=bss_[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/,
    )
    expect(answer.body).not.toContain('bss_')
  })

  test('has a Secure cookie where the page came over https', async () => {
    const own = use(
      await Site.start({ storage: store.storage, settings: { ...settings, PUBLIC_URL: 'https://b.example' } }),
    )
    const answers = [
      await own.ask('POST', '/v1/session', undefined, asAdmin),
      await site.ask('POST', '/v1/session', undefined, { ...asAdmin, origin: allowed }),
    ]
    for (const answer of answers) expect(answer.headers['set-cookie']).toMatch(/; Secure/)
  })

  test.each([
    ['the admin key', async () => settings.ADMIN_KEY],
    ['a key', async (board: string) => (await makeKey(site, board)).key],
    ['a JWT', async (board: string) => token({ [board]: 'write' })],
    ['a ticket', async (board: string) => makeTicket(site, board)],
  ])('is made from %s, and opens what that opens', async (_name, credential) => {
    const board = freshBoard()
    await makeKey(site, board)
    const cookie = await signIn(site, await credential(board))
    expect((await read(board, { cookie })).statusCode).toBe(200)
    expect(await outcome(board, { headers: { cookie }, origin: site.url })).toBe('open')
    expect((await site.ask('POST', items(board), { type: 'sticky' }, { cookie, origin: allowed })).statusCode).toBe(201)
  })

  test('counts last: any other credential comes before it, also a wrong one', async () => {
    const board = freshBoard()
    const cookie = await signIn(site, settings.ADMIN_KEY)
    expect(await outcome(`${board}?apiKey=wrong`, { headers: { cookie }, origin: site.url })).toBe(4401)
    expect(refusalOf(await read(board, { cookie, 'x-api-key': 'wrong' }))).toBe('401 credential-invalid')
  })

  test('is of use to allowed pages only: neither to another origin nor to who hides one', async () => {
    const board = freshBoard()
    await makeKey(site, board)
    const cookie = await signIn(site, settings.ADMIN_KEY)
    const evil = 'https://evil.example'
    await expect(connectRaw(`${site.wsUrl}/${board}`, { headers: { cookie }, origin: evil })).rejects.toMatchObject({
      status: 403,
    })
    expect(await outcome(board, { headers: { cookie } })).toBe(4401)
    expect(refusalOf(await read(board, { cookie, origin: evil }))).toBe('403 forbidden')
    expect(refusalOf(await site.ask('POST', '/v1/session', undefined, { ...asAdmin, origin: evil }))).toBe(
      '403 forbidden',
    )
    const write = (headers: Record<string, string>) =>
      site.ask('POST', items(board), { type: 'sticky' }, { cookie, ...headers })
    expect(refusalOf(await write({}))).toBe('401 credential-missing')
    expect(refusalOf(await write({ 'sec-fetch-site': 'cross-site' }))).toBe('401 credential-missing')
    expect((await write({ 'sec-fetch-site': 'same-origin' })).statusCode).toBe(201)
    for (const site of ['cross-site', 'same-site']) {
      expect(refusalOf(await read(board, { cookie, 'sec-fetch-site': site }))).toBe('401 credential-missing')
    }
  })

  test('lasts 12 hours from its last use', async () => {
    const cookie = await signIn(site, settings.ADMIN_KEY)
    const hash = "sha256(convert_to($1, 'UTF8'))"
    const secret = cookie.split('=')[1]
    const hoursLeft = async () => {
      const [row] = await store.database.query<{ hours: number }>(
        `SELECT extract(epoch FROM expires_at - now())::float8 / 3600 AS hours FROM boardsync.sessions WHERE hash = ${hash}`,
        [secret],
      )
      return row?.hours ?? 0
    }
    expect(await hoursLeft()).toBeCloseTo(12, 1)
    const set = (left: string) =>
      store.database.query(
        `UPDATE boardsync.sessions SET expires_at = now() + interval '${left}' WHERE hash = ${hash}`,
        [secret],
      )
    await set('1 hour')
    expect((await read('elsewhere', { cookie, origin: allowed })).headers['set-cookie']).toContain('Max-Age=43200')
    expect(await hoursLeft()).toBeCloseTo(12, 1)

    const fresh = use(await Site.start({ storage: store.storage, settings }))
    await set('-1 ms')
    expect(refusalOf(await fresh.ask('GET', items('x'), undefined, { cookie }))).toBe('401 credential-invalid')
  })

  test('lasts no longer than the token it was made from', async () => {
    const exp = inSeconds(300)
    const answer = await site.ask('POST', '/v1/session', undefined, bearer(await token({ '*': 'read' }, { exp })))
    expect(Date.parse(answer.json().expires_at)).toBe(exp * 1_000)
  })

  test('ends by signing out, which also takes the cookie away', async () => {
    const board = freshBoard()
    await makeKey(site, board)
    const cookie = await signIn(site, settings.ADMIN_KEY)
    expect((await read(board, { cookie })).statusCode).toBe(200)
    const out = await site.ask('DELETE', '/v1/session', undefined, {
      cookie,
      origin: site.url,
      host: new URL(site.url).host,
    })
    expect(out.statusCode).toBe(204)
    expect(out.headers['set-cookie']).toMatch(/^boardsync_session=; Max-Age=0; /)
    await expect.poll(async () => (await read(board, { cookie })).statusCode, { timeout: 10_000 }).toBe(401)
    expect((await site.ask('DELETE', '/v1/session')).statusCode).toBe(204)
  })

  test('makes no other one: what it is turned into is itself, and ends with it', async () => {
    const board = freshBoard()
    await makeKey(site, board)
    const cookie = await signIn(site, settings.ADMIN_KEY)
    const again = await site.ask('POST', '/v1/session', undefined, { cookie, origin: allowed })
    expect([again.statusCode, again.json()]).toEqual([201, { subject: 'admin', expires_at: expect.any(String) }])
    expect(Date.parse(again.json().expires_at)).toBeGreaterThan(Date.now() + 11 * 3_600_000)
    const next = cookieOf([again.headers['set-cookie']].flat().at(-1))
    expect((await read(board, { cookie: next })).statusCode).toBe(200)
    const client = use(await connectRaw(`${site.wsUrl}/${board}`, { headers: { cookie: next }, origin: site.url }))
    await client.frame(isSyncStep1)
    await site.ask('DELETE', '/v1/session', undefined, { cookie })
    expect((await client.closed).code).toBe(4401)
    expect((await read(board, { cookie: next })).statusCode).toBe(401)
    const late = await site.ask('POST', '/v1/session', undefined, { cookie: next, origin: allowed })
    expect(refusalOf(late)).toBe('401 credential-invalid')
  })

  test('that was ended elsewhere a moment ago is not gone on with', async () => {
    const cookie = await signIn(site, settings.ADMIN_KEY)
    await read('x', { cookie })
    await store.database.query('UPDATE boardsync.sessions SET ended_at = now() WHERE ended_at IS NULL')
    const answer = await site.ask('POST', '/v1/session', undefined, { cookie, origin: allowed })
    expect(refusalOf(answer)).toBe('401 credential-invalid')
  })

  test.each([
    ['with a key', asAdmin],
    ['with itself', {}],
  ])('is followed by one cookie where somebody signs in again %s', async (_name, credential) => {
    const cookie = await signIn(site, settings.ADMIN_KEY)
    const answer = await site.ask('POST', '/v1/session', undefined, { cookie, origin: allowed, ...credential })
    expect(answer.statusCode).toBe(201)
    expect([answer.headers['set-cookie']].flat()).toEqual([expect.stringMatching(/^boardsync_session=bss_/)])
    expect(cookieOf(answer.headers['set-cookie']) === cookie).toBe(credential !== asAdmin)
  })

  test('of who came by a ticket stays when the person signs out who asked for it, and ends with the key of both', async () => {
    const board = freshBoard()
    const { id, key } = await makeKey(site, board)
    const host = await signIn(site, key)
    const guest = await signIn(
      site,
      await makeTicket(site, board, {}, { cookie: host, 'sec-fetch-site': 'same-origin' }),
    )
    await site.ask('DELETE', '/v1/session', undefined, { cookie: host })
    await expect.poll(async () => (await read(board, { cookie: host })).statusCode, { timeout: 10_000 }).toBe(401)
    expect((await read(board, { cookie: guest })).statusCode).toBe(200)
    await site.ask('DELETE', `/v1/boards/${board}/keys/${id}`, undefined, asAdmin)
    await expect.poll(async () => (await read(board, { cookie: guest })).statusCode, { timeout: 10_000 }).toBe(401)
  })

  test('keeps what a token withholds: a board that it names with no role of ours is not among those of *', async () => {
    const [board, other] = [freshBoard(), freshBoard()]
    await Promise.all([makeKey(site, board), makeKey(site, other)])
    const cookie = await signIn(site, await token({ [board]: 'none', '*': 'write' }))
    expect(refusalOf(await read(board, { cookie }))).toBe('404 board-missing')
    expect((await read(other, { cookie })).statusCode).toBe(200)
    const list = await site.ask('GET', '/v1/boards?limit=500', undefined, { cookie })
    const listed = list.json().boards.map(({ id }: { id: string }) => id)
    expect([listed.includes(board), listed.includes(other)]).toEqual([false, true])
  })

  test('says what it allows, as the credential does that it was made from', async () => {
    const board = freshBoard()
    const seenBy = async (headers: Record<string, string>) =>
      (await site.ask('GET', '/v1/session', undefined, headers)).json().boards
    const allowedBy = async (credential: string) => seenBy({ cookie: await signIn(site, credential) })
    for (const role of roles) {
      const { key } = await makeKey(site, board, { role })
      expect(await allowedBy(key)).toEqual({ [board]: role })
      expect(await seenBy(bearer(key))).toEqual({ [board]: role })
      expect(await allowedBy(await makeTicket(site, board, { role }))).toEqual({ [board]: role })
    }
    expect(await allowedBy(settings.ADMIN_KEY)).toEqual({ '*': 'admin' })
    const withheld = await token({ '*': 'write', [board]: 'owner' })
    expect(await allowedBy(withheld)).toEqual({ '*': 'write', [board]: null })
    expect(await allowedBy(await token({}))).toEqual({})
  })

  test('ends where the admin key it was made from is another one now', async () => {
    const cookie = await signIn(site, settings.ADMIN_KEY)
    const changed = use(
      await Site.start({ storage: store.storage, settings: { ADMIN_KEY: 'another-admin-key-since' } }),
    )
    expect(refusalOf(await changed.ask('GET', items('x'), undefined, { cookie }))).toBe('401 credential-invalid')
    const same = use(await Site.start({ storage: store.storage, settings: { ADMIN_KEY: settings.ADMIN_KEY } }))
    expect(refusalOf(await same.ask('GET', items('x'), undefined, { cookie }))).toBe('404 board-missing')
  })

  test('of an open server is of nobody, and of no use to a closed one', async () => {
    const open = use(await Site.start({ storage: store.storage }))
    const answer = await open.ask('POST', '/v1/session')
    expect(answer.json().subject).toBe('anyone')
    expect((await open.ask('GET', '/v1/session')).json().boards).toEqual({ '*': 'admin' })
    const cookie = cookieOf(answer.headers['set-cookie'])
    expect(refusalOf(await read('x', { cookie }))).toBe('401 credential-invalid')
  })
})
