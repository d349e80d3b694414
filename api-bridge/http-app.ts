/**
 * The HTTP server that API, pages and status are put on. Whatever goes wrong on it is answered by a problem document:
 * what a route throws, an address that nothing answers, and what never reaches a route.
 */
import fastify, {
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify'
import { TooManyAttempts } from '../core/auth/attempts.ts'
import type { RequestGuard } from '../core/auth/request-guard.ts'
import { StorageError, SyncError, type SyncErrorCode } from '../core/base/errors.ts'
import type { Logger } from '../core/base/log.ts'
import { ClientErrors } from './client-errors.ts'
import { Problem, type ProblemName, sendProblem } from './problems.ts'
import { rateLimited } from './rate-limit.ts'

/** A request whose body is still not here by then is given up: slow senders don't pile up. */
const requestTimeoutMs = 60_000
/** The same for what stands before the body, and for the handshake of a WebSocket. */
const headersTimeoutMs = 5_000

/** More than a change takes to be answered 202; a stop has to be over in 8 s, and boards are snapshotted after this. */
const lastAnswersWithinMs = 2_500

/** @returns the page for people, where this address is one of a page and nothing is there */
type PageNotFound = (path: string) => string | undefined

/** @param guard is asked before anything else, for every request */
export function createHttpApp(
  log: Logger,
  guard: RequestGuard,
  pageNotFound: PageNotFound = () => undefined,
): FastifyInstance {
  const orPage = (request: FastifyRequest, reply: FastifyReply, problem: Problem) => {
    const page = isRead(request) ? pageNotFound(request.url) : undefined
    if (page === undefined) return sendProblem(reply, problem)
    return reply.status(404).headers(pageHeaders).type('text/html; charset=utf-8').send(page)
  }

  const clientErrors = new ClientErrors({ headers: headersTimeoutMs, all: requestTimeoutMs })
  const app = fastify({
    // Its own news, like where it listens, is told by `main.ts`.
    loggerInstance: log.child({}, { level: log.isLevelEnabled('warn') ? 'warn' : log.level }) as FastifyBaseLogger,
    // A request's URL may hold a credential.
    logController: new LogController({ disableRequestLogging: true }),
    // What arrives on an open connection while we close is answered like any other request.
    return503OnClosing: false,
    requestTimeout: requestTimeoutMs,
    // Node would refuse who names no host without a word.
    http: { headersTimeout: headersTimeoutMs, connectionsCheckingInterval: 1_000, requireHostHeader: false },
    // Longer than any address that Node takes, so that the checks of each route say what is wrong with an id.
    routerOptions: { maxParamLength: 1024 * 1024 },
    frameworkErrors: (_error, request, reply) => {
      void orPage(request, reply, new Problem('address-malformed', 'the path has a broken percent-encoding'))
    },
    clientErrorHandler: (error, socket) => void clientErrors.answer(error, socket),
  })
  clientErrors.watch(app.server)
  app.setErrorHandler((error, request, reply) => {
    const problem = problemOf(error)
    if (problem.status >= 500) request.log.error({ err: error }, 'request failed')
    // Fastify would close the connection on what it could not take: who is still sending would be cut off, and not hear
    // why. So the rest is read and dropped, for as long as a request may take.
    return sendProblem(reply.removeHeader('connection'), problem)
  })
  app.setNotFoundHandler((request, reply) => orPage(request, reply, nothingHere(request)))
  // Before the body is read: what it holds does not matter. Where there may be a page, none is read.
  app.addHook('preParsing', async (request, _reply, body) => {
    if (request.is404 && !isRead(request)) throw nothingHere(request)
    return body
  })
  app.addHook('onRequest', async request => {
    const { httpVersion, headers } = request.raw
    if (httpVersion === '1.1' && headers.host === undefined) {
      throw new Problem('http-malformed', 'a request of HTTP/1.1 says in Host to whom it is')
    }
    const refusal = guard(request.raw)
    if (refusal) throw new Problem(refusal.status === 421 ? 'misdirected' : 'forbidden', refusal.reason)
  })
  return app
}

/** Takes no more connections. Who waits for an answer still gets it: an agent never has to guess what became of a change. */
export async function closeHttpApp(app: FastifyInstance): Promise<void> {
  const cut = setTimeout(() => app.server.closeAllConnections(), lastAnswersWithinMs)
  await app.close()
  clearTimeout(cut)
}

const isRead = ({ method }: FastifyRequest): boolean => method === 'GET' || method === 'HEAD'
const nothingHere = ({ method }: FastifyRequest) => new Problem('not-found', `nothing answers ${method} here`)

const pageHeaders = { 'content-security-policy': "default-src 'none'", 'x-content-type-options': 'nosniff' }

const problemOfCode: Partial<Record<SyncErrorCode, ProblemName>> = {
  'board-id-invalid': 'board-id-invalid',
  'credential-missing': 'credential-missing',
  'credential-invalid': 'credential-invalid',
  'credential-expired': 'credential-invalid',
  'credential-revoked': 'credential-invalid',
  'credential-unverifiable': 'credential-unverifiable',
  'board-forbidden': 'board-missing',
  'board-deleted': 'board-missing',
  'storage-unavailable': 'storage-unavailable',
}

/** RFC 6750. */
const challenges: Partial<Record<ProblemName, string>> = {
  'credential-missing': 'Bearer',
  'credential-invalid': 'Bearer error="invalid_token"',
}

/** Fastify's own errors, by the status it gives them. */
const problemOfStatus: Partial<Record<number, ProblemName>> = {
  400: 'request-invalid',
  // Of a path that leads out of the folder of the page's files, or to a folder in it.
  403: 'not-found',
  404: 'not-found',
  413: 'body-too-large',
  415: 'content-type-unsupported',
}

function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (error instanceof StorageError && error.failure !== 'refused') {
    return new Problem('storage-unavailable', 'storage is unavailable; try again')
  }
  if (error instanceof TooManyAttempts) {
    return rateLimited(error.bucket, 'an address may show so many wrong credentials')
  }
  if (error instanceof SyncError) {
    const name = problemOfCode[error.code]
    const challenge = name && challenges[name]
    if (name) return new Problem(name, error.message, challenge ? { headers: { 'www-authenticate': challenge } } : {})
  }
  if (isFastifyError(error)) {
    const { statusCode = 500 } = error
    const name = problemOfStatus[statusCode] ?? (statusCode < 500 ? 'request-invalid' : undefined)
    if (name) return new Problem(name, error.message)
  }
  return new Problem('internal', 'something is wrong inside the server; it is in its log')
}

const isFastifyError = (error: unknown): error is FastifyError =>
  error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number'
