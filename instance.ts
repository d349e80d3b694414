/**
 * One instance, put together: its parts on a storage and a bus that are given. `main.ts` runs it as a process; tests run
 * it in theirs.
 */
import { randomUUID } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { restApi } from './api-bridge/app.ts'
import { BoardReader } from './api-bridge/board-reader.ts'
import { ChangeDesk } from './api-bridge/change-desk.ts'
import { allowOrigins } from './api-bridge/cors.ts'
import { EventFeeds } from './api-bridge/event-feeds.ts'
import { closeHttpApp, createHttpApp } from './api-bridge/http-app.ts'
import { createWriteOnce } from './api-bridge/idempotency.ts'
import { WhoIsHere } from './api-bridge/who-is-here.ts'
import { Attempts } from './core/auth/attempts.ts'
import { type Authenticate, createAuthenticate } from './core/auth/authenticate.ts'
import { issuersOf } from './core/auth/issuers.ts'
import { LiveAuthority } from './core/auth/live-authority.ts'
import { createRequestGuard } from './core/auth/request-guard.ts'
import { StoredCredentials } from './core/auth/stored-credentials.ts'
import type { Config } from './core/base/config.ts'
import { SyncError } from './core/base/errors.ts'
import type { Logger } from './core/base/log.ts'
import type { Metrics } from './core/base/metrics.ts'
import { Releasers } from './core/base/releasers.ts'
import type { Bus } from './core/bus/bus.ts'
import type { Storage } from './core/store/storage.ts'
import { StorageMonitor } from './core/store/storage-monitor.ts'
import { Housekeeping } from './ops/housekeeping.ts'
import { InstanceList } from './ops/instance-list.ts'
import { statusRoutes } from './ops/status.ts'
import { pageNotFound, pages } from './web/serve.ts'
import { Agents } from './ws/room/agents.ts'
import { Committer } from './ws/room/committer.ts'
import { ItemInbox } from './ws/room/item-inbox.ts'
import { PresenceKeeper } from './ws/room/presence-keeper.ts'
import { RawIntake } from './ws/room/raw-intake.ts'
import { Replication } from './ws/room/replication.ts'
import { Rooms } from './ws/room/rooms.ts'
import { Sockets } from './ws/server/sockets.ts'

export interface InstanceOptions {
  config: Config
  log: Logger
  metrics: Metrics
  storage: Storage
  bus: Bus
  /** The folder of the built page; none is served without. */
  page?: string | undefined
  /** Default: as the settings say. */
  authenticate?: Authenticate | undefined
  /** How often boards are compared with the store: without a bus between them, instances find each other's commits so. */
  compareEveryMs?: number | undefined
  /** False: item changes wait until `inbox.start()` is called. */
  drains?: boolean | undefined
}

export interface Instance {
  /** `http://host:port` */
  readonly url: string
  readonly app: FastifyInstance
  readonly rooms: Rooms
  readonly sockets: Sockets
  readonly inbox: ItemInbox
  /** Not ready any more; peers are sent elsewhere. Resolves when all are gone. */
  drain(): Promise<void>
  /** Drains, answers requests in flight, commits and snapshots what there is. Storage and bus stay open. */
  stop(): Promise<void>
}

/** @throws Error when it cannot listen, or the storage fails; nothing is left running then */
export async function runInstance(options: InstanceOptions): Promise<Instance> {
  const parts = new Releasers()
  const release = () =>
    parts.release((name, error) => options.log.error({ err: error, part: name }, 'could not be closed'))
  try {
    return await compose(options, parts, release)
  } catch (error) {
    await release()
    throw error
  }
}

