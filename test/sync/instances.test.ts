/** Two instances on one store and one bus: what one commits is at the other's clients at once, whatever the bus does. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import type { BoardId } from '../../core/contract/board-id.ts'
import { readRecord } from '../../core/doc/record-layout.ts'
import type { Storage } from '../../core/store/storage.ts'
import { decodeSyncMessage, encodeSyncMessage, type SyncMessage } from '../../ws/room/sync-message.ts'
import { releasing, type Stoppable } from '../kit/releasing.ts'
import { embeddedStorage, freshBoard, Site } from '../kit/site.ts'
import { until } from '../kit/until.ts'
import { type WatchedBus, watchedBus } from '../kit/watched-bus.ts'

const use = releasing()
const never = 3_600_000
let storage: Storage & Stoppable
beforeAll(async () => {
  storage = await embeddedStorage()
})
afterAll(() => storage.stop())

const shapes = (doc: Y.Doc) => doc.getMap<unknown>('tldraw')
const isSync = (channel: string) => channel.endsWith(':sync')
const isOfRooms = (channel: string) => /:(sync|awareness)$/.test(channel)
const sticky = (id: string) => ({ id, type: 'sticky', x: 0, y: 0, content: { text: id } })

/** Two instances; `reads` notes each time the second one reads rows from the log. */
async function two({ bus = watchedBus(), compareEveryMs = never } = {}) {
  const reads: number[] = []
  const watched: Storage = {
    ...storage,
    archive: {
      save: (...given) => storage.archive.save(...given),
      pack: board => storage.archive.pack(board),
      read: (board: BoardId, known: number) => {
        reads.push(known)
        return storage.archive.read(board, known)
      },
    },
  }
  const one = use(await Site.start({ storage, bus, compareEveryMs }))
  const other = use(await Site.start({ storage: watched, bus, compareEveryMs, applies: false }))
  return { bus, one, other, reads }
}

/** The same, and a person with a board open at each. */
async function people(options: Parameters<typeof two>[0] = {}) {
  const sites = await two(options)
  const board = freshBoard()
  const alice = use(await sites.one.join(board))
  const bob = use(await sites.other.join(board))
  shapes(alice.doc).set('first', 0)
  await until(bob.doc, () => shapes(bob.doc).get('first') === 0)
  sites.reads.length = 0
  return { ...sites, board, alice, bob }
}

const messagesOf = (bus: WatchedBus, board: string): SyncMessage[] =>
  bus.published
    .filter(({ channel }) => channel === `board:${board}:sync`)
    .flatMap(({ message }) => decodeSyncMessage(message) ?? [])

