import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { encodeAwarenessUpdate } from 'y-protocols/awareness'
import * as Y from 'yjs'
import type { Storage } from '../../core/store/storage.ts'
import {
  awareness,
  edit,
  isAwareness,
  isEdit,
  isSyncStep1,
  isSyncStep2,
  payloadOf,
  syncStep1,
  syncStep2,
} from '../kit/frames.ts'
import { connectRaw } from '../kit/raw-client.ts'
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

const join = (board: string, options = {}) => use(connectStock(site.wsUrl, board, options))
const shapes = (doc: Y.Doc) => doc.getMap<unknown>('tldraw')

describe('edits', () => {
  test('of each of two people are seen by the other, deletions included', async () => {
    const board = freshBoard()
    const [alice, bob] = [join(board), join(board)]
    await Promise.all([alice.synced, bob.synced])
    shapes(alice.doc).set('shape:a', 'from Alice')
    shapes(bob.doc).set('shape:b', 'from Bob')
    await until(alice.doc, () => shapes(alice.doc).get('shape:b') === 'from Bob')
    await until(bob.doc, () => shapes(bob.doc).get('shape:a') === 'from Alice')
    shapes(bob.doc).delete('shape:a')
    await until(alice.doc, () => !shapes(alice.doc).has('shape:a'))
  })

  test('made before connecting are uploaded', async () => {
    const board = freshBoard()
    const doc = new Y.Doc()
    shapes(doc).set('shape:offline', 1)
    const bob = join(board)
    await bob.synced
    join(board, { doc })
    await until(bob.doc, () => shapes(bob.doc).get('shape:offline') === 1)
  })

  test('typed between opening and our question survive, though they depend on what was not sent yet', async () => {
    const board = freshBoard()
    const doc = new Y.Doc()
    shapes(doc).set('shape:offline', 1)
    const updates: Uint8Array[] = []
    doc.on('update', (update: Uint8Array) => updates.push(update))
    shapes(doc).set('shape:offline', 2)
    const [typed] = updates as [Uint8Array]

    const bob = join(board)
    await bob.synced
    const alice = use(await connectRaw(`${site.wsUrl}/${board}`))
    alice.send(edit(typed))
    const question = await alice.frame(isSyncStep1)
    alice.send(syncStep2(Y.encodeStateAsUpdate(doc, payloadOf(question))))
    await until(bob.doc, () => shapes(bob.doc).get('shape:offline') === 2)
  })

  test('that depend on what never comes are asked for, dropped, and harm nobody', async () => {
    const board = freshBoard()
    const doc = new Y.Doc()
    shapes(doc).set('shape:never', 1)
    const updates: Uint8Array[] = []
    doc.on('update', (update: Uint8Array) => updates.push(update))
    shapes(doc).set('shape:never', 2)

    const [alice, bob] = [use(await connectRaw(`${site.wsUrl}/${board}`)), join(board)]
    await alice.frame(isSyncStep1)
    alice.send(syncStep2(Y.encodeStateAsUpdate(new Y.Doc())))
    alice.send(edit(updates[0] as Uint8Array))
    await until(() => alice.frames.filter(isSyncStep1).length === 2, { what: 'a second question' })
    await bob.synced
    shapes(bob.doc).set('shape:bob', 1)
    await until(() => alice.frames.some(frame => isEdit(frame) && Buffer.from(frame).includes('shape:bob')))
    const late = join(board)
    await late.synced
    // Its echo would say that it is saved.
    expect(alice.frames.filter(isEdit)).toHaveLength(1)
    expect(shapes(late.doc).toJSON()).toEqual({ 'shape:bob': 1 })
    expect(late.doc.store.pendingStructs).toBe(null)
  })

  test('are all there for who joins late, and again after the room has left memory', async () => {
    const board = freshBoard()
    const short = use(await Site.start({ storage, settings: { ROOM_IDLE_MS: '0' } }))
    const alice = use(connectStock(short.wsUrl, board))
    await alice.synced
    for (let shape = 0; shape < 50; shape++) shapes(alice.doc).set(`shape:${shape}`, shape)
    const bob = use(connectStock(short.wsUrl, board))
    await until(bob.doc, () => shapes(bob.doc).size === 50)
    alice.stop()
    bob.stop()
    await until(() => short.rooms.size === 0)
    const carol = use(connectStock(short.wsUrl, board))
    await carol.synced
    expect(shapes(carol.doc).size).toBe(50)
  })

  test('that are in the log already are confirmed to whoever sends them again', async () => {
    const board = freshBoard()
    const alice = use(await connectRaw(`${site.wsUrl}/${board}`))
    const doc = new Y.Doc()
    shapes(doc).set('shape:a', 1)
    const update = Y.encodeStateAsUpdate(doc)
    alice.send(edit(update))
    await until(() => alice.frames.filter(isEdit).length === 1)
    alice.send(edit(update))
    await until(() => alice.frames.filter(isEdit).length === 2)
    expect(payloadOf(alice.frames.filter(isEdit)[1] as Uint8Array)).toEqual(update)
  })

  test('reach a joiner as one y-protocols message per frame: our question, the answer to its own, updates', async () => {
    const board = freshBoard()
    const alice = join(board)
    await alice.synced
    shapes(alice.doc).set('shape:a', 1)
    const raw = use(await connectRaw(`${site.wsUrl}/${board}`))
    raw.send(syncStep1())
    const answer = await raw.frame(isSyncStep2)
    expect(isSyncStep1(raw.frames[0] as Uint8Array)).toBe(true)
    const doc = new Y.Doc()
    Y.applyUpdate(doc, payloadOf(answer))
    expect(shapes(doc).get('shape:a')).toBe(1)
    for (const frame of raw.frames.filter(frame => !isAwareness(frame))) {
      expect(frame.length - payloadOf(frame).length).toBeLessThanOrEqual(2 + 5)
    }
  })
})

