/** What one client may take of an instance: connections, messages, time. */

import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import type { Authenticate } from '../../core/auth/authenticate.ts'
import { grantOf } from '../../core/auth/grant.ts'
import type { Storage } from '../../core/store/storage.ts'
import { edit, isSyncStep1 } from '../kit/frames.ts'
import { connectRaw, type RawOptions } from '../kit/raw-client.ts'
import { releasing, type Stoppable } from '../kit/releasing.ts'
import { embeddedStorage, freshBoard, Site } from '../kit/site.ts'
import { until } from '../kit/until.ts'

const use = releasing()
let storage: Storage & Stoppable
beforeAll(async () => {
  storage = await embeddedStorage()
})
afterAll(() => storage.stop())

const byName: Authenticate = async credential =>
  grantOf({
    subject: credential?.reveal() ?? 'anybody',
    authenticated: credential !== undefined,
    rights: new Map([['*', 'write']]),
    basis: { issuer: 'test' },
  })
const start = async (settings: Record<string, string>) =>
  use(await Site.start({ storage, settings, authenticate: byName, applies: false }))
const open = async (site: Site, options: RawOptions = {}) =>
  use(await connectRaw(`${site.wsUrl}/${freshBoard()}`, options))
const from = (address: string): RawOptions => ({ headers: { 'x-forwarded-for': address } })
const codeOf = async (site: Site, options?: RawOptions) => (await (await open(site, options)).closed).code

describe('connections', () => {
  test('over MAX_CONNECTIONS_PER_IP are closed 1013, by the address that the proxy saw, until others go', async () => {
    const site = await start({ MAX_CONNECTIONS_PER_IP: '2', TRUST_PROXY: '1' })
    const first = await open(site, from('1.1.1.1'))
    const second = await open(site, from('9.9.9.9, 1.1.1.1'))
    for (const client of [first, second]) await client.frame(isSyncStep1)
    expect(await codeOf(site, from('1.1.1.1'))).toBe(1013)
    await (await open(site, from('2.2.2.2'))).frame(isSyncStep1)
    first.socket.close()
    await until(async () => {
      const again = await open(site, from('1.1.1.1'))
      return Promise.race([again.frame(isSyncStep1).then(() => true), again.closed.then(() => false)])
    })
  })

  test('believe no X-Forwarded-For where no proxy is trusted', async () => {
    const site = await start({ MAX_CONNECTIONS_PER_IP: '1' })
    await (await open(site, from('1.1.1.1'))).frame(isSyncStep1)
    expect(await codeOf(site, from('2.2.2.2'))).toBe(1013)
  })

  test('over MAX_CONNECTIONS_PER_SUBJECT are closed 1013, until others go', async () => {
    const site = await start({ MAX_CONNECTIONS_PER_SUBJECT: '1' })
    const as = (key: string) => ({ headers: { 'x-api-key': key } })
    const first = await open(site, as('ann'))
    await first.frame(isSyncStep1)
    expect(await codeOf(site, as('ann'))).toBe(1013)
    for (let n = 0; n < 2; n++) await (await open(site)).frame(isSyncStep1)
    await (await open(site, as('ben'))).frame(isSyncStep1)
    first.socket.close()
    await until(async () => {
      const again = await open(site, as('ann'))
      return Promise.race([again.frame(isSyncStep1).then(() => true), again.closed.then(() => false)])
    })
  })
})

describe('messages over RATE_WS_DOC', () => {
  /** An update per key. */
  function edits(count: number): Uint8Array[] {
    const doc = new Y.Doc()
    const updates: Uint8Array[] = []
    doc.on('update', update => updates.push(update))
    for (let n = 0; n < count; n++) doc.getMap('tldraw').set(`k${n}`, n)
    return updates
  }

  test('are taken more slowly, and all of them', async () => {
    const site = await start({ RATE_WS_DOC: '50/s burst 20' })
    const board = freshBoard()
    const reader = use(await site.join(board))
    const keys = () => reader.doc.getMap('tldraw').size
    const fast = use(await connectRaw(`${site.wsUrl}/${board}`))
    await fast.frame(isSyncStep1)
    const started = performance.now()
    for (const update of edits(150)) fast.send(edit(update))
    await until(reader.doc, () => keys() > 0)
    await until(reader.doc, () => keys() === 150, { timeout: 30_000 })
    // 130 at 50 a second, whatever else slows the machine down.
    expect(performance.now() - started).toBeGreaterThan(2_000)
    expect(fast.socket.readyState).toBe(fast.socket.OPEN)
  })

  test('are taken, too, when the client sends them and goes', async () => {
    const site = await start({ RATE_WS_DOC: '1/s burst 5' })
    const board = freshBoard()
    const reader = use(await site.join(board))
    const fast = use(await connectRaw(`${site.wsUrl}/${board}`))
    await fast.frame(isSyncStep1)
    for (const update of edits(150)) fast.send(edit(update))
    fast.socket.close()
    await until(reader.doc, () => reader.doc.getMap('tldraw').size === 150)
  })
})

describe('time', () => {
  test('a handshake that never ends is ended', { timeout: 120_000 }, async () => {
    const site = await start({})
    const socket = use(connect(Number(new URL(site.url).port), '127.0.0.1'), given => void given.destroy())
    await once(socket, 'connect')
    let heard = ''
    socket.on('data', data => {
      heard += data
    })
    socket.write(`GET /${freshBoard()} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n`)
    await once(socket, 'end')
    expect(heard).toMatch(/^HTTP\/1.1 408 /)
  })

  test('a credential that cannot be checked is not waited for: the client shall come back', {
    timeout: 120_000,
  }, async () => {
    const site = use(await Site.start({ storage, authenticate: () => new Promise(() => {}), applies: false }))
    expect(await codeOf(site)).toBe(1013)
  })
})