describe('an edit on one instance', () => {
  test('is at the other without its looking at the log, both ways', async () => {
    const { alice, bob, reads } = await people()
    shapes(alice.doc).set('a', 1)
    await until(bob.doc, () => shapes(bob.doc).get('a') === 1)
    shapes(bob.doc).set('b', 2)
    await until(alice.doc, () => shapes(alice.doc).get('b') === 2)
    expect(reads).toEqual([])
  })

  test('over 64 KiB goes by the log', async () => {
    const { bus, board, alice, bob, reads } = await people()
    shapes(alice.doc).set('big', 'x'.repeat(70_000))
    await until(bob.doc, () => shapes(bob.doc).has('big'))
    expect(messagesOf(bus, board).at(-1)?.update).toBeUndefined()
    expect(reads).toEqual([1])
  })

  test('made by an agent is at the other too', async () => {
    const { one, board, bob, reads } = await people()
    const answer = await one.ask('POST', `/v1/boards/${board}/items`, sticky('note'))
    expect(answer.statusCode).toBe(201)
    await until(bob.doc, () => shapes(bob.doc).has('shape:note'))
    expect(reads).toEqual([])
  })

  test('is at the other’s people before a change that the other makes on top of it', async () => {
    const { bus, one, other, board, bob } = await people()
    const move = (site: Site, x: number) => site.ask('PATCH', `/v1/boards/${board}/items/a`, { x })
    expect((await one.ask('POST', `/v1/boards/${board}/items`, sticky('a'))).statusCode).toBe(201)
    expect((await move(one, 1)).statusCode).toBe(200)
    const place = () => readRecord('shape:a', shapes(bob.doc).get('shape:a'))?.x
    await until(bob.doc, () => place() === 1)
    const seen: unknown[] = []
    shapes(bob.doc).observeDeep(() => seen.push(place()))

    bus.loses = isSync
    expect((await move(one, 2)).statusCode).toBe(200)
    await one.inbox.stop()
    const moved = move(other, 3)
    await other.inbox.start()
    expect((await moved).statusCode).toBe(200)
    await until(bob.doc, () => place() === 3)
    // Yjs would have taken away the place of 1 before that of 2 came: the item would be seen where it was created.
    expect(seen).toEqual([2, 3])
  })

  test.each([
    ['reads the board', true],
    ['learns that nobody has drawn on it', false],
  ])('that is committed while the other %s is not missed', async (_, isDrawn) => {
    const bus = watchedBus()
    const board = freshBoard()
    const one = use(await Site.start({ storage, bus, compareEveryMs: never }))
    const alice = use(await one.join(board))
    if (isDrawn) {
      shapes(alice.doc).set('before', 1)
      await until(() => messagesOf(bus, board).length === 1)
    }
    const messages = messagesOf(bus, board).length
    let proceed = () => {}
    let read = false
    const late = async <T>(answer: Promise<T>): Promise<T> => {
      const found = await answer
      if (!read) {
        read = true
        await new Promise<void>(resolve => {
          proceed = resolve
        })
      }
      return found
    }
    const slow: Storage = {
      ...storage,
      boards: isDrawn
        ? storage.boards
        : new Proxy(storage.boards, {
            get: (boards, name: keyof Storage['boards']) =>
              name === 'create' ? (id: BoardId) => late(boards.create(id)) : boards[name].bind(boards),
          }),
      archive: isDrawn
        ? { ...storage.archive, read: (...given) => late(storage.archive.read(...given)) }
        : storage.archive,
    }
    const other = use(await Site.start({ storage: slow, bus, compareEveryMs: never, applies: false }))
    const joining = other.join(board)
    await until(() => read)
    shapes(alice.doc).set('meanwhile', 1)
    await until(() => messagesOf(bus, board).length === messages + 1)
    await new Promise(resolve => setImmediate(resolve)) // after the message
    proceed()
    const bob = use(await joining)
    await until(bob.doc, () => shapes(bob.doc).get('meanwhile') === 1)
  })
})

describe('a message of the bus', () => {
  test('that is lost is made up for by the next one', async () => {
    const { bus, alice, bob, board } = await people()
    bus.loses = isSync
    shapes(alice.doc).set('lost', 1)
    await until(() => messagesOf(bus, board).length === 2)
    bus.loses = () => false
    shapes(alice.doc).set('next', 2)
    await until(bob.doc, () => shapes(bob.doc).get('next') === 2)
    expect(shapes(bob.doc).get('lost')).toBe(1)
  })

  test('that is lost is made up for by comparing with the store', async () => {
    const { bus, alice, bob } = await people({ compareEveryMs: 50 })
    bus.loses = isSync
    shapes(alice.doc).set('lost', 1)
    await until(bob.doc, () => shapes(bob.doc).get('lost') === 1)
  })

  test('that is doubled, late or out of order does no harm', async () => {
    const { bus, board, alice, bob, other } = await people()
    bus.holds = isSync
    for (let edit = 1; edit <= 5; edit++) {
      shapes(alice.doc).set(`edit-${edit}`, edit)
      await until(() => messagesOf(bus, board).length === edit + 1)
    }
    const sent = bus.published.filter(({ channel }) => isSync(channel))
    for (const { channel, message } of [...sent].reverse().concat(sent, sent)) bus.deliver(channel, message)
    await until(bob.doc, () => shapes(bob.doc).size === 6)
    const [room] = other.rooms.open()
    expect(room?.replica.known).toBe(6)
  })

  test('that is none is counted, and the next one works', async () => {
    const { bus, board, alice, bob, other } = await people()
    bus.deliver(`board:${board}:sync`, Uint8Array.of(1, 2, 3))
    await until(
      async () => (await other.counted('boardsync_refusals_total', { reason: 'bus-message-malformed' })) === 1,
    )
    shapes(alice.doc).set('a', 1)
    await until(bob.doc, () => shapes(bob.doc).get('a') === 1)
  })

  test.each([
    ['bytes that are no update', { update: Uint8Array.of(9, 9, 9) }],
    ['bytes left over', { update: Uint8Array.of(...Y.encodeStateAsUpdate(new Y.Doc()), 0) }],
    ['an update that depends on what nobody has', { update: dangling() }],
    ['another history', { epoch: 12 }],
    ['seqs far ahead', { firstSeq: 900, lastSeq: 900 }],
  ])('with %s makes the log be read, and moves nothing', async (_what, forged) => {
    const { bus, board, alice, bob, other, reads } = await people()
    const [genuine] = messagesOf(bus, board)
    if (!genuine) throw new Error('nothing was published')
    const message = { ...genuine, instance: 'forged', firstSeq: 2, lastSeq: 2, ...forged }
    bus.deliver(`board:${board}:sync`, encodeSyncMessage(message))
    await until(() => reads.length === 1)
    const [room] = other.rooms.open()
    expect(room?.replica.known).toBe(1)
    shapes(alice.doc).set('a', 1)
    await until(bob.doc, () => shapes(bob.doc).get('a') === 1)
    expect(bob.codes).toEqual([])
  })

  test('that claims seqs the store has not got costs the room, not the board', async () => {
    const { bus, board, bob, alice } = await people({ compareEveryMs: 50 })
    const [genuine] = messagesOf(bus, board)
    if (!genuine) throw new Error('nothing was published')
    bus.deliver(
      `board:${board}:sync`,
      encodeSyncMessage({ ...genuine, instance: 'forged', firstSeq: 2, lastSeq: 1_000 }),
    )
    await until(() => bob.codes.includes(1012))
    shapes(alice.doc).set('a', 1)
    await until(bob.doc, () => shapes(bob.doc).get('a') === 1)
  })
})