describe('presence', () => {
  test('is seen, and is gone for the others at once when somebody leaves or is cut off', async () => {
    const board = freshBoard()
    const [alice, bob] = [join(board), join(board)]
    await Promise.all([alice.synced, bob.synced])
    alice.awareness.setLocalState({ user: { name: 'Alice' } })
    await until(() => bob.awareness.getStates().get(alice.doc.clientID)?.user?.name === 'Alice')
    alice.stop()
    await until(() => !bob.awareness.getStates().has(alice.doc.clientID))

    const raw = use(await connectRaw(`${site.wsUrl}/${board}`))
    const carol = join(freshBoard(), { connect: false })
    carol.awareness.setLocalState({ user: { name: 'Carol' } })
    raw.send(awareness(encodeAwarenessUpdate(carol.awareness, [carol.doc.clientID])))
    await until(() => bob.awareness.getStates().has(carol.doc.clientID))
    raw.stop()
    await until(() => !bob.awareness.getStates().has(carol.doc.clientID))
  })

  test('comes back with the same client id after a reconnect', async () => {
    const board = freshBoard()
    const [alice, bob] = [join(board), join(board)]
    await Promise.all([alice.synced, bob.synced])
    alice.awareness.setLocalState({ user: { name: 'Alice' } })
    const seen = () => bob.awareness.getStates().get(alice.doc.clientID)?.user?.name === 'Alice'
    await until(seen)
    for (let round = 0; round < 3; round++) {
      alice.provider.disconnect()
      await until(() => !seen())
      alice.provider.connect()
      await until(seen)
    }
    // Cut off without a farewell: it comes back with the clock it had.
    ;(alice.provider.ws as unknown as { terminate(): void }).terminate()
    await until(() => alice.codes.length > 0)
    await until(() => alice.provider.wsconnected)
    await until(seen)
  })

  test('is there for who joins and for who asks', async () => {
    const board = freshBoard()
    const alice = join(board)
    await alice.synced
    alice.awareness.setLocalState({ user: { name: 'Alice' } })
    const raw = use(await connectRaw(`${site.wsUrl}/${board}`))
    const withAlice = (frame: Uint8Array) => isAwareness(frame) && Buffer.from(frame).includes('Alice')
    await raw.frame(withAlice)
    const before = raw.frames.filter(withAlice).length
    raw.send([3])
    await until(() => raw.frames.filter(withAlice).length > before)
  })
})

test('a client that is silent hears from us every 10 s or so, and stays connected', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
  try {
    const own = await Site.start({ storage })
    const raw = await connectRaw(`${own.wsUrl}/${freshBoard()}`)
    await raw.frame(isSyncStep1)
    const keptAwake = () => raw.frames.filter(frame => frame.length === 3 && frame[0] === 1 && frame[2] === 0).length
    for (let round = 1; round <= 4; round++) {
      await vi.advanceTimersByTimeAsync(10_000)
      await until(() => keptAwake() === round, { what: `keep-alive ${round} after ${round * 10} s` })
    }
    expect(raw.socket.readyState).toBe(raw.socket.OPEN)
    raw.stop()
    vi.useRealTimers()
    await own.stop()
  } finally {
    vi.useRealTimers()
  }
})
