/** An instance inside the test: the parts that `main.ts` composes, on an embedded database, asked through `inject`. */

import type { AddressInfo } from 'node:net'
import type { FastifyInstance, InjectOptions } from 'fastify'
import { pino } from 'pino'
import * as Y from 'yjs'
import { restApi } from '../../api-bridge/app.ts'
import { BoardReader } from '../../api-bridge/board-reader.ts'
import { ChangeDesk } from '../../api-bridge/change-desk.ts'
import { closeHttpApp, createHttpApp } from '../../api-bridge/http-app.ts'
import { createAuthenticate } from '../../core/auth/authenticate.ts'
import { createRequestGuard } from '../../core/auth/request-guard.ts'
import { readConfig } from '../../core/base/config.ts'
import { SyncError } from '../../core/base/errors.ts'
import { createMetrics } from '../../core/base/metrics.ts'
import { Releasers } from '../../core/base/releasers.ts'
import type { Bus } from '../../core/bus/bus.ts'
import { createInProcessBus } from '../../core/bus/in-process.ts'
import { parseBoardId } from '../../core/contract/board-id.ts'
import { Replica } from '../../core/doc/replica.ts'
import { openStorage, type Storage } from '../../core/store/storage.ts'
import { StorageMonitor } from '../../core/store/storage-monitor.ts'
import { Committer } from '../../ws/room/committer.ts'
import { ItemInbox } from '../../ws/room/item-inbox.ts'
import { Rooms } from '../../ws/room/rooms.ts'
import { Sockets } from '../../ws/server/sockets.ts'
import { connectStock, type StockClient } from '../kit/stock-client.ts'
import { temporaryFolder } from '../kit/temporary-folder.ts'

export interface SiteOptions {
  /** Default: an embedded database of its own. */
  storage?: Storage
  /** Settings by name, as in `.env.example`. */
  settings?: Record<string, string>
  /** Whether changes are applied as they come in. Default true. */
  applies?: boolean
  bus?: Bus
}

const log = pino({ level: 'silent' })

/** The embedded database in this folder. */
export const openEmbeddedStorage = (directory: string): Promise<Storage> =>
  openStorage(readConfig({ DATA_DIR: directory }), log)

export class Site {
  readonly app: FastifyInstance
  readonly rooms: Rooms
  readonly inbox: ItemInbox
  readonly storage: Storage
  readonly #parts: Releasers

  private constructor(app: FastifyInstance, rooms: Rooms, inbox: ItemInbox, storage: Storage, parts: Releasers) {
    this.app = app
    this.rooms = rooms
    this.inbox = inbox
    this.storage = storage
    this.#parts = parts
  }

  static async start({ settings = {}, applies = true, bus = createInProcessBus(log), ...given }: SiteOptions = {}) {
    const config = readConfig(settings)
    const parts = new Releasers()
    const storage = given.storage ?? (await ownStorage(parts))
    const metrics = createMetrics()
    const monitor = new StorageMonitor(storage, log)
    parts.add('monitor', () => monitor.stop())
    const committer = new Committer(storage.boards, monitor, log, metrics, {
      board: config.PENDING_BYTES_BOARD,
      total: config.PENDING_BYTES_TOTAL,
    })
    parts.add('committer', () => committer.stop())
    const rooms = new Rooms({
      boards: storage.boards,
      archive: storage.archive,
      committer,
      idleMs: config.ROOM_IDLE_MS,
      limits: {
        debounceMs: config.SNAPSHOT_DEBOUNCE_MS,
        maxWaitMs: config.SNAPSHOT_MAX_WAIT_MS,
        updateBytes: config.MAX_FRAME_BYTES,
        boardBytes: config.MAX_BOARD_BYTES,
        peers: config.MAX_PEERS_PER_BOARD,
      },
      log,
      metrics,
    })
    parts.add('rooms', () => rooms.close(new SyncError('draining', 'the test is over')))
    const authenticate = createAuthenticate(config)
    const guard = createRequestGuard(config)
    const limits = { frameBytes: config.MAX_FRAME_BYTES, connections: config.MAX_CONNECTIONS }
    const sockets = new Sockets({ rooms, authenticate, guard, monitor, limits, log, metrics })
    const desk = new ChangeDesk(storage.changes, bus)
    await desk.start()
    parts.add('desk', () => desk.stop())
    const app = createHttpApp(log, guard)
    sockets.attach(app.server)
    await restApi(app, { authenticate, reader: new BoardReader(storage), desk, changes: storage.changes })
    await app.listen({ port: 0, host: '127.0.0.1' })
    parts.add('http', () => closeHttpApp(app))
    parts.add('sockets', () => sockets.drain())
    const inbox = new ItemInbox(storage.changes, rooms, bus, log, metrics)
    if (applies) await inbox.start()
    parts.add('inbox', () => inbox.stop())
    return new Site(app, rooms, inbox, storage, parts)
  }

  async stop(): Promise<void> {
    const errors: unknown[] = []
    await this.#parts.release((_name, error) => {
      errors.push(error)
    })
    if (errors.length > 0) throw new AggregateError(errors)
  }

  /** @param body sent as JSON; a string is sent as it is */
  ask(method: NonNullable<InjectOptions['method']>, url: string, body?: unknown, headers: Record<string, string> = {}) {
    const payload = body === undefined ? {} : { payload: typeof body === 'string' ? body : JSON.stringify(body) }
    const type = body === undefined ? {} : { 'content-type': 'application/json' }
    return this.app.inject({ method, url, headers: { host: 'localhost', ...type, ...headers }, ...payload })
  }

  get url(): string {
    return `http://127.0.0.1:${(this.app.server.address() as AddressInfo).port}`
  }

  /** A person who has the board open. */
  async join(board: string, doc = new Y.Doc()): Promise<StockClient> {
    const client = connectStock(this.url.replace('http', 'ws'), board, { doc })
    await client.synced
    return client
  }

  /** The board as the log alone has it. */
  async logged(board: string): Promise<Y.Doc> {
    const stored = await this.storage.archive.read(parseBoardId(board), 0)
    if (!stored) throw new Error(`no board ${board}`)
    return new Replica(stored).doc
  }
}

async function ownStorage(parts: Releasers): Promise<Storage> {
  const folder = temporaryFolder()
  parts.add('folder', () => {
    folder.stop()
  })
  const storage = await openEmbeddedStorage(folder.path)
  parts.add('storage', () => storage.close())
  return storage
}
