/** The REST API under `/v1`, put together: what answers its requests, and bodies, access and routes. It never listens. */
import type { FastifyInstance } from 'fastify'
import type { Attempts } from '../core/auth/attempts.ts'
import type { Authenticate } from '../core/auth/authenticate.ts'
import type { LiveAuthority } from '../core/auth/live-authority.ts'
import type { Logger } from '../core/base/log.ts'
import type { Releasers } from '../core/base/releasers.ts'
import type { Bus } from '../core/bus/bus.ts'
import type { Storage } from '../core/store/storage.ts'
import { refuseUnacceptable } from './accept.ts'
import { authenticateRequests } from './access.ts'
import { assetRoutes } from './asset-routes.ts'
import { batchRoutes } from './batch-routes.ts'
import { BoardReader } from './board-reader.ts'
import { boardRoutes } from './board-routes.ts'
import { ChangeDesk } from './change-desk.ts'
import { changeRoutes } from './change-routes.ts'
import { EventFeeds } from './event-feeds.ts'
import { eventRoutes } from './event-routes.ts'
import { fileRoutes } from './file-routes.ts'
import { createWriteOnce } from './idempotency.ts'
import { itemRoutes } from './item-routes.ts'
import { passOverUnreadableTypes, takeJson } from './json-body.ts'
import { keyRoutes } from './key-routes.ts'
import { openApi } from './open-api.ts'
import { type PresenceServices, presenceRoutes } from './presence-routes.ts'
import { problemPages } from './problem-pages.ts'
import { limitRequests, type RequestLimits } from './rate-limit.ts'
import { sessionRoutes, signOutRoute } from './session-routes.ts'
import { ticketRoutes } from './ticket-routes.ts'
import { checkingRequests } from './validation.ts'
import { type Local, WhoIsHere } from './who-is-here.ts'

export interface RestOptions {
  version: string
  /** The address people see, where one is set. */
  publicUrl: string | undefined
  /** Names this instance to the others. */
  instance: string
  requests: RequestLimits
  storage: Storage
  bus: Bus
  log: Logger
  authenticate: Authenticate
  attempts: Attempts
  authority: Pick<LiveAuthority, 'announce' | 'watch'>
  /** People and agents on the boards open here. */
  local: Local
  agents: PresenceServices['agents']
}

export async function restApi(app: FastifyInstance, options: RestOptions, parts: Releasers): Promise<void> {
  const { storage, bus, log } = options
  const desk = new ChangeDesk(storage.changes, bus)
  await desk.start()
  parts.add('change desk', () => desk.stop())
  const whoIsHere = new WhoIsHere(bus, options.instance, options.local)
  const feeds = new EventFeeds(storage, bus, whoIsHere, log)
  // A stream is a request that does not end by itself: the server would wait for it.
  app.addHook('preClose', async () => feeds.close())
  parts.add('event feeds', () => feeds.close())
  const reader = new BoardReader(storage)
  const writeOnce = createWriteOnce(storage.answers)
  const services = { ...options, desk, whoIsHere, feeds, reader, writeOnce }

  passOverUnreadableTypes(app)
  takeJson(app)
  await app.register(
    async v1 => {
      // Before the routes: it gathers what they declare.
      openApi(v1, options)
      problemPages(v1)
      await v1.register(async open => signOutRoute(checkingRequests(open), services))
      await v1.register(async known => {
        authenticateRequests(known, services)
        limitRequests(known, services.requests)
        refuseUnacceptable(known)
        const checking = checkingRequests(known)
        boardRoutes(checking, services)
        itemRoutes(checking, services)
        changeRoutes(checking, services)
        await batchRoutes(checking, services)
        await assetRoutes(checking, services)
        eventRoutes(checking, services)
        await fileRoutes(checking, services)
        presenceRoutes(checking, services)
        keyRoutes(checking, services)
        ticketRoutes(checking, services)
        sessionRoutes(checking, services)
      })
    },
    { prefix: '/v1' },
  )
}