async function compose(options: InstanceOptions, parts: Releasers, release: () => Promise<void>): Promise<Instance> {
  const { config, log, metrics, storage, bus, page, compareEveryMs = 2_000, drains = true } = options
  const issuers = issuersOf(config)
  const stored = new StoredCredentials(storage, issuers, log)
  const attempts = new Attempts(config.RATE_REST)
  const authenticate = options.authenticate ?? createAuthenticate(config, stored, attempts, issuers)
  const authority = new LiveAuthority(storage, stored, bus, log)
  parts.add('authority', () => authority.stop())
  await authority.start()
  const guard = createRequestGuard(config)
  const id = randomUUID()
  const housekeeping = new Housekeeping(
    [
      { name: 'purge deleted boards', work: signal => storage.directory.purge(signal) },
      { name: 'forget kept answers', work: () => storage.answers.forgetOld(), everyMs: 600_000 },
      { name: 'forget old item changes', work: signal => storage.changes.forgetOld(signal), everyMs: 3_600_000 },
      { name: 'forget old history', work: signal => storage.past.forgetOld(signal), everyMs: 3_600_000 },
    ],
    log,
  )
  // Ends last: nobody waits for a big board that is being purged.
  parts.add('housekeeping', () => housekeeping.stop())
  const monitor = new StorageMonitor(storage, log)
  parts.add('storage monitor', () => monitor.stop())

  const committer = new Committer(storage.boards, monitor, log, metrics, {
    board: config.PENDING_BYTES_BOARD,
    total: config.PENDING_BYTES_TOTAL,
  })
  parts.add('committer', () => committer.stop())
  const rooms = new Rooms({
    boards: storage.boards,
    archive: storage.archive,
    committer,
    bus,
    instance: id,
    idleMs: config.ROOM_IDLE_MS,
    limits: {
      debounceMs: config.SNAPSHOT_DEBOUNCE_MS,
      maxWaitMs: config.SNAPSHOT_MAX_WAIT_MS,
      updateBytes: Math.floor((config.MAX_FRAME_BYTES * 3) / 4),
      boardBytes: config.MAX_BOARD_BYTES,
      peers: config.MAX_PEERS_PER_BOARD,
      restMs: 30_000,
    },
    log,
    metrics,
  })
  const presence = new PresenceKeeper(rooms, bus, id)
  parts.add('presence', () => presence.stop())
  parts.add('rooms', () => rooms.close(new SyncError('draining', 'this instance is going away; connect again')))
  const agents = new Agents(rooms, bus, log, metrics)
  parts.add('agents', () => agents.stop())
  const inbox = new ItemInbox(storage.changes, rooms, bus, log, metrics, (...written) => agents.wrote(...written))
  parts.add('item inbox', () => inbox.stop())
  const intake = new RawIntake(storage.changes, bus, log, metrics)
  parts.add('raw intake', () => intake.stop())
  const sockets = new Sockets({
    rooms,
    authenticate,
    authority,
    guard,
    monitor,
    limits: {
      frameBytes: config.MAX_FRAME_BYTES,
      pendingBytes: config.PENDING_BYTES_BOARD,
      connections: {
        total: config.MAX_CONNECTIONS,
        perAddress: config.MAX_CONNECTIONS_PER_IP,
        perSubject: config.MAX_CONNECTIONS_PER_SUBJECT,
      },
      messages: { doc: config.RATE_WS_DOC, awareness: config.RATE_WS_AWARENESS },
    },
    trustedProxies: config.TRUST_PROXY,
    publicUrl: config.PUBLIC_URL,
    log,
    metrics,
  })

  let draining = false
  const app = createHttpApp(log, guard, page === undefined ? undefined : pageNotFound)
  parts.add('http', () => closeHttpApp(app))
  await allowOrigins(app, config.ALLOWED_ORIGINS)
  const status = () => ({
    rooms: rooms.size,
    roomsShared: rooms.shared,
    connections: sockets.size,
    storage: monitor.state,
    bus: bus.state,
    draining,
    lagSeconds: committer.lagSeconds,
  })
  const since = new Date().toISOString()
  const instances = new InstanceList(bus, () => {
    const { rooms, roomsShared, connections } = status()
    const { ROLE: role, version } = config
    return { id, role, version, since, draining, connections, rooms, rooms_shared: roomsShared }
  })
  parts.add('instance list', () => instances.stop())
  statusRoutes(app, config.version, metrics, instances, status)
  if (config.ROLE !== 'ws') {
    const desk = new ChangeDesk(storage.changes, bus)
    await desk.start()
    parts.add('change desk', () => desk.stop())
    const whoIsHere = new WhoIsHere(bus, id, {
      here: board => [...presence.here(board), ...agents.here(board)],
      seen: board => [...presence.seen(board), ...agents.here(board)],
    })
    const feeds = new EventFeeds(storage, bus, whoIsHere, log)
    app.addHook('preClose', async () => feeds.close())
    parts.add('event feeds', () => feeds.close())
    await restApi(app, {
      version: config.version,
      publicUrl: config.PUBLIC_URL,
      authenticate,
      attempts,
      authority,
      requests: { rate: config.RATE_REST, trustedProxies: config.TRUST_PROXY },
      storage,
      reader: new BoardReader(storage),
      desk,
      feeds,
      bus,
      writeOnce: createWriteOnce(storage.answers),
      whoIsHere,
      agents,
    })
  }
  if (page !== undefined) {
    const { TLDRAW_LICENSE_KEY: licenseKey, PUBLIC_URL: publicUrl } = config
    await app.register(pages, { directory: page, licenseKey, publicUrl })
  }
  if (config.ROLE !== 'api') {
    const replication = new Replication(storage.boards, rooms, bus, log, compareEveryMs)
    parts.add('replication', () => replication.stop())
    sockets.attach(app.server)
    await agents.start()
    if (drains) await inbox.start()
    await intake.start()
  }
  const drain = async () => {
    draining = true
    await sockets.drain()
  }
  parts.add('sockets', drain)
  await app.listen({ port: config.PORT, host: config.HOST })

  const { port } = app.server.address() as AddressInfo
  return { url: `http://${shownHost(config.HOST)}:${port}`, app, rooms, sockets, inbox, drain, stop: release }
}

function shownHost(host: string): string {
  if (host === '127.0.0.1' || host === '0.0.0.0' || host === '::') return 'localhost'
  return host.includes(':') ? `[${host}]` : host
}
