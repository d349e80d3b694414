/** Rights that end while they are used: on every instance, whether or not there is a bus between them. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import { Secret } from '../../core/base/secret.ts'
import { createRedisBus } from '../../core/bus/redis.ts'
import { listen } from '../kit/event-client.ts'
import { edit, isSyncStep1 } from '../kit/frames.ts'
import { connectRaw, type RawClient } from '../kit/raw-client.ts'
import { absentRedis } from '../kit/redis.ts'
import { releasing } from '../kit/releasing.ts'
import { freshBoard, Site, silent } from '../kit/site.ts'
import { connectStock } from '../kit/stock-client.ts'
import { until } from '../kit/until.ts'
import { postgresSite, type SharedSite } from '../storage/site.ts'
import { asAdmin, bearer, inSeconds, makeKey, makeTicket, settings, signIn, token } from './signing.ts'

const useForAll = releasing(afterAll)
const use = releasing()
let store: SharedSite
/** Two instances on one Postgres. Their Redis is not there. */
let here: Site
let there: Site
beforeAll(async () => {
  store = useForAll(await postgresSite())
  const redis = useForAll(await absentRedis())
  const start = async () => {
    const bus = useForAll(createRedisBus(new Secret(redis.url), silent), opened => opened.close())
    return useForAll(await Site.start({ storage: store.anotherInstance().storage, settings, bus }))
  }
  here = await start()
  there = await start()
})

const items = (board: string) => `/v1/boards/${board}/items`
const revoke = (board: string, id: string) => here.ask('DELETE', `/v1/boards/${board}/keys/${id}`, undefined, asAdmin)

async function open(at: Site, path: string, options = {}): Promise<RawClient> {
  const client = use(await connectRaw(`${at.wsUrl}/${path}`, options))
  await client.frame(isSyncStep1)
  return client
}
const codeOf = async (client: RawClient) => (await client.closed).code

describe('a key that is revoked, with Redis down', () => {
  test('closes 4403 all that it opened, on every instance, and opens nothing there', async () => {
    const board = freshBoard()
    const { id, key } = await makeKey(here, board)
    const stranger = await open(there, board, { headers: asAdmin })
    const cookie = await signIn(there, key)
    const opened = [
      await open(here, `${board}?token=${key}`),
      await open(there, board, { protocols: ['boardsync', `bearer.${key}`] }),
      await open(there, board, { headers: { cookie }, origin: there.url }),
      await open(there, `${board}?token=${await makeTicket(here, board, {}, bearer(key))}`),
    ]
    expect((await there.ask('GET', items(board), undefined, bearer(key))).statusCode).toBe(200)
    expect((await revoke(board, id)).statusCode).toBe(204)
    expect(await Promise.all(opened.map(codeOf))).toEqual([4403, 4403, 4403, 4403])
    for (const headers of [bearer(key), { cookie }]) {
      expect((await there.ask('GET', items(board), undefined, headers)).statusCode).toBe(401)
    }
    expect(stranger.socket.readyState).toBe(stranger.socket.OPEN)
  })

  test('ends the streams of events that it opened, and no others', async () => {
    const board = freshBoard()
    const { id, key } = await makeKey(here, board)
    await here.ask('POST', items(board), { type: 'sticky' }, asAdmin)
    const url = `${there.url}/v1/boards/${board}/events`
    const stream = use(await listen(url, bearer(key)))
    const other = use(await listen(url, asAdmin))
    expect([stream.status, stream.ended]).toEqual([200, undefined])
    await revoke(board, id)
    await until(() => stream.ended === 'end')
    await here.ask('POST', items(board), { type: 'sticky' }, asAdmin)
    await other.heard(1)
    expect(stream.events).toEqual([])
    expect((await listen(url, bearer(key))).status).toBe(401)
  })

  test('makes a stock client give up, and takes none of its edits any more', async () => {
    const board = freshBoard()
    const { id, key } = await makeKey(here, board)
    const client = await open(there, `${board}?token=${key}`)
    const stock = use(connectStock(there.wsUrl, board, { params: { token: key } }))
    await stock.synced
    await revoke(board, id)
    // Told before it is closed: from then on nothing counts.
    await client.frame(frame => frame[0] === 2)
    const doc = new Y.Doc()
    doc.getMap('tldraw').set('shape:late', 1)
    client.send(edit(Y.encodeStateAsUpdate(doc)))
    expect((await stock.gaveUp).code).toBe(4403)
    expect(await codeOf(client)).toBe(4403)
    expect((await here.logged(board)).getMap('tldraw').size).toBe(0)
  })

  test('leaves the other key of a rotation at work', async () => {
    const board = freshBoard()
    const [old, next] = [await makeKey(here, board), await makeKey(here, board)]
    const [by, byNext] = [
      await open(there, `${board}?token=${old.key}`),
      await open(there, `${board}?token=${next.key}`),
    ]
    await revoke(board, old.id)
    expect(await codeOf(by)).toBe(4403)
    expect(byNext.socket.readyState).toBe(byNext.socket.OPEN)
    expect((await there.ask('GET', items(board), undefined, bearer(next.key))).statusCode).toBe(200)
  })
})

describe('what expires while it is used', () => {
  test('is closed 4401 when the time comes: a token, and a session made from one', async () => {
    const board = freshBoard()
    const exp = inSeconds(4)
    const jwt = await token({ [board]: 'write' }, { exp })
    const cookie = await signIn(here, jwt)
    const opened = [
      await open(here, `${board}?token=${jwt}`),
      await open(there, board, { headers: { cookie }, origin: there.url }),
    ]
    expect(await Promise.all(opened.map(codeOf))).toEqual([4401, 4401])
    expect(Date.now()).toBeGreaterThanOrEqual(exp * 1_000)
  })

  test('is closed 4401 when the time comes: a key', async () => {
    const board = freshBoard()
    const expires_at = new Date(Date.now() + 4_000)
    const { key } = await makeKey(here, board, { role: 'read', expires_at })
    expect(await codeOf(await open(there, `${board}?token=${key}`))).toBe(4401)
    expect(Date.now()).toBeGreaterThanOrEqual(expires_at.getTime())
  })
})

test('signing out closes what the session has open, elsewhere too, and no other session', async () => {
  const board = freshBoard()
  const [cookie, other] = [await signIn(here, settings.ADMIN_KEY), await signIn(here, settings.ADMIN_KEY)]
  const mine = await open(there, board, { headers: { cookie }, origin: there.url })
  const theirs = await open(there, board, { headers: { cookie: other }, origin: there.url })
  await here.ask('DELETE', '/v1/session', undefined, { cookie })
  expect(await codeOf(mine)).toBe(4401)
  expect(theirs.socket.readyState).toBe(theirs.socket.OPEN)
})

test('a ticket that two instances are shown at once opens one connection', async () => {
  const board = freshBoard()
  for (let round = 0; round < 5; round++) {
    const ticket = await makeTicket(here, board)
    const clients = await Promise.all(
      [here, there, here, there].map(async at => use(await connectRaw(`${at.wsUrl}/${board}?token=${ticket}`))),
    )
    const outcomes = await Promise.all(
      clients.map(client => Promise.race([client.frame(isSyncStep1).then(() => 'open'), codeOf(client)])),
    )
    expect(outcomes.sort()).toEqual([4401, 4401, 4401, 'open'])
    for (const client of clients) client.stop()
  }
})
