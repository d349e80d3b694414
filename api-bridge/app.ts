/** The REST API under `/v1`: bodies, access, routes. It never listens. */
import type { FastifyInstance } from 'fastify'
import type { Authenticate } from '../core/auth/authenticate.ts'
import type { AssetStore } from '../core/store/asset-store.ts'
import { authenticateRequests } from './access.ts'
import { assetRoutes } from './asset-routes.ts'
import { type EventServices, eventRoutes } from './event-routes.ts'
import { type ItemServices, itemRoutes } from './item-routes.ts'
import { takeJson } from './json-body.ts'
import { openApi } from './open-api.ts'
import { problemPages } from './problem-pages.ts'
import { checkingRequests } from './validation.ts'

export interface ApiServices extends ItemServices, EventServices {
  authenticate: Authenticate
  assets: AssetStore
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
        const app = checkingRequests(known)
        itemRoutes(app, services)
        await assetRoutes(app, services)
        eventRoutes(app, services)
      })
    },
    { prefix: '/v1' },
  )
}
