/** The promise *seen ⇒ durable*, looked at from every way out of the process while a commit is held. */

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import * as Y from 'yjs'
import { edit, isEdit, isSyncStep1, isSyncStep2, payloadOf, syncStep1, syncStep2 } from '../kit/frames.ts'
import { type Postgres, startPostgres } from '../kit/postgres.ts'
import { connectRaw, type RawClient } from '../kit/raw-client.ts'
import { releasing } from '../kit/releasing.ts'
import { freshBoard, Site } from '../kit/site.ts'
import { connectStock } from '../kit/stock-client.ts'
import { until } from '../kit/until.ts'
import { watchedBus } from '../kit/watched-bus.ts'
import { type GatedStorage, gatedStorage } from './gated-storage.ts'

const use = releasing()
const bus = watchedBus()
let postgres: Postgres
let storage: GatedStorage
let site: Site
beforeAll(async () => {
  postgres = await startPostgres({ fsync: false })
  storage = await gatedStorage(await postgres.createDatabase())
  site = await Site.start({ storage, bus })
})
afterAll(async () => {
  storage.release()
  await site.stop()
  await storage.stop()
  await postgres.stop()
})

// Also when a test fails: the next begins with an open gate.
afterEach(() => storage.release())

const shapes = (doc: Y.Doc) => doc.getMap<unknown>('tldraw')
const join = (board: string) => use(connectStock(site.wsUrl, board))
const open = async (board: string) => use(await connectRaw(`${site.wsUrl}/${board}`))
const items = async (board: string) => {
  const answer = await fetch(`${site.url}/v1/boards/${board}/items`)
  return answer.text()
}

const mark = 'not-to-be-seen-yet'
const hasMark = (frame: Uint8Array) => Buffer.from(frame).includes(mark)
const marked = (clients: readonly RawClient[]) => clients.flatMap(({ frames }) => frames.filter(hasMark))
const publishedMarks = () => bus.published.filter(({ message }) => hasMark(message)).length

/** Whatever was sent to them before this has arrived: their sockets answer a ping, in order. */
const caughtUp = (clients: readonly RawClient[]) =>
  Promise.all(
    clients.map(
      ({ socket }) =>
        new Promise<void>(resolve => {
          socket.once('pong', () => resolve())
          socket.ping()
        }),
    ),
  )

/** Clocks in our step 1 that are beyond what is committed would tell an author that its edit is safe. */
const clocksOf = (frame: Uint8Array) => Y.decodeStateVector(payloadOf(frame))

test('no byte of an edit leaves before its commit: not to peers, not to joiners, not over REST, not to other instances', async () => {
  const board = freshBoard()
  const [alice, bob] = [await open(board), join(board)]
  const peer = await open(board)
  await bob.synced
  shapes(bob.doc).set('shape:before', 'seen')
  await peer.frame(isEdit)

  storage.hold()
  const doc = new Y.Doc()
  shapes(doc).set('shape:held', mark)
  alice.send(edit(Y.encodeStateAsUpdate(doc)))
  await until(() => storage.held === 1)

  const joiner = await open(board)
  for (const client of [alice, peer, joiner]) client.send(syncStep1())
  // Also an edit that is committed already is confirmed only with all that came before it.
  alice.send(edit(Y.encodeStateAsUpdate(doc)))
  // Presence goes on meanwhile, so frames do flow.
  bob.awareness.setLocalState({ user: { name: 'Bob' } })
  await peer.frame(frame => Buffer.from(frame).includes('Bob'))
  await joiner.frame(frame => Buffer.from(frame).includes('Bob'))
  expect(await items(board)).not.toContain(mark)
  await caughtUp([alice, peer, joiner])
  expect(storage.held).toBe(1)
  expect(marked([alice, peer, joiner])).toEqual([])
  expect(publishedMarks()).toBe(0)
  expect(joiner.frames.filter(frame => isSyncStep1(frame) || isSyncStep2(frame))).toEqual([])
  expect(shapes(bob.doc).has('shape:held')).toBe(false)

  storage.release()
  await until(bob.doc, () => shapes(bob.doc).get('shape:held') === mark)
  expect(publishedMarks()).toBe(1)
  await until(() =>
    [alice, peer, joiner].every(({ frames }) => frames.some(frame => isSyncStep2(frame) && hasMark(frame))),
  )
  expect(clocksOf(await joiner.frame(isSyncStep1)).get(doc.clientID)).toBe(1)
})