describe('a room', () => {
  test('listens while it is open', async () => {
    const bus = watchedBus()
    const site = use(await Site.start({ storage, bus, settings: { ROOM_IDLE_MS: '1' } }))
    const board = freshBoard()
    const alice = await site.join(board)
    expect(bus.subscribed).toContain(`board:${board}:sync`)
    alice.stop()
    await until(() => !bus.subscribed.some(channel => channel.startsWith(`board:${board}:`)))
  })

  test('opens although the bus does not answer, and finds what others commit in the store', async () => {
    const bus = watchedBus()
    const subscribe: typeof bus.subscribe = async (channel, handler) =>
      isOfRooms(channel) ? () => {} : bus.subscribe(channel, handler)
    const mute = { ...bus, subscribe }
    const board = freshBoard()
    const one = use(await Site.start({ storage, bus, compareEveryMs: never }))
    const other = use(await Site.start({ storage, bus: mute, compareEveryMs: 50, applies: false }))
    const [alice, bob] = [use(await one.join(board)), use(await other.join(board))]
    shapes(alice.doc).set('a', 1)
    await until(bob.doc, () => shapes(bob.doc).get('a') === 1)
  })

  test('that is heard late reads what it missed, and stops listening when it was closed meanwhile', async () => {
    const bus = watchedBus()
    const arriving: (() => Promise<void>)[] = []
    const ended: string[] = []
    const subscribe: typeof bus.subscribe = async (channel, handler, onLate) => {
      if (!isOfRooms(channel)) return bus.subscribe(channel, handler)
      let isEnded = false
      let unsubscribe = () => {}
      arriving.push(async () => {
        if (isEnded) return
        unsubscribe = await bus.subscribe(channel, handler)
        onLate?.()
      })
      return () => {
        isEnded = true
        ended.push(channel)
        unsubscribe()
      }
    }
    const late = { ...bus, subscribe }
    const board = freshBoard()
    const one = use(await Site.start({ storage, bus, compareEveryMs: never }))
    const settings = { ROOM_IDLE_MS: '1' }
    const other = use(await Site.start({ storage, bus: late, compareEveryMs: never, applies: false, settings }))
    const [alice, bob] = [use(await one.join(board)), await other.join(board)]
    shapes(alice.doc).set('a', 1)
    await until(() => messagesOf(bus, board).length === 1)
    for (const arrive of arriving.splice(0)) await arrive()
    await until(bob.doc, () => shapes(bob.doc).get('a') === 1)
    bob.stop()
    await until(() => other.rooms.size === 0)

    ended.length = 0
    const again = await other.join(board)
    again.stop()
    await until(() => other.rooms.size === 0)
    expect(ended).toContain(`board:${board}:sync`)
  })
})

/** An edit without the one it goes on from. */
function dangling(): Uint8Array {
  const doc = new Y.Doc()
  const text = doc.getText('t')
  text.insert(0, 'a')
  const before = Y.encodeStateVector(doc)
  text.insert(1, 'b')
  return Y.encodeStateAsUpdate(doc, before)
}
