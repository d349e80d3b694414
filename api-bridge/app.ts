/** The REST API under `/v1`: bodies, access, routes. It never listens. */
import type { FastifyInstance } from 'fastify'
import type { Authenticate } from '../core/auth/authenticate.ts'
import { authenticateRequests } from './access.ts'
import { type ItemServices, itemRoutes } from './item-routes.ts'
import { takeJson } from './json-body.ts'
import { problemPages } from './problem-pages.ts'

export interface ApiServices extends ItemServices {
  authenticate: Authenticate
}

export async function restApi(app: FastifyInstance, services: ApiServices): Promise<void> {
  takeJson(app)
  await app.register(async open => problemPages(open), { prefix: '/v1' })
  await app.register(
    async v1 => {
      authenticateRequests(v1, services.authenticate)
      itemRoutes(v1, services)
    },
    { prefix: '/v1' },
  )
}
