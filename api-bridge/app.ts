/** The REST API under `/v1`: bodies, access, routes. It never listens. */
import type { FastifyInstance } from 'fastify'
import type { Attempts } from '../core/auth/attempts.ts'
import type { Authenticate } from '../core/auth/authenticate.ts'
import type { LiveAuthority } from '../core/auth/live-authority.ts'
import type { Storage } from '../core/store/storage.ts'
import { refuseUnacceptable } from './accept.ts'
import { authenticateRequests } from './access.ts'
import { assetRoutes } from './asset-routes.ts'
import { batchRoutes } from './batch-routes.ts'
import { type BoardServices, boardRoutes } from './board-routes.ts'
import { type EventServices, eventRoutes } from './event-routes.ts'
import { fileRoutes } from './file-routes.ts'
import { type ItemServices, itemRoutes } from './item-routes.ts'
import { passOverUnreadableTypes, takeJson } from './json-body.ts'
import { keyRoutes } from './key-routes.ts'
import { openApi } from './open-api.ts'
import { type PresenceServices, presenceRoutes } from './presence-routes.ts'
import { problemPages } from './problem-pages.ts'
import { limitRequests, type RequestLimits } from './rate-limit.ts'
import { sessionRoutes, signOutRoute } from './session-routes.ts'
import { ticketRoutes } from './ticket-routes.ts'
import { checkingRequests } from './validation.ts'

export interface ApiServices extends ItemServices, BoardServices, EventServices, PresenceServices {
  authenticate: Authenticate
  attempts: Attempts
  authority: Pick<LiveAuthority, 'announce' | 'watch'>
  requests: RequestLimits
  storage: Storage
  version: string
  /** The address people see, where one is set. */
  publicUrl: string | undefined
}

export async function restApi(app: FastifyInstance, services: ApiServices): Promise<void> {
  passOverUnreadableTypes(app)
  takeJson(app)
  await app.register(
    async v1 => {
      // Before the routes: it gathers what they declare.
      await openApi(v1, services.version)
      problemPages(v1)
      await v1.register(async open => signOutRoute(checkingRequests(open), services))
      await v1.register(async known => {
        authenticateRequests(known, services)
        limitRequests(known, services.requests)
        refuseUnacceptable(known)
        const checking = checkingRequests(known)
        boardRoutes(checking, services)
        itemRoutes(checking, services)
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
