import { createDecoder, readVarUint } from 'lib0/decoding'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readAuthMessage } from 'y-protocols/auth'
import * as Y from 'yjs'
import type { Authenticate } from '../../core/auth/authenticate.ts'
import { grantOf } from '../../core/auth/grant.ts'
import type { Role } from '../../core/contract/role.ts'
import type { Storage } from '../../core/store/storage.ts'
import { edit, isEdit, isSyncStep1, syncStep1, syncStep2 } from '../kit/frames.ts'
import { connectRaw, type RawOptions } from '../kit/raw-client.ts'
import { releasing, type Stoppable } from '../kit/releasing.ts'
import { embeddedStorage, freshBoard, Site } from '../kit/site.ts'
import { connectStock } from '../kit/stock-client.ts'
import { until } from '../kit/until.ts'

const key = 'a-key-for-tests-0123456789'

const use = releasing()
let storage: Storage & Stoppable
let site: Site
beforeAll(async () => {
  storage = await embeddedStorage()
  site = await Site.start({ storage, settings: { ADMIN_KEY: key } })
})
afterAll(async () => {
  await site.stop()
  await storage.stop()
})

const shapes = (doc: Y.Doc) => doc.getMap<unknown>('tldraw')
const isAuth = (frame: Uint8Array) => frame[0] === 2

function reasonOf(frame: Uint8Array): string {
  const decoder = createDecoder(frame)
  expect(readVarUint(decoder)).toBe(2)
  let given = ''
  readAuthMessage(decoder, new Y.Doc(), (_doc, reason) => {
    given = reason
  })
  return given
}

describe('a credential', () => {
  test.each<[string, string, RawOptions]>([
    ['Authorization', '', { headers: { authorization: `Bearer ${key}` } }],
    ['X-API-Key', '', { headers: { 'x-api-key': key } }],
    ['a subprotocol', '', { protocols: ['boardsync', `bearer.${key}`] }],
    ['the query: token', `?token=${key}`, {}],
    ['the query: apiKey', `?apiKey=${key}`, {}],
  ])('is taken from %s', async (_, query, options) => {
    const client = use(await connectRaw(`${site.wsUrl}/${freshBoard()}${query}`, options))
    await client.frame(isSyncStep1)
  })

  test('is taken from where it is found first', async () => {
    const options = { headers: { authorization: `Bearer ${key}` } }
    const client = use(await connectRaw(`${site.wsUrl}/${freshBoard()}?token=wrong-${key}`, options))
    await client.frame(isSyncStep1)
  })

  test.each(['', '?token=', `?token=${key}x`])(
    'missing or wrong is told so, and closed 4401 after a moment: %s',
    async query => {
      const started = performance.now()
      const client = use(await connectRaw(`${site.wsUrl}/${freshBoard()}${query}`))
      expect(reasonOf(await client.frame(isAuth))).toContain('credential')
      expect((await client.closed).code).toBe(4401)
      expect(performance.now() - started).toBeGreaterThan(900)
      expect(client.frames).toHaveLength(1)
    },
  )

  test('that is wrong makes a stock client give up, and none of its edits is stored', async () => {
    const board = freshBoard()
    const doc = new Y.Doc()
    shapes(doc).set('shape:sneaky', 1)
    const mallory = use(connectStock(site.wsUrl, board, { doc, params: { token: 'wrong' } }))
    expect((await mallory.gaveUp).code).toBe(4401)
    const alice = use(connectStock(site.wsUrl, board, { params: { token: key } }))
    await alice.synced
    expect(shapes(alice.doc).size).toBe(0)
  })
})

describe('a reader', () => {
  /** The token names the role. */
  const byRole: Authenticate = async credential => {
    const role = credential?.reveal() as Role
    const rights = new Map(role === 'read' || role === 'write' ? [['*', role]] : [])
    return grantOf({ subject: role, rights, basis: { issuer: 'test' } })
  }
  let own: Site
  beforeAll(async () => {
    own = await Site.start({ storage, authenticate: byRole })
  })
  afterAll(() => own.stop())
  const join = (board: string, token: Role, options = {}) =>
    use(connectStock(own.wsUrl, board, { params: { token }, ...options }))

  test('sees edits and cursors; its own edits are refused, it is told so and stays connected', async () => {
    const board = freshBoard()
    const writer = join(board, 'write')
    await writer.synced
    shapes(writer.doc).set('shape:a', 1)
    const reader = use(await connectRaw(`${own.wsUrl}/${board}?token=read`))
    reader.send(syncStep1())
    reader.send(syncStep2(Y.encodeStateAsUpdate(new Y.Doc())))
    const doc = new Y.Doc()
    shapes(doc).set('shape:by-reader', 1)
    await reader.frame(isSyncStep1)
    expect(reader.frames.some(isAuth)).toBe(false)
    reader.send(edit(Y.encodeStateAsUpdate(doc)))
    expect(reasonOf(await reader.frame(isAuth))).toContain('read')

    shapes(writer.doc).set('shape:b', 2)
    await reader.frame(isEdit)
    expect(reader.socket.readyState).toBe(reader.socket.OPEN)
    expect(shapes(writer.doc).toJSON()).toEqual({ 'shape:a': 1, 'shape:b': 2 })
  })

  test('that connects is not told off: its answer to our question brings nothing', async () => {
    const board = freshBoard()
    const writer = join(board, 'write')
    await writer.synced
    shapes(writer.doc).set('shape:a', 1)
    shapes(writer.doc).delete('shape:a')
    const reader = join(board, 'read')
    const denied: unknown[] = []
    reader.provider.messageHandlers[2] = (...given) => denied.push(given)
    await reader.synced
    reader.awareness.setLocalState({ user: { name: 'Reader' } })
    await until(() => [...writer.awareness.getStates().values()].some(state => state.user?.name === 'Reader'))
    expect(denied).toEqual([])
    expect(reader.codes).toEqual([])
  })

  test('with edits made offline is told that they are refused', async () => {
    const board = freshBoard()
    await join(board, 'write').synced
    const doc = new Y.Doc()
    shapes(doc).set('shape:offline', 1)
    const reader = join(board, 'read', { doc, connect: false })
    const denied: unknown[] = []
    reader.provider.messageHandlers[2] = (...given) => denied.push(given)
    reader.provider.connect()
    await until(() => denied.length === 1)
    const late = join(board, 'write')
    await late.synced
    expect(shapes(late.doc).size).toBe(0)
  })

  test('brings no board into being, and cannot tell one that is not there from one it has no right to', async () => {
    const [missing, foreign] = [freshBoard(), freshBoard()]
    await join(foreign, 'write').synced
    const refusals = await Promise.all(
      [`${missing}?token=read`, `${foreign}?token=none`, `${missing}?token=none`].map(async path => {
        const client = use(await connectRaw(`${own.wsUrl}/${path}`))
        return client.closed
      }),
    )
    expect(refusals.map(({ code }) => code)).toEqual([4403, 4403, 4403])
    expect(new Set(refusals.map(({ reason }) => reason)).size).toBe(1)
  })
})
