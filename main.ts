/** Composition only: settings → parts → listen → signals. What each part does is told where it lives. */
import type { AddressInfo } from 'node:net'
import { restApi } from './api-bridge/app.ts'
import { BoardReader } from './api-bridge/board-reader.ts'
import { ChangeDesk } from './api-bridge/change-desk.ts'
import { closeHttpApp, createHttpApp } from './api-bridge/http-app.ts'
import { createAuthenticate } from './core/auth/authenticate.ts'
import { createRequestGuard } from './core/auth/request-guard.ts'
import { type Config, readConfig } from './core/base/config.ts'
import { ConfigurationError, SyncError } from './core/base/errors.ts'
import { createLogger, type Logger } from './core/base/log.ts'
import { createMetrics } from './core/base/metrics.ts'
import { Releasers } from './core/base/releasers.ts'
import { createInProcessBus } from './core/bus/in-process.ts'
import { openStorage } from './core/store/storage.ts'
import { StorageMonitor } from './core/store/storage-monitor.ts'
import { statusRoutes } from './ops/status.ts'
import { ensurePageBuilt } from './web/build.ts'
import { pages } from './web/serve.ts'
import { Committer } from './ws/room/committer.ts'
import { ItemInbox } from './ws/room/item-inbox.ts'
import { Replication } from './ws/room/replication.ts'
import { Rooms } from './ws/room/rooms.ts'
import { Sockets } from './ws/server/sockets.ts'

/** Without a bus between them, instances find each other's commits by asking the store. */
const compareEveryMs = 2_000
/** A stop that takes longer than this ends without what is left: the log has every edit. */
const stopWithinMs = 7_000

async function main(): Promise<void> {
  const config = readConfig()
  const log = createLogger(config.LOG_LEVEL)
  const parts = new Releasers()
  const stop = async () => parts.release((name, error) => log.error({ err: error, part: name }, 'could not be closed'))
  try {
    const { url, drain } = await start(config, log, parts)
    const invitation = config.ROLE === 'ws' ? 'Listening at' : 'Draw together at'
    console.log(`\n  boardsync ${config.version} is ready\n\n  ${invitation} ${url}\n`)
    onSignal(async signal => {
      log.info({ signal }, 'stopping')
      setTimeout(() => process.exit(0), stopWithinMs).unref()
      await drain()
      await stop()
      process.exit(0)
    })
  } catch (error) {
    await stop()
    throw error
  }
}

/** Starts every part the role asks for. What it opens is in `parts`. */
async function start(config: Config, log: Logger, parts: Releasers) {
  const [takesSockets, servesApi] = [config.ROLE !== 'api', config.ROLE !== 'ws']
  const page = servesApi ? await ensurePageBuilt({ log: line => console.log(`  ${line}`) }) : undefined

  const metrics = createMetrics()
  const storage = await openStorage(config, log, kind => metrics.corruptions.inc({ kind }))
  parts.add('storage', () => storage.close())
  const monitor = new StorageMonitor(storage, log)
  parts.add('storage monitor', () => monitor.stop())
  const bus = createInProcessBus(log)
  parts.add('bus', () => bus.close())

  const authenticate = createAuthenticate(config)
  const guard = createRequestGuard(config)

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
      updateBytes: Math.floor((config.MAX_FRAME_BYTES * 3) / 4),
      boardBytes: config.MAX_BOARD_BYTES,
      peers: config.MAX_PEERS_PER_BOARD,
    },
    log,
    metrics,
  })
  const sockets = new Sockets({
    rooms,
    authenticate,
    guard,
    monitor,
    limits: { frameBytes: config.MAX_FRAME_BYTES, connections: config.MAX_CONNECTIONS },
    log,
    metrics,
  })
  let draining = false

  const app = createHttpApp(log, guard)
  statusRoutes(app, config.version, metrics, () => ({
    rooms: rooms.size,
    connections: sockets.size,
    storage: monitor.state,
    bus: bus.state,
    draining,
    lagSeconds: committer.lagSeconds,
  }))
  if (servesApi) {
    const desk = new ChangeDesk(storage.changes, bus)
    await desk.start()
    parts.add('change desk', () => desk.stop())
    await restApi(app, { authenticate, reader: new BoardReader(storage), desk, changes: storage.changes })
  }
  if (page !== undefined) {
    await app.register(pages, { directory: page, licenseKey: config.TLDRAW_LICENSE_KEY })
  }
  if (takesSockets) {
    const replication = new Replication(storage.boards, rooms, log, compareEveryMs)
    parts.add('replication', () => replication.stop())
    const inbox = new ItemInbox(storage.changes, rooms, bus, log, metrics)
    await inbox.start()
    parts.add('rooms', () => rooms.close(new SyncError('draining', 'this instance is going away; connect again')))
    parts.add('item inbox', () => inbox.stop())
    sockets.attach(app.server)
  }
  await app.listen({ port: config.PORT, host: config.HOST })
  parts.add('http', () => closeHttpApp(app))

  return {
    url: config.PUBLIC_URL ?? `http://${shownHost(config.HOST)}:${(app.server.address() as AddressInfo).port}`,
    /** No new work is taken; peers are sent elsewhere. */
    drain: async () => {
      draining = true
      await sockets.drain()
    },
  }
}

function shownHost(host: string): string {
  if (host === '127.0.0.1' || host === '0.0.0.0' || host === '::') return 'localhost'
  return host.includes(':') ? `[${host}]` : host
}

/** The first SIGTERM or SIGINT stops the instance; a second one ends it at once. */
function onSignal(stop: (signal: NodeJS.Signals) => Promise<void>): void {
  let stopping = false
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (stopping) process.exit(1)
      stopping = true
      stop(signal).catch(error => {
        console.error(error)
        process.exit(1)
      })
    })
  }
}

main().catch(error => {
  console.error(error instanceof ConfigurationError ? error.message : error)
  process.exit(1)
})
