/** 405 instead of 404, where an address is right and only the method is wrong. */
import type { FastifyInstance, HTTPMethods } from 'fastify'
import { Problem } from './problems.ts'

const known: HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE']

export function refuseOtherMethods(app: FastifyInstance, url: string, allowed: HTTPMethods[]): void {
  const allow = allowed.join(', ')
  app.route({
    method: known.filter(method => !allowed.includes(method)),
    url,
    // Before the body is read: what it holds does not matter.
    onRequest: async request => {
      throw new Problem('method-not-allowed', `${request.method} is not for this address; ${allow} are`, {
        headers: { allow },
      })
    },
    handler: async () => undefined,
  })
}
