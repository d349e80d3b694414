/** An instance inside the test process: the parts that `main.ts` composes, on a storage that the test brings. */

import type { AddressInfo } from 'node:net'
import { restApi } from '../../api-bridge/app.ts'
import { BoardReader } from '../../api-bridge/board-reader.ts'
import { ChangeDesk } from '../../api-bridge/change-desk.ts'
import { createHttpApp } from '../../api-bridge/http-app.ts'
import { type Authenticate, createAuthenticate } from '../../core/auth/authenticate.ts'
import { createRequestGuard } from '../../core/auth/request-guard.ts'
import { readConfig } from '../../core/base/config.ts'
import { SyncError } from '../../core/base/errors.ts'
import { createLogger } from '../../core/base/log.ts'
import { createMetrics, type Metrics } from '../../core/base/metrics.ts'
import { Releasers } from '../../core/base/releasers.ts'
import { createInProcessBus } from '../../core/bus/in-process.ts'
import { openStorage, type Storage } from '../../core/store/storage.ts'
import { StorageMonitor } from '../../core/store/storage-monitor.ts'
import { Committer } from '../../ws/room/committer.ts'
import { ItemInbox } from '../../ws/room/item-inbox.ts'
import { Replication } from '../../ws/room/replication.ts'
import { Rooms } from '../../ws/room/rooms.ts'
import { Sockets } from '../../ws/server/sockets.ts'
import type { Stoppable } from '../kit/releasing.ts'
import { temporaryFolder } from '../kit/temporary-folder.ts'

export const silent = createLogger('silent')

export interface Site extends Stoppable {
  readonly url: string
  readonly wsUrl: string
  readonly rooms: Rooms
  readonly sockets: Sockets
  readonly metrics: Metrics
  stop(): Promise<void>
}

export interface SiteOptions {
  storage: Storage
  /** By name, as in `.env.example`. */
  settings?: Record<string, string>
  /** Default: as the settings say. */
  authenticate?: Authenticate
  /** How often boards are compared with the store. */
  compareEveryMs?: number
}

/** An embedded database of its own, shared by the tests of a file. */
export async function embeddedStorage(): Promise<Storage & Stoppable> {
  const folder = temporaryFolder()
  const storage = await openStorage(readConfig({ DATA_DIR: folder.path }), silent)
  const stop = async () => {
    await storage.close()
    folder.stop()
  }
  return { ...storage, stop }
}

export async function startSite({
  storage,
  settings = {},
  compareEveryMs = 100,
  ...given
}: SiteOptions): Promise<Site> {
  const config = readConfig(settings)
  const metrics = createMetrics()
  const parts = new Releasers()
  const monitor = new StorageMonitor(storage, silent)
  parts.add('monitor', () => monitor.stop())
  const bus = createInProcessBus(silent)
  const authenticate = given.authenticate ?? createAuthenticate(config)
  const guard = createRequestGuard(config)
  const pending = { board: config.PENDING_BYTES_BOARD, total: config.PENDING_BYTES_TOTAL }
  const committer = new Committer(storage.boards, monitor, silent, metrics, pending)
  parts.add('committer', () => committer.stop())
  const rooms = new Rooms({
    ...storage,
    committer,
    idleMs: config.ROOM_IDLE_MS,
    limits: {
      debounceMs: config.SNAPSHOT_DEBOUNCE_MS,
      maxWaitMs: config.SNAPSHOT_MAX_WAIT_MS,
      updateBytes: Math.floor((config.MAX_FRAME_BYTES * 3) / 4),
      boardBytes: config.MAX_BOARD_BYTES,
      peers: config.MAX_PEERS_PER_BOARD,
    },
    log: silent,
    metrics,
  })
  parts.add('rooms', () => rooms.close(new SyncError('draining', 'the test is over')))
  const replication = new Replication(storage.boards, rooms, silent, compareEveryMs)
  parts.add('replication', () => replication.stop())
  const limits = { frameBytes: config.MAX_FRAME_BYTES, connections: config.MAX_CONNECTIONS }
  const sockets = new Sockets({ rooms, authenticate, guard, monitor, limits, log: silent, metrics })
  const desk = new ChangeDesk(storage.changes, bus)
  await desk.start()
  parts.add('desk', () => desk.stop())
  const inbox = new ItemInbox(storage.changes, rooms, bus, silent, metrics)
  await inbox.start()
  parts.add('inbox', () => inbox.stop())
  const app = createHttpApp(silent, guard)
  await restApi(app, { authenticate, reader: new BoardReader(storage), desk, changes: storage.changes })
  sockets.attach(app.server)
  await app.listen({ port: 0, host: '127.0.0.1' })
  parts.add('http', () => app.close())
  parts.add('sockets', () => sockets.drain())

  const stop = async () => {
    const errors: unknown[] = []
    await parts.release((_name, error) => void errors.push(error))
    if (errors.length > 0) throw new AggregateError(errors, 'the site could not be stopped')
  }
  const { port } = app.server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, wsUrl: `ws://127.0.0.1:${port}`, rooms, sockets, metrics, stop }
}

let boards = 0
/** A board that no other test of the file has. */
export const freshBoard = (): string => `board-${++boards}`

/** Everything a counter of the site has counted, over this label. */
export async function counted(site: Site, name: string, labels: Record<string, string>): Promise<number> {
  const metrics = await site.metrics.registry.getMetricsAsJSON()
  const values = metrics.find(metric => metric.name === name)?.values ?? []
  const fitting = values.filter(value =>
    Object.entries(labels).every(([label, wanted]) => (value.labels as Record<string, unknown>)[label] === wanted),
  )
  return fitting.reduce((sum, { value }) => sum + value, 0)
}
