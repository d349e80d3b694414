import { once } from 'node:events'
import { connect } from 'node:net'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import type { Storage } from '../../core/store/storage.ts'
import { edit, isEdit, isSyncStep1, isSyncStep2, payloadOf, syncStep1, syncStep2 } from '../kit/frames.ts'
import { connectRaw, type RawOptions, UpgradeRefused } from '../kit/raw-client.ts'
import { releasing, type Stoppable } from '../kit/releasing.ts'
import { embeddedStorage, freshBoard, Site } from '../kit/site.ts'
import { connectStock } from '../kit/stock-client.ts'
import { until } from '../kit/until.ts'

const use = releasing()
let storage: Storage & Stoppable
let site: Site
beforeAll(async () => {
  storage = await embeddedStorage()
  site = await Site.start({ storage })
})
afterAll(async () => {
  await site.stop()
  await storage.stop()
})

const raw = async (path: string, options?: RawOptions, at = site) =>
  use(await connectRaw(`${at.wsUrl}${path}`, options))
const shapes = (doc: Y.Doc) => doc.getMap<unknown>('tldraw')

function drawn(value: unknown = 1): Uint8Array {
  const doc = new Y.Doc()
  shapes(doc).set('shape:a', value)
  return Y.encodeStateAsUpdate(doc)
}

describe('a frame that is none', () => {
  test.each<[string, Uint8Array | string]>([
    ['text', 'hello'],
    ['nothing', Uint8Array.of()],
    ['a length beyond its end', Uint8Array.of(0, 2, 200, 1)],
    ['bytes left over', Uint8Array.of(...edit(drawn()), 0)],
    ['an unknown sync step', Uint8Array.of(0, 7, 0)],
    ['an update cut short', edit(drawn().slice(0, -3))],
    ['an update with bytes left over', edit(Uint8Array.of(...drawn(), 0))],
    ['an update in the second encoding', edit(Y.encodeStateAsUpdateV2(new Y.Doc()))],
    ['a step 2 that is no update', syncStep2(Uint8Array.of(9, 9, 9))],
    ['awareness cut short', Uint8Array.of(1, 3, 1, 5, 1)],
  ])('closes 4400: %s', async (_, frame) => {
    const client = await raw(`/${freshBoard()}`)
    client.send(frame)
    expect((await client.closed).code).toBe(4400)
  })

  test('of an unknown type is ignored and counted', async () => {
    const client = await raw(`/${freshBoard()}`)
    const before = await site.counted('boardsync_refusals_total', { reason: 'unknown-message' })
    client.send([9, 1, 2, 3])
    client.send([2, 0, 1, 0x6e])
    client.send(edit(drawn()))
    await client.frame(isEdit)
    expect(await site.counted('boardsync_refusals_total', { reason: 'unknown-message' })).toBe(before + 2)
  })
})

describe('one who sends anything', () => {
  test('harms nobody else on the board: valid updates changed at random, each on a connection of its own', async () => {
    const board = freshBoard()
    const [alice, bob] = [use(connectStock(site.wsUrl, board)), use(connectStock(site.wsUrl, board))]
    await Promise.all([alice.synced, bob.synced])
    alice.doc.getText('t').insert(0, 'hello')
    shapes(alice.doc).set('shape:a', new Y.Map([['base', { type: 'note' }]]))
    await until(bob.doc, () => shapes(bob.doc).size === 1)
    const valid = [Y.encodeStateAsUpdate(alice.doc), drawn(new Y.Map([['x', { y: [1, 2] }]]))]

    const changes = fc.array(fc.tuple(fc.nat(), fc.oneof(fc.nat(12), fc.nat(255))), { minLength: 1, maxLength: 3 })
    const frames = fc.sample(fc.tuple(fc.constantFrom(...valid), changes), { numRuns: 150, seed: 7 })
    for (const [update, at] of frames) {
      const changed = update.slice()
      for (const [place, byte] of at) changed[place % changed.length] = byte
      const client = await connectRaw(`${site.wsUrl}/${board}`)
      client.send(edit(changed))
      client.stop()
    }
    shapes(alice.doc).set('shape:last', 1)
    await until(bob.doc, () => shapes(bob.doc).get('shape:last') === 1)
    expect([alice.codes, bob.codes]).toEqual([[], []])
    const late = use(connectStock(site.wsUrl, board))
    await late.synced
    expect(shapes(late.doc).get('shape:last')).toBe(1)
  })

  test('and makes Yjs stop half-way leaves nothing of it: the board is read anew, and everybody is back', async () => {
    const board = freshBoard()
    const [alice, bob] = [use(connectStock(site.wsUrl, board)), use(connectStock(site.wsUrl, board))]
    await Promise.all([alice.synced, bob.synced])
    // Deeper types than the stack: deleting the outermost recurses through all of them.
    const doc = new Y.Doc()
    doc.transact(() => {
      let outer = shapes(doc)
      for (let depth = 0; depth < 12_000; depth++) {
        const inner = new Y.Map<unknown>()
        outer.set('i', inner)
        outer = inner
      }
    })
    const deep = Y.encodeStateAsUpdate(doc)
    const client = await raw(`/${board}`)
    client.send(edit(deep))
    await client.frame(isEdit)
    const [[id]] = [...Y.parseUpdateMeta(deep).from] as [[number, number]]
    client.send(edit(Uint8Array.of(0, 1, ...varint(id), 1, 0, 1)))
    expect((await client.closed).code).toBe(4400)
    shapes(alice.doc).set('shape:last', 1)
    await until(bob.doc, () => shapes(bob.doc).get('shape:last') === 1)
  })
})

