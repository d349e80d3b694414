/** Rooms on the real store, and who is in them, without sockets. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, vi } from 'vitest'
import * as Y from 'yjs'
import { grantOf } from '../../core/auth/grant.ts'
import { SyncError } from '../../core/base/errors.ts'
import { createMetrics } from '../../core/base/metrics.ts'
import { createInProcessBus } from '../../core/bus/in-process.ts'
import { type BoardId, parseBoardId } from '../../core/contract/board-id.ts'
import type { Role } from '../../core/contract/role.ts'
import type { Storage } from '../../core/store/storage.ts'
import { StorageMonitor } from '../../core/store/storage-monitor.ts'
import { Committer } from '../../ws/room/committer.ts'
import { Peer, type PeerSocket } from '../../ws/room/peer.ts'
import { Rooms } from '../../ws/room/rooms.ts'
import { releasing, type Stoppable } from './releasing.ts'
import { embeddedStorage, silent } from './site.ts'

let boards = 0
export const freshBoard = (): BoardId => parseBoardId(`board-${++boards}`)
export const draining = new SyncError('draining', 'the test is over')

/** For one file of tests: they share a store. */
export function roomsOnOneStore() {
  const use = releasing()
  let storage: Storage & Stoppable
  beforeAll(async () => {
    storage = await embeddedStorage()
  })
  afterAll(() => storage.stop())

  /** Rooms; `read`, `save` and `pack` let the test see, hold or fail what is read and written. */
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

  /** A board with an edit: it is read when it is opened. */
  async function drawnBoard(): Promise<BoardId> {
    const board = freshBoard()
    await storage.boards.create(board)
    await storage.boards.append(randomUUID(), [{ board, entries: [{ actor: 'human:test', data: edit('drawn') }] }])
    return board
  }

  return { open, drawnBoard, storage: () => storage }
}

const grant = grantOf({ subject: 'test', rights: new Map([['*', 'write']]), basis: { issuer: 'test' } })

export function peer(socket: Partial<PeerSocket> = {}, role: Role = 'write') {
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
    role,
  )
  return { own, closed, sent }
}

let clients = 0
export function edit(key: string): Uint8Array {
  const doc = new Y.Doc()
  doc.clientID = ++clients
  doc.getMap('tldraw').set(key, 1)
  return Y.encodeStateAsUpdate(doc)
}

export const keysIn = (doc: Y.Doc) => [...doc.getMap('tldraw').keys()].sort()

export const isUpdate = (frame: Uint8Array) => frame[0] === 0 && frame[1] === 2
