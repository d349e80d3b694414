/** The REST API under `/v1`: bodies, access, routes. It never listens. */
import type { FastifyInstance } from 'fastify'
import type { Authenticate } from '../core/auth/authenticate.ts'
import { refuseUnacceptable } from './accept.ts'
import { authenticateRequests } from './access.ts'
import { type BoardServices, boardRoutes } from './board-routes.ts'
import { type ItemServices, itemRoutes } from './item-routes.ts'
import { takeJson } from './json-body.ts'
import { openApi } from './open-api.ts'
import { problemPages } from './problem-pages.ts'
import { limitRequests, type RequestLimits } from './rate-limit.ts'
import { checkingRequests } from './validation.ts'

export interface ApiServices extends ItemServices, BoardServices {
  authenticate: Authenticate
  requests: RequestLimits
  version: string
}

export async function restApi(app: FastifyInstance, services: ApiServices): Promise<void> {
  takeJson(app)
  await app.register(
    async v1 => {
      // Before the routes: it gathers what they declare.
      await openApi(v1, services.version)
      problemPages(v1)
      await v1.register(async known => {
        authenticateRequests(known, services.authenticate)
        limitRequests(known, services.requests)
        refuseUnacceptable(known)
        const app = checkingRequests(known)
        boardRoutes(app, services)
        itemRoutes(app, services)
      })
    },
    { prefix: '/v1' },
  )
}