test('an answer holds what was there when it was asked for, and waits for no edit that came later', async () => {
  const board = freshBoard()
  const [alice, joiner] = [await open(board), await open(board)]
  await alice.frame(isSyncStep1)
  storage.hold()
  const [first, second] = [new Y.Doc(), new Y.Doc()]
  shapes(first).set('shape:first', 'first')
  shapes(second).set('shape:second', mark)
  alice.send(edit(Y.encodeStateAsUpdate(first)))
  await until(() => storage.held === 1)
  joiner.send(syncStep1())
  await caughtUp([joiner])
  alice.send(edit(Y.encodeStateAsUpdate(second)))
  await caughtUp([alice])
  storage.release()
  const answer = await joiner.frame(isSyncStep2)
  expect(hasMark(answer)).toBe(false)
  expect(Buffer.from(answer).includes('first')).toBe(true)
  await joiner.frame(frame => isEdit(frame) && hasMark(frame))
})

test('an answer that was asked for anew waits for what it holds, though the first would be free to go', async () => {
  const board = freshBoard()
  const [alice, joiner] = [await open(board), await open(board)]
  await alice.frame(isSyncStep1)
  const [first, second] = [new Y.Doc(), new Y.Doc()]
  shapes(first).set('shape:first', 'first')
  shapes(second).set('shape:second', mark)
  storage.hold()
  for (const doc of [first, second]) {
    alice.send(edit(Y.encodeStateAsUpdate(doc)))
    await caughtUp([alice])
    await until(() => storage.held === 1)
    joiner.send(syncStep1())
    await caughtUp([joiner])
  }
  storage.releaseOne()
  // The joiner gets it behind its answer.
  await alice.frame(frame => isEdit(frame) && Buffer.from(frame).includes('first'))
  await until(() => storage.held === 1)
  await caughtUp([joiner])
  expect(marked([joiner])).toEqual([])
  storage.release()
  await joiner.frame(frame => isSyncStep2(frame) && hasMark(frame))
})

test('what an edit lacks is not asked for again where it came right behind', async () => {
  const board = freshBoard()
  const [alice, bob] = [await open(board), await open(board)]
  await alice.frame(isSyncStep1)
  const [doc, other] = [new Y.Doc(), new Y.Doc()]
  shapes(doc).set('shape:offline', 1)
  const before = Y.encodeStateVector(doc)
  shapes(doc).set('shape:offline', mark)
  shapes(other).set('shape:other', 1)

  // While a commit hangs the two wait, and are then applied one behind the other.
  storage.hold()
  bob.send(edit(Y.encodeStateAsUpdate(other)))
  await until(() => storage.held === 1)
  alice.send(edit(Y.encodeStateAsUpdate(doc, before)))
  alice.send(syncStep2(Y.encodeStateAsUpdate(doc)))
  await caughtUp([alice])
  storage.release()
  await bob.frame(frame => isEdit(frame) && hasMark(frame))
  await caughtUp([alice])
  expect(alice.frames.filter(isSyncStep1)).toHaveLength(1)
})

test('no byte of an item change leaves before its commit, though the room holds it already', async () => {
  const board = freshBoard()
  const [bob, peer] = [join(board), await open(board)]
  await bob.synced
  await peer.frame(isSyncStep1)

  // The change itself is stored; its row on the board is written, and not committed.
  storage.hold(/UPDATE boardsync.item_changes SET status/)
  const created = fetch(`${site.url}/v1/boards/${board}/items`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ type: 'sticky', x: 0, y: 0, content: { text: mark } }),
  })
  await until(() => storage.held === 1)
  const room = [...site.rooms.open()].find(open => open.board === board)
  expect(JSON.stringify(room?.replica.doc.getMap('tldraw').toJSON())).toContain(mark)

  const joiner = await open(board)
  for (const client of [peer, joiner]) client.send(syncStep1())
  bob.awareness.setLocalState({ user: { name: 'Bob' } })
  await joiner.frame(frame => Buffer.from(frame).includes('Bob'))
  expect(await items(board)).not.toContain(mark)
  await caughtUp([peer, joiner])
  expect(marked([peer, joiner])).toEqual([])
  expect(joiner.frames.filter(frame => isSyncStep1(frame) || isSyncStep2(frame))).toEqual([])
  expect(shapes(bob.doc).size).toBe(0)

  storage.release()
  // 202 where all this took longer than a request waits.
  expect([201, 202]).toContain((await created).status)
  await until(bob.doc, () => shapes(bob.doc).size > 0)
  await joiner.frame(frame => isSyncStep2(frame) && hasMark(frame))
  expect(await items(board)).toContain(mark)
})
