/** Builds the REST API on a Fastify instance: bodies, errors, access, routes. It never listens. */
import type { FastifyError, FastifyInstance } from 'fastify'
import type { Authenticate } from '../core/auth/authenticate.ts'
import { StorageError, SyncError, type SyncErrorCode } from '../core/base/errors.ts'
import { forbiddenKeys } from '../core/contract/field-error.ts'
import { authenticateRequests } from './access.ts'
import { type ItemServices, itemRoutes } from './item-routes.ts'
import { Problem, type ProblemName, sendProblem } from './problems.ts'

/** Room for the largest item: its text, and a picture within its URL. */
export const bodyBytesAtMost = 1024 * 1024

export interface ApiServices extends ItemServices {
  authenticate: Authenticate
}

export async function restApi(app: FastifyInstance, services: ApiServices): Promise<void> {
  takeJson(app)
  await app.register(
    async v1 => {
      authenticateRequests(v1, services.authenticate)
      itemRoutes(v1, services)
    },
    { prefix: '/v1' },
  )
}

/** Whatever goes wrong on this Fastify instance is answered by a problem document, an unknown address included. */
export function answerWithProblems(app: FastifyInstance): void {
  app.setErrorHandler((error, request, reply) => {
    const problem = problemOf(error)
    if (problem.status >= 500) request.log.error({ err: error }, 'request failed')
    return sendProblem(reply, problem)
  })
  app.setNotFoundHandler((request, reply) =>
    sendProblem(reply, new Problem('not-found', `nothing answers ${request.method} here`)),
  )
}

/** Keys that reach an object's prototype are refused with a pointer, not dropped: so the body is parsed as it is. */
function takeJson(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    ['application/json', 'application/merge-patch+json'],
    { parseAs: 'string', bodyLimit: bodyBytesAtMost },
    (_request, body, done) => {
      try {
        done(null, parseJson(String(body)))
      } catch (error) {
        done(error instanceof Error ? error : new Error(String(error)))
      }
    },
  )
}

function parseJson(text: string): unknown {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw new Problem('json-malformed', error instanceof Error ? error.message : 'not JSON')
  }
  const errors = forbiddenKeys(json)
  if (errors.length > 0) throw new Problem('request-invalid', 'the body has keys that are not allowed', { errors })
  return json
}

const problemOfCode: Partial<Record<SyncErrorCode, ProblemName>> = {
  'board-id-invalid': 'board-id-invalid',
  'credential-missing': 'credential-missing',
  'credential-invalid': 'credential-invalid',
  'board-forbidden': 'board-missing',
  'board-deleted': 'board-missing',
  'storage-unavailable': 'storage-unavailable',
}

/** Fastify's own errors, by the status it gives them. */
const problemOfStatus: Partial<Record<number, ProblemName>> = {
  400: 'request-invalid',
  404: 'not-found',
  413: 'body-too-large',
  415: 'content-type-unsupported',
}

function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (error instanceof StorageError && error.failure !== 'refused') {
    return new Problem('storage-unavailable', 'storage is unavailable; try again')
  }
  if (error instanceof SyncError) {
    const name = problemOfCode[error.code]
    const headers = name?.startsWith('credential') ? { 'www-authenticate': 'Bearer' } : {}
    if (name) return new Problem(name, error.message, { headers })
  }
  if (isFastifyError(error)) {
    const name = problemOfStatus[error.statusCode ?? 500]
    if (name) return new Problem(name, error.message)
  }
  return new Problem('internal', 'something is wrong inside the server; it is in its log')
}

const isFastifyError = (error: unknown): error is FastifyError =>
  error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number'
