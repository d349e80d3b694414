import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import * as Y from 'yjs'
import { grantOf } from '../../core/auth/grant.ts'
import { StorageError, SyncError } from '../../core/base/errors.ts'
import { createMetrics } from '../../core/base/metrics.ts'
import { createInProcessBus } from '../../core/bus/in-process.ts'
import { type BoardId, parseBoardId } from '../../core/contract/board-id.ts'
import type { Storage } from '../../core/store/storage.ts'
import { StorageMonitor } from '../../core/store/storage-monitor.ts'
import { releasing, type Stoppable } from '../../test/kit/releasing.ts'
import { embeddedStorage, silent } from '../../test/kit/site.ts'
import { until } from '../../test/kit/until.ts'
import { Committer } from './committer.ts'
import { Peer, type PeerSocket } from './peer.ts'
import { Rooms } from './rooms.ts'

const use = releasing()
let storage: Storage & Stoppable
beforeAll(async () => {
  storage = await embeddedStorage()
})
afterAll(() => storage.stop())

let boards = 0
const freshBoard = (): BoardId => parseBoardId(`board-${++boards}`)
const draining = new SyncError('draining', 'the test is over')

/** Rooms on the real store, where `faults` lets the test hold or fail what is read and written. */
function open({ idleMs = 60_000, restMs = 30_000 } = {}) {
  const metrics = createMetrics()
  const monitor = use(new StorageMonitor(storage, silent))
  const committer = use(new Committer(storage.boards, monitor, silent, metrics, { board: 1e6, total: 1e6 }))
  const read = vi.fn((board: BoardId, known: number) => storage.archive.read(board, known))
  const save = vi.fn((...given: Parameters<Storage['archive']['save']>) => storage.archive.save(...given))
  const pack = vi.fn((board: BoardId) => storage.archive.pack(board))
  const limits = { debounceMs: 60_000, maxWaitMs: 60_000, updateBytes: 1e6, boardBytes: 1e6, peers: 10, restMs }
  const rooms = new Rooms({
    boards: storage.boards,
    archive: { read, save, pack },
    committer,
    bus: createInProcessBus(silent),
    instance: 'this',
    idleMs,
    limits,
    log: silent,
    metrics,
  })
  use(rooms, () => rooms.close(draining))
  return { rooms, read, save, pack }
}

const grant = grantOf({ subject: 'test', rights: new Map([['*', 'write']]), basis: { issuer: 'test' } })

function peer(socket: Partial<PeerSocket> = {}) {
  const closed: SyncError[] = []
  const sent: Uint8Array[] = []
  const own = new Peer(
    {
      bufferedAmount: 0,
      send: frame => void sent.push(frame),
      close: error => void closed.push(error),
      answersPing: async () => true,
      ...socket,
    },
    grant,
    'write',
  )
  return { own, closed, sent }
}

let clients = 0
function edit(key: string): Uint8Array {
  const doc = new Y.Doc()
  doc.clientID = ++clients
  doc.getMap('tldraw').set(key, 1)
  return Y.encodeStateAsUpdate(doc)
}

const keysIn = (doc: Y.Doc) => [...doc.getMap('tldraw').keys()].sort()

/** A board with an edit: it is read when it is opened. */
async function drawnBoard(): Promise<BoardId> {
  const board = freshBoard()
  await storage.boards.create(board)
  await storage.boards.append(randomUUID(), [{ board, entries: [{ actor: 'human:test', data: edit('drawn') }] }])
  return board
}

const isUpdate = (frame: Uint8Array) => frame[0] === 0 && frame[1] === 2

