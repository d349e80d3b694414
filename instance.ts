/**
 * One instance, put together: its parts on a storage and a bus that are given. `main.ts` runs it as a process; tests run
 * it in theirs.
 */
import { randomUUID } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { type RestOptions, restApi } from './api-bridge/app.ts'
import { allowOrigins } from './api-bridge/cors.ts'
import { closeHttpApp, createHttpApp } from './api-bridge/http-app.ts'
import { refuseOtherMethods } from './api-bridge/methods.ts'
import { Attempts } from './core/auth/attempts.ts'
import { type Authenticate, createAuthenticate } from './core/auth/authenticate.ts'
import { issuersOf } from './core/auth/issuers.ts'
import { LiveAuthority } from './core/auth/live-authority.ts'
import { createRequestGuard } from './core/auth/request-guard.ts'
import { StoredCredentials } from './core/auth/stored-credentials.ts'
import type { Config } from './core/base/config.ts'
import type { Logger } from './core/base/log.ts'
import type { Metrics } from './core/base/metrics.ts'
import { Releasers } from './core/base/releasers.ts'
import type { Bus } from './core/bus/bus.ts'
import type { Storage } from './core/store/storage.ts'
import { StorageMonitor } from './core/store/storage-monitor.ts'
import { Housekeeping } from './ops/housekeeping.ts'
import { InstanceList } from './ops/instance-list.ts'
import { type Status, statusAddresses, statusRoutes } from './ops/status.ts'
import { pageAddresses, pageNotFound, pages } from './web/serve.ts'
import { type BoardWork, openBoardWork } from './ws/room/board-work.ts'
import type { ItemInbox } from './ws/room/item-inbox.ts'
import type { Rooms } from './ws/room/rooms.ts'
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
    return { ...(await compose(options, parts)), stop: release }
  } catch (error) {
    await release()
    throw error
  }
}

/**
 * From the store to the network. What is made last is released first: peers are sent away, then requests in flight are answered
 * while boards still commit, then rooms are written. Housekeeping ends behind all that: nobody waits for a big board that is
 * being purged.
 */
async function compose(options: InstanceOptions, parts: Releasers): Promise<Omit<Instance, 'stop'>> {
  const { config, log, metrics, storage, bus, page, compareEveryMs = 2_000, drains = true } = options
  const instance = randomUUID()
  const access = await startAuthority(options, parts)
  const guard = createRequestGuard(config)
  keepHouse(storage, log, parts)
  const monitor = new StorageMonitor(storage, log)
  parts.add('storage monitor', () => monitor.stop())
  const work = openBoardWork({ config, log, metrics, storage, bus, monitor, instance }, parts)
  const { rooms, inbox } = work
  const { authenticate, authority } = access
  const sockets = new Sockets({
    ...socketSettings(config),
    rooms,
    authenticate,
    authority,
    guard,
    monitor,
    log,
    metrics,
  })
  let draining = false
  const drain = async () => {
    draining = true
    await sockets.drain()
  }

  const app = createHttpApp(log, guard, page === undefined ? undefined : pageNotFound)
  parts.add('http', () => closeHttpApp(app))
  await allowOrigins(app, config.ALLOWED_ORIGINS)
  const status = () => ({ ...statusOf(work, sockets, monitor, bus), draining })
  const instances = listInstances(config, bus, instance, status)
  parts.add('instance list', () => instances.stop())
  statusRoutes(app, config.version, metrics, instances, status)
  if (config.ROLE !== 'ws') {
    await restApi(app, { ...restSettings(config), ...access, ...ownPresence(work), instance, storage, bus, log }, parts)
  }
  if (page !== undefined) {
    const { TLDRAW_LICENSE_KEY: licenseKey, PUBLIC_URL: publicUrl } = config
    await app.register(pages, { directory: page, licenseKey, publicUrl })
  }
  const readOnly = [...statusAddresses, ...(page === undefined ? [] : pageAddresses)]
  for (const url of readOnly) refuseOtherMethods(app, url, ['GET', 'HEAD'])

  if (config.ROLE !== 'api') {
    sockets.attach(app.server)
    await work.start({ compareEveryMs, drains })
  }
  parts.add('sockets', drain)
  await app.listen({ port: config.PORT, host: config.HOST })
  const { port } = app.server.address() as AddressInfo
  return { url: `http://${shownHost(config.HOST)}:${port}`, app, rooms, sockets, inbox, drain }
}

async function startAuthority({ config, storage, bus, log, authenticate }: InstanceOptions, parts: Releasers) {
  const issuers = issuersOf(config)
  const stored = new StoredCredentials(storage, issuers, log)
  const attempts = new Attempts(config.RATE_REST)
  const authority = new LiveAuthority(storage, stored, bus, log)
  parts.add('authority', () => authority.stop())
  await authority.start()
  return { attempts, authority, authenticate: authenticate ?? createAuthenticate(config, stored, attempts, issuers) }
}

function keepHouse(storage: Storage, log: Logger, parts: Releasers): void {
  const housekeeping = new Housekeeping(
    [
      { name: 'purge deleted boards', work: signal => storage.directory.purge(signal) },
      { name: 'forget kept answers', work: () => storage.answers.forgetOld(), everyMs: 600_000 },
      { name: 'forget old item changes', work: signal => storage.changes.forgetOld(signal), everyMs: 3_600_000 },
      { name: 'forget old history', work: signal => storage.past.forgetOld(signal), everyMs: 3_600_000 },
    ],
    log,
  )
  parts.add('housekeeping', () => housekeeping.stop())
}

const socketSettings = (config: Config) => ({
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
})

const restSettings = (config: Config) => ({
  version: config.version,
  publicUrl: config.PUBLIC_URL,
  requests: { rate: config.RATE_REST, trustedProxies: config.TRUST_PROXY },
})

/** Who is on the boards open here, as REST tells and shows it. */
const ownPresence = ({ presence, agents }: BoardWork): Pick<RestOptions, 'local' | 'agents'> => ({
  local: {
    here: board => [...presence.here(board), ...agents.here(board)],
    seen: board => [...presence.seen(board), ...agents.here(board)],
  },
  agents,
})

const statusOf = (
  { rooms, committer }: BoardWork,
  sockets: Sockets,
  monitor: StorageMonitor,
  bus: Bus,
): Omit<Status, 'draining'> => ({
  rooms: rooms.size,
  roomsShared: rooms.shared,
  connections: sockets.size,
  storage: monitor.state,
  bus: bus.state,
  lagSeconds: committer.lagSeconds,
})

function listInstances({ ROLE: role, version }: Config, bus: Bus, id: string, status: () => Status): InstanceList {
  const since = new Date().toISOString()
  return new InstanceList(bus, () => {
    const { draining, connections, rooms, roomsShared } = status()
    return { id, role, version, since, draining, connections, rooms, rooms_shared: roomsShared }
  })
}

function shownHost(host: string): string {
  if (host === '127.0.0.1' || host === '0.0.0.0' || host === '::') return 'localhost'
  return host.includes(':') ? `[${host}]` : host
}