/** Seven bits per byte, lowest first. */
function varint(number: number): number[] {
  return number < 0x80 ? [number] : [(number % 0x80) | 0x80, ...varint(Math.floor(number / 0x80))]
}

describe('a board id', () => {
  test.each([
    '/bad.id',
    '/',
    '/a/b',
    '/boards/',
    '/boards/a/b',
    `/${'x'.repeat(129)}`,
    '/%',
    '/%2Fa',
    '/b%252e',
    '/a%20b',
  ])('that is none closes 4400: %s', async path => {
    const client = await raw(path)
    const { code, reason } = await client.closed
    expect(code).toBe(4400)
    expect(reason).toContain('board id')
  })

  test.each('ws canvas api v1 b boards admin mcp health ready metrics assets'.split(' '))(
    'that is a path of ours closes 4400: %s',
    async name => {
      expect((await (await raw(`/boards/${name}`)).closed).code).toBe(4400)
    },
  )

  test('names the same board with and without /boards, and decoded once', async () => {
    const name = `under_score-${freshBoard()}`
    const client = await raw(`/${name}`)
    client.send(edit(drawn('here')))
    await client.frame(isEdit)
    for (const path of [`/boards/${name}`, `/${name.replace('_', '%5F')}`, `/${name}?token=x`]) {
      const other = await raw(path)
      other.send(syncStep1())
      const doc = new Y.Doc()
      Y.applyUpdate(doc, payloadOf(await other.frame(isSyncStep2)))
      expect(shapes(doc).get('shape:a'), path).toBe('here')
    }
    expect((await raw(`/${'x'.repeat(128)}`).then(given => given.frame(isSyncStep1)))[1]).toBe(0)
  })
})