describe('opening', () => {
  test('is done once, however many come at a time', async () => {
    const { rooms, read } = open()
    const board = await drawnBoard()
    const holds = await Promise.all(Array.from({ length: 5 }, () => rooms.hold(board, true)))
    expect(new Set(holds.map(({ room }) => room)).size).toBe(1)
    expect(read).toHaveBeenCalledTimes(1)
    expect(rooms.size).toBe(1)
    expect(keysIn(holds[0]?.room.replica.doc as Y.Doc)).toEqual(['drawn'])
  })

  test('of a board that nobody has drawn on reads nothing', async () => {
    const { rooms, read } = open()
    const { room } = await rooms.hold(freshBoard(), true)
    expect(room.replica.known).toBe(0)
    expect(read).not.toHaveBeenCalled()
  })

  test('that fails leaves nothing behind, tells all who waited, and is tried again by the next', async () => {
    const { rooms, read, save } = open()
    const board = await drawnBoard()
    read.mockRejectedValueOnce(new StorageError('unavailable', 'down'))
    const waiting = await Promise.allSettled([rooms.hold(board, true), rooms.hold(board, true)])
    expect(waiting.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(rooms.size).toBe(0)
    expect(save).not.toHaveBeenCalled()
    await rooms.hold(board, true)
    expect(rooms.has(board)).toBe(true)
  })

  test('brings no board into being for who may not; who may does not suffer from one who tried before', async () => {
    const { rooms } = open()
    const board = freshBoard()
    await expect(rooms.hold(board, false)).rejects.toMatchObject({ code: 'board-forbidden' })
    const [reader, writer] = await Promise.allSettled([rooms.hold(board, false), rooms.hold(board, true)])
    expect(reader.status).toBe('rejected')
    expect(writer.status).toBe('fulfilled')
  })
})

describe('a room that nobody holds', () => {
  test('leaves memory after a while with a snapshot, and comes back whole', async () => {
    const { rooms, save } = open({ idleMs: 10 })
    const board = freshBoard()
    const { room, release } = await rooms.hold(board, true)
    const alice = peer()
    room.join(alice.own)
    room.receive({ kind: 'update', update: edit('a') }, alice.own)
    room.leave(alice.own)
    release()
    release() // a second time means nothing
    await until(() => rooms.size === 0)
    expect(save).toHaveBeenCalledTimes(1)
    const again = await rooms.hold(board, false)
    expect(again.room).not.toBe(room)
    expect(keysIn(again.room.replica.doc)).toEqual(['a'])
  })

  test('stays while somebody else holds it, and when somebody comes back in time', async () => {
    const { rooms } = open({ idleMs: 10_000 })
    const board = freshBoard()
    const [first, second] = [await rooms.hold(board, true), await rooms.hold(board, true)]
    first.release()
    second.release()
    const third = await rooms.hold(board, true)
    expect(third.room).toBe(first.room)
  })

  test('leaves a short log behind, save where all rooms close: then there is no time for that', async () => {
    const { rooms, save, pack } = open({ idleMs: 0 })
    const draw = async (board: BoardId) => {
      const hold = await rooms.hold(board, true)
      const alice = peer()
      hold.room.join(alice.own)
      hold.room.receive({ kind: 'update', update: edit('a') }, alice.own)
      await until(() => alice.sent.some(isUpdate))
      return hold
    }
    const [left, kept] = [freshBoard(), freshBoard()]
    const [hold] = await Promise.all([draw(left), draw(kept)])
    hold.release()
    await until(() => !rooms.has(left))
    await rooms.close(draining)
    expect(save.mock.calls.map(([board]) => board)).toEqual([left, kept])
    expect(pack.mock.calls).toEqual([[left]])
  })

  test('and is closing is waited for by who comes: it finds the board as it was saved', async () => {
    const { rooms, save } = open({ idleMs: 0 })
    const board = freshBoard()
    let end = () => {}
    save.mockImplementationOnce(async (...given) => {
      await new Promise<void>(resolve => {
        end = resolve
      })
      return storage.archive.save(...given)
    })
    const { room, release } = await rooms.hold(board, true)
    const alice = peer()
    room.join(alice.own)
    room.receive({ kind: 'update', update: edit('a') }, alice.own)
    await until(() => alice.sent.some(isUpdate))
    release()
    await until(() => save.mock.calls.length === 1)
    const came = vi.fn()
    const coming = rooms.hold(board, true).then(hold => {
      came()
      return hold
    })
    await until(() => rooms.has(board))
    expect(came).not.toHaveBeenCalled()
    end()
    const again = await coming
    expect(again.room).not.toBe(room)
    expect(keysIn(again.room.replica.doc)).toEqual(['a'])
  })

  test('whose snapshot fails closes all the same: the log has everything', async () => {
    const { rooms, save } = open({ idleMs: 0 })
    const board = freshBoard()
    save.mockRejectedValue(new StorageError('unavailable', 'down'))
    const { room, release } = await rooms.hold(board, true)
    const alice = peer()
    room.join(alice.own)
    room.receive({ kind: 'update', update: edit('a') }, alice.own)
    release()
    await until(() => rooms.size === 0)
    expect(alice.closed).toHaveLength(1)
    expect(keysIn((await rooms.hold(board, false)).room.replica.doc)).toEqual(['a'])
  })

  test('whose snapshot does not come about closes all the same, and so lets in who came meanwhile', async () => {
    const { rooms, save } = open({ idleMs: 0 })
    const board = freshBoard()
    save.mockReturnValueOnce(new Promise(() => {}))
    const { room, release } = await rooms.hold(board, true)
    const alice = peer()
    room.join(alice.own)
    room.receive({ kind: 'update', update: edit('a') }, alice.own)
    await until(() => alice.sent.some(isUpdate))
    release()
    await until(() => save.mock.calls.length === 1)
    expect(keysIn((await rooms.hold(board, false)).room.replica.doc)).toEqual(['a'])
  })

  test('and cannot be taken apart does not keep its board closed', async () => {
    const { rooms } = open({ idleMs: 0 })
    const board = freshBoard()
    const { room, release } = await rooms.hold(board, true)
    vi.spyOn(room.replica, 'destroy').mockImplementation(() => {
      throw new Error('a fault of ours')
    })
    release()
    await until(() => rooms.size === 0)
    expect((await rooms.hold(board, true)).room).not.toBe(room)
  })
})

describe('a discarded room', () => {
  test('sends everybody away, takes nothing more, and the next open reads the log', async () => {
    const { rooms, save } = open()
    const board = freshBoard()
    const { room, release } = await rooms.hold(board, true)
    const alice = peer()
    room.join(alice.own)
    room.receive({ kind: 'update', update: edit('committed') }, alice.own)
    await until(() => alice.sent.some(isUpdate))
    room.receive({ kind: 'update', update: edit('lost') }, alice.own)
    rooms.discard(room, new SyncError('storage-unavailable', 'too long'))
    room.receive({ kind: 'update', update: edit('late') }, alice.own)
    expect(alice.closed.map(({ code }) => code)).toEqual(['storage-unavailable'])
    expect(() => room.join(peer().own)).toThrow('too long')
    release()
    const again = await rooms.hold(board, true)
    expect(again.room).not.toBe(room)
    expect(keysIn(again.room.replica.doc)).toContain('committed')
    expect(keysIn(again.room.replica.doc)).not.toContain('late')
    expect(save).not.toHaveBeenCalled()
  })
})

describe('a broadcast', () => {
  test('reaches the others though one socket throws, which is sent away', async () => {
    const { rooms } = open()
    const { room } = await rooms.hold(freshBoard(), true)
    const fail = () => {
      throw new Error('broken')
    }
    const [alice, bob] = [peer(), peer()]
    const [broken, worse] = [peer({ send: fail }), peer({ send: fail, close: fail })]
    for (const { own } of [alice, broken, worse, bob]) room.join(own)
    room.receive({ kind: 'update', update: edit('a') }, alice.own)
    await until(() => alice.sent.some(isUpdate) && bob.sent.some(isUpdate))
    expect(broken.closed.length).toBeGreaterThan(0)
  })
})

test('a board that nobody edits for a while keeps no document: whoever joins then does not wake it, an edit does', async () => {
  const { rooms } = open({ restMs: 20 })
  const { room } = await rooms.hold(freshBoard(), true)
  const [alice, bob] = [peer(), peer()]
  room.join(alice.own)
  room.receive({ kind: 'update', update: edit('a') }, alice.own)
  await until(() => alice.sent.some(isUpdate))
  await until(() => room.replica.usedAt === undefined, { what: 'the document to rest' })

  room.join(bob.own)
  room.receive({ kind: 'sync-step-1', stateVector: new Map() }, bob.own)
  room.receive({ kind: 'sync-step-2', update: Uint8Array.of(0, 0) }, bob.own)
  // A step 2 of nothing is no edit; an update of nothing is one, and gets its echo.
  expect(bob.sent.some(isUpdate)).toBe(false)
  room.receive({ kind: 'update', update: Uint8Array.of(0, 0) }, bob.own)
  await until(() => bob.sent.some(isUpdate), { what: 'the echo' })
  expect(room.replica.usedAt).toBeUndefined()
  const answer = bob.sent.find(frame => frame[0] === 0 && frame[1] === 1)
  expect(answer?.length).toBeGreaterThan(10)

  room.receive({ kind: 'update', update: edit('b') }, bob.own)
  await until(() => alice.sent.filter(isUpdate).length === 2)
  expect(keysIn(room.replica.doc)).toEqual(['a', 'b'])
})

test('who asks again while its answer waits gets the later one only', async () => {
  const { rooms } = open()
  const { room } = await rooms.hold(freshBoard(), true)
  const [alice, bob] = [peer(), peer()]
  room.join(alice.own)
  room.join(bob.own)
  room.receive({ kind: 'update', update: edit('a') }, alice.own)
  for (let times = 0; times < 3; times++) room.receive({ kind: 'sync-step-1', stateVector: new Map() }, bob.own)
  await until(() => bob.sent.some(isUpdate))
  expect(bob.sent.filter(frame => frame[0] === 0 && frame[1] === 1)).toHaveLength(1)
  room.receive({ kind: 'sync-step-1', stateVector: new Map() }, bob.own)
  expect(bob.sent.filter(frame => frame[0] === 0 && frame[1] === 1)).toHaveLength(2)
})

test('stopping commits, snapshots and closes every room, those that are opening too', async () => {
  const { rooms, read, save } = open()
  const [board, opening] = [freshBoard(), await drawnBoard()]
  const { room } = await rooms.hold(board, true)
  const alice = peer()
  room.join(alice.own)
  room.receive({ kind: 'update', update: edit('a') }, alice.own)
  let end = () => {}
  read.mockImplementationOnce(async (...given) => {
    await new Promise<void>(resolve => {
      end = resolve
    })
    return storage.archive.read(...given)
  })
  const late = rooms.hold(opening, true)
  await until(() => read.mock.calls.length === 1)
  const closed = rooms.close(draining)
  end()
  await Promise.all([late, closed])
  expect(rooms.size).toBe(0)
  // The other had a row that no snapshot held yet.
  expect(new Set(save.mock.calls.map(([saved]) => saved))).toEqual(new Set([board, opening]))
  expect(alice.closed).toEqual([draining])
  const stored = await storage.archive.read(board, 0)
  expect(stored?.snapshot?.seq).toBe(1)
})

test('boards whose snapshots are due together are written a few at a time, and edited meanwhile', async () => {
  const { rooms, save } = open()
  const ends: (() => void)[] = []
  let holding = true
  save.mockImplementation(async (...given) => {
    if (holding) await new Promise<void>(resolve => ends.push(resolve))
    return storage.archive.save(...given)
  })
  const alice = peer()
  const opened = await Promise.all(
    Array.from({ length: 9 }, async () => {
      const { room } = await rooms.hold(freshBoard(), true)
      room.join(alice.own)
      room.receive({ kind: 'update', update: edit('a') }, alice.own)
      return room
    }),
  )
  await until(() => opened.every(({ line }) => line.isQuiet))
  const savings = opened.map(({ snapshots }) => snapshots.save())
  await until(() => ends.length === 4)
  for (const room of opened) room.receive({ kind: 'update', update: edit('b') }, alice.own)
  await until(() => opened.every(({ line }) => line.isQuiet))
  expect(save).toHaveBeenCalledTimes(4)
  for (let done = 0; done < opened.length; done++) {
    await until(() => ends.length > done)
    ends[done]?.()
  }
  await Promise.all(savings)
  holding = false
  const stored = await Promise.all(opened.map(({ board }) => storage.archive.read(board, 0)))
  // Those that waited for their turn hold what came until then.
  expect(stored.map(board => board?.snapshot?.seq)).toEqual([1, 1, 1, 1, 2, 2, 2, 2, 2])
})

test('open rooms have no timer each: one looks at all of them, and one that fails keeps it from none', async () => {
  const { rooms } = open({ restMs: 300 })
  const timers = vi.spyOn(globalThis, 'setInterval')
  const [broken, sound] = [await rooms.hold(freshBoard(), true), await rooms.hold(freshBoard(), true)]
  expect(timers).not.toHaveBeenCalled()
  timers.mockRestore()
  const look = vi.spyOn(broken.room, 'look').mockImplementation(() => {
    throw new Error('broken')
  })
  await until(() => sound.room.replica.rests)
  expect(look).toHaveBeenCalled()
})
