/** 405 instead of 404, where an address is right and only the method is wrong. */
import type { FastifyInstance, HTTPMethods } from 'fastify'
import { Problem } from './problems.ts'

const known: HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']

export function refuseOtherMethods(app: FastifyInstance, url: string, allowed: HTTPMethods[]): void {
  app.route({
    method: known.filter(method => !allowed.includes(method)),
    url,
    // Before the body is read: what it holds does not matter.
    onRequest: async request => {
      throw new Problem('method-not-allowed', `${request.method} is not for this address; ${allowed.join(', ')} are`, {
        headers: { allow: allowed.join(', ') },
      })
    },
    handler: async () => undefined,
  })
}
