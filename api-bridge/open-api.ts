/** The OpenAPI document, made of what the routes declare, and the page that shows it. */
import type { FastifyInstance } from 'fastify'
import { roleAskedFor } from './access.ts'
import { docsPage } from './docs-page.ts'
import { refuseOtherMethods } from './methods.ts'
import { type ApiDocument, openApiDocument } from './open-api-document.ts'
import type { DocumentedRoute } from './open-api-refusals.ts'
import type { ProblemName } from './problems.ts'

declare module 'fastify' {
  interface FastifySchema {
    /** Names the call for generated clients, and never changes. A route without one is not in the document. */
    operationId?: string
    summary?: string
    description?: string
    tags?: readonly string[]
    /** Media types of the body. Default: JSON. */
    consumes?: readonly string[]
    /** What this call refuses beside what calls of its kind do. */
    problems?: readonly ProblemName[]
    /** Nobody is asked for a credential. */
    isOpen?: true
  }
}

export interface OpenApiOptions {
  version: string
  /** The address people see, where one is set. */
  publicUrl: string | undefined
}

/** Routes registered on `v1` after this are part of the document. */
export function openApi(v1: FastifyInstance, options: OpenApiOptions): void {
  const routes: DocumentedRoute[] = []
  v1.addHook('onRoute', ({ method, url, schema, onRequest }) => {
    // Fastify makes a HEAD of each GET.
    if (schema?.operationId === undefined || typeof method !== 'string' || method === 'HEAD') return
    routes.push({ method, url, schema, role: roleAskedFor(onRequest) })
  })
  let made: ApiDocument | undefined
  const document = () => {
    made ??= openApiDocument(routes, options)
    return made
  }
  const url = '/openapi.json'
  v1.get(url, async () => document())
  refuseOtherMethods(v1, url, ['GET', 'HEAD'])
  const docs = '/docs'
  let page: string | undefined
  v1.get(docs, async (_request, reply) => {
    page ??= docsPage(document())
    return reply
      .headers({
        'content-security-policy':
          "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; frame-ancestors 'self'",
        'x-content-type-options': 'nosniff',
        'cache-control': 'no-cache',
      })
      .type('text/html; charset=utf-8')
      .send(page)
  })
  refuseOtherMethods(v1, docs, ['GET', 'HEAD'])
}