describe('what is too much', () => {
  test('a frame closes 1009, an update 4413; what fits passes, and the board lives on', async () => {
    const small = use(await Site.start({ storage, settings: { MAX_FRAME_BYTES: '4000' } }))
    const board = freshBoard()
    const bob = use(connectStock(small.wsUrl, board))
    await bob.synced
    const frame = await raw(`/${board}`, {}, small)
    frame.send(edit(drawn('x'.repeat(4_000))))
    expect((await frame.closed).code).toBe(1009)
    const update = await raw(`/${board}`, {}, small)
    update.send(edit(drawn('x'.repeat(3_100))))
    expect((await update.closed).code).toBe(4413)
    const fits = await raw(`/${board}`, {}, small)
    fits.send(edit(drawn('x'.repeat(2_500))))
    await until(bob.doc, () => shapes(bob.doc).has('shape:a'))
    expect(bob.codes).toEqual([])
  })

  test('an edit that takes the board over its size closes 4413; deleting is still possible', async () => {
    const small = use(await Site.start({ storage, settings: { MAX_BOARD_BYTES: '3000' } }))
    const board = freshBoard()
    const alice = use(connectStock(small.wsUrl, board))
    await alice.synced
    shapes(alice.doc).set('shape:big', 'x'.repeat(2_500))
    const client = await raw(`/${board}`, {}, small)
    client.send(syncStep1())
    await client.frame(isSyncStep2)
    client.send(edit(drawn('x'.repeat(1_000))))
    expect((await client.closed).code).toBe(4413)
    const bob = use(connectStock(small.wsUrl, board))
    await until(bob.doc, () => shapes(bob.doc).has('shape:big'))
    shapes(alice.doc).delete('shape:big')
    await until(bob.doc, () => !shapes(bob.doc).has('shape:big'))
    expect(alice.codes).toEqual([])
  })

  test('what overwrites takes no more room than what it overwrote', async () => {
    const small = use(await Site.start({ storage, settings: { MAX_BOARD_BYTES: '3000' } }))
    const board = freshBoard()
    const [alice, bob] = [use(connectStock(small.wsUrl, board)), use(connectStock(small.wsUrl, board))]
    await Promise.all([alice.synced, bob.synced])
    for (let times = 0; times < 20; times++) {
      shapes(alice.doc).set('shape:a', `${times}`.padEnd(1_000))
      await until(bob.doc, () => shapes(bob.doc).get('shape:a') === shapes(alice.doc).get('shape:a'))
    }
    expect([...alice.codes, ...bob.codes]).toEqual([])
  })

  test('a peer too many closes 1013; once one has left there is room', async () => {
    const small = use(await Site.start({ storage, settings: { MAX_PEERS_PER_BOARD: '2' } }))
    const board = freshBoard()
    const [first, second] = [await raw(`/${board}`, {}, small), await raw(`/${board}`, {}, small)]
    await Promise.all([first.frame(isSyncStep1), second.frame(isSyncStep1)])
    expect((await (await raw(`/${board}`, {}, small)).closed).code).toBe(1013)
    await (await raw(`/${freshBoard()}`, {}, small)).frame(isSyncStep1)
    first.stop()
    await until(async () => {
      const again = await raw(`/${board}`, {}, small)
      return Promise.race([again.frame(isSyncStep1).then(() => true), again.closed.then(() => false)])
    })
  })

  test('a connection too many closes 1013', async () => {
    const small = use(await Site.start({ storage, settings: { MAX_CONNECTIONS: '2' } }))
    for (let each = 0; each < 2; each++) await (await raw(`/${freshBoard()}`, {}, small)).frame(isSyncStep1)
    expect((await (await raw(`/${freshBoard()}`, {}, small)).closed).code).toBe(1013)
    expect(small.sockets.size).toBeLessThanOrEqual(3)
  })
})

describe('the upgrade', () => {
  test('from a foreign page is answered 403, from our own or an allowed one it is taken', async () => {
    const own = use(await Site.start({ storage, settings: { ALLOWED_ORIGINS: 'https://a.example' } }))
    for (const origin of ['https://evil.example', 'null', 'http://localhost:1']) {
      await expect(raw('/board-x', { origin }, own)).rejects.toThrow(new UpgradeRefused(403))
    }
    for (const origin of [own.url, 'https://a.example']) {
      await (await raw('/board-x', { origin }, own)).frame(isSyncStep1)
    }
  })

  test('to another host name of an open server is answered 421', async () => {
    for (const host of ['evil.example', '10.0.0.1:80', 'localhost.evil.example']) {
      await expect(raw('/board-x', { headers: { host } })).rejects.toThrow(new UpgradeRefused(421))
    }
    for (const host of ['localhost', '127.0.0.1:99', '[::1]:99', 'LOCALHOST']) {
      await (await raw('/board-x', { headers: { host } })).frame(isSyncStep1)
    }
  })

  test('that is refused ends the connection, also of a client that keeps its side open', async () => {
    const socket = use(
      connect({ port: Number(new URL(site.url).port), host: '127.0.0.1', allowHalfOpen: true }),
      given => given.destroy(),
    )
    socket.on('error', () => {}) // the reset is what is waited for
    socket.resume()
    const key = 'dGhlIHNhbXBsZSBub25jZQ=='
    socket.write(
      `GET /b1 HTTP/1.1\r\nHost: evil.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
    )
    await once(socket, 'end')
    await until(() => {
      if (!socket.destroyed) socket.write('still here')
      return socket.destroyed
    })
  })
})
