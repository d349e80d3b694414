/** Pages of `ALLOWED_ORIGINS` may use the API. Those of other origins are refused before this (`core/auth/request-guard.ts`). */
import cors, { type FastifyCorsOptions } from '@fastify/cors'
import type { FastifyInstance, FastifyRequest } from 'fastify'

/** What a page may read of an answer beside what browsers always let it. */
const exposedHeaders = [
  'ETag',
  'Location',
  'RateLimit-Limit',
  'RateLimit-Policy',
  'RateLimit-Remaining',
  'RateLimit-Reset',
  'Retry-After',
  'WWW-Authenticate',
]
const preflightKeptSeconds = 600

export async function allowOrigins(app: FastifyInstance, origins: readonly string[]): Promise<void> {
  if (origins.length === 0) return
  const options: FastifyCorsOptions = {
    origin: [...origins],
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders,
    credentials: true,
    maxAge: preflightKeptSeconds,
  }
  await app.register(cors, () => async (request: FastifyRequest) => ({ ...options, preflight: isPreflight(request) }))
}

/** Any other OPTIONS is a method like the rest. */
const isPreflight = ({ headers }: FastifyRequest): boolean => headers['access-control-request-method'] !== undefined
