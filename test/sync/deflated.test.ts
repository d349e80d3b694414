/** Cursors deflated for clients that ask for it, beside stock clients to whom nothing changes. */
import { deflateRawSync } from 'node:zlib'
import * as encoding from 'lib0/encoding'
import { afterAll, beforeAll, expect, test } from 'vitest'
import * as Y from 'yjs'
import type { Storage } from '../../core/store/storage.ts'
import { takeDeflated } from '../../web/src/sync/deflated.ts'
import {
  askingForDeflated,
  awareness,
  edit,
  inflated,
  isAwareness,
  isDeflated,
  isEdit,
  isSyncStep1,
} from '../kit/frames.ts'
import { connectRaw, type RawClient } from '../kit/raw-client.ts'
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

/** On the board, and told of all that happens there from now on. */
async function join(board: string, protocols: string[] = []): Promise<RawClient> {
  const client = use(await connectRaw(`${site.wsUrl}/${board}`, { protocols }))
  await client.frame(isSyncStep1)
  return client
}

const nameOf = (id: number) =>
  `Person ${id}, whose name is so long that the cursors of eight are well over a kilobyte ${'.'.repeat(40)}`

/** One socket may have eight clients: the smallest crowd. */
function cursors(count: number, clock: number): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, count)
  for (let id = 1; id <= count; id++) {
    encoding.writeVarUint(encoder, id)
    encoding.writeVarUint(encoder, clock)
    encoding.writeVarString(
      encoder,
      JSON.stringify({ user: { name: nameOf(id) }, cursor: { x: id * clock, y: clock } }),
    )
  }
  return awareness(encoding.toUint8Array(encoder))
}

const tellsOfSomebody = (frame: Uint8Array) => isAwareness(frame) && frame.length > 3

test('who asked gets the cursors of many deflated; who did not gets them as ever, and both the same to the byte', async () => {
  const board = freshBoard()
  const [author, asking, stock] = [await join(board), await join(board, askingForDeflated), await join(board)]
  author.send(cursors(8, 1))
  const plain = await stock.frame(tellsOfSomebody)
  const small = await asking.frame(isDeflated)
  expect(plain).toEqual(cursors(8, 1))
  expect(inflated(small)).toEqual(plain)
  expect(small.length).toBeLessThan(plain.length / 2)
  expect(stock.frames.filter(isDeflated)).toEqual([])
  expect(asking.frames.filter(tellsOfSomebody)).toEqual([])
  expect([asking.socket.protocol, stock.socket.protocol]).toEqual(['boardsync', ''])
})

test('the cursors of few are not deflated for anybody', async () => {
  const board = freshBoard()
  const [author, asking, stock] = [await join(board), await join(board, askingForDeflated), await join(board)]
  author.send(cursors(2, 1))
  for (const client of [asking, stock]) expect(await client.frame(tellsOfSomebody)).toEqual(cursors(2, 1))
  expect(asking.frames.filter(isDeflated)).toEqual([])
})

test('stock clients and those that asked see the same people on one board, until they are gone', async () => {
  const board = freshBoard()
  const stock = use(connectStock(site.wsUrl, board))
  const asking = use(connectStock(site.wsUrl, board, { protocols: askingForDeflated, connect: false }))
  takeDeflated(asking.provider)
  const { messageHandlers } = asking.provider
  const take = messageHandlers[100]
  let taken = 0
  messageHandlers[100] = (...message) => {
    taken++
    take?.(...message)
  }
  asking.provider.connect()
  await Promise.all([stock.synced, asking.synced])
  const author = await join(board)
  const seenBy = ({ awareness }: typeof stock) =>
    JSON.stringify([...awareness.getStates()].filter(([id]) => id <= 8).sort(([one], [other]) => one - other))
  for (let clock = 1; clock <= 3; clock++) {
    author.send(cursors(8, clock))
    const place = { x: 8 * clock, y: clock }
    const states = () => [stock, asking].map(client => client.awareness.getStates().get(8)?.cursor)
    await until(() => JSON.stringify(states()) === JSON.stringify([place, place]), { what: `move ${clock}` })
    expect(seenBy(asking)).toBe(seenBy(stock))
  }
  expect(taken).toBe(3)
  author.stop()
  await until(() => seenBy(stock) === '[]' && seenBy(asking) === '[]', { what: 'nobody of them is left' })
})

test('a deflated message from a client is ignored and counted, as any of a type that is not for the server', async () => {
  const board = freshBoard()
  const [sender, other] = [await join(board, askingForDeflated), await join(board)]
  const before = await site.counted('boardsync_refusals_total', { reason: 'unknown-message' })
  const message = cursors(1, 1)
  const frame = encoding.encode(encoder => {
    encoding.writeVarUint(encoder, 100)
    encoding.writeVarUint(encoder, message.length)
    encoding.writeUint8Array(encoder, deflateRawSync(message))
  })
  expect(inflated(frame)).toEqual(message)
  sender.send(frame)
  const doc = new Y.Doc()
  doc.getMap('tldraw').set('shape:a', 1)
  sender.send(edit(Y.encodeStateAsUpdate(doc)))
  await other.frame(isEdit)
  expect(await site.counted('boardsync_refusals_total', { reason: 'unknown-message' })).toBe(before + 1)
  expect(other.frames.filter(tellsOfSomebody)).toEqual([])
})
