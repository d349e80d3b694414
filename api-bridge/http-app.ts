/**
 * The HTTP server that API, pages and status are put on. Whatever goes wrong on it is answered by a problem document:
 * what a route throws, an address that nothing answers, and what never reaches a route.
 */
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import fastify, {
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify'
import type { RequestGuard } from '../core/auth/request-guard.ts'
import { StorageError, SyncError, type SyncErrorCode } from '../core/base/errors.ts'
import type { Logger } from '../core/base/log.ts'
import { Problem, type ProblemName, problemDocument, sendProblem } from './problems.ts'

/** A request whose body is still not here by then is given up: slow senders don't pile up. */
const requestTimeoutMs = 60_000
/** The same for what stands before the body, and for the handshake of a WebSocket. */
const headersTimeoutMs = 5_000

/** More than a change takes to be answered 202; a stop has to be over in 8 s. */
const lastAnswersWithinMs = 3_000

/** @returns the page for people, where this address is one of a page and nothing is there */
type PageNotFound = (path: string) => string | undefined

/** @param guard is asked before anything else, for every request */
export function createHttpApp(
  log: Logger,
  guard: RequestGuard,
  pageNotFound: PageNotFound = () => undefined,
): FastifyInstance {
  const orPage = (request: FastifyRequest, reply: FastifyReply, problem: Problem) => {
    const page = ['GET', 'HEAD'].includes(request.method) ? pageNotFound(request.url) : undefined
    if (page === undefined) return sendProblem(reply, problem)
    return reply.status(404).headers(pageHeaders).type('text/html; charset=utf-8').send(page)
  }

  const app = fastify({
    // Its own news, like where it listens, is told by `main.ts`.
    loggerInstance: log.child({}, { level: log.isLevelEnabled('warn') ? 'warn' : log.level }) as FastifyBaseLogger,
    // A request's URL may hold a credential.
    logController: new LogController({ disableRequestLogging: true }),
    // What arrives on an open connection while we close is answered like any other request.
    return503OnClosing: false,
    requestTimeout: requestTimeoutMs,
    http: { headersTimeout: headersTimeoutMs, connectionsCheckingInterval: 1_000 },
    // Longer than any address that Node takes, so that the checks of each route say what is wrong with an id.
    routerOptions: { maxParamLength: 1024 * 1024 },
    frameworkErrors: (_error, request, reply) => {
      void orPage(request, reply, new Problem('address-malformed', 'the path has a broken percent-encoding'))
    },
    clientErrorHandler: answerClientError,
  })
  app.setErrorHandler((error, request, reply) => {
    const problem = problemOf(error)
    if (problem.status >= 500) request.log.error({ err: error }, 'request failed')
    // Fastify would close the connection on what it could not take: who is still sending would be cut off, and not hear
    // why. So the rest is read and dropped, for as long as a request may take.
    return sendProblem(reply.removeHeader('connection'), problem)
  })
  app.setNotFoundHandler((request, reply) =>
    orPage(request, reply, new Problem('not-found', `nothing answers ${request.method} here`)),
  )
  app.addHook('onRequest', async request => {
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
    const challenge = name && challenges[name]
    if (name) return new Problem(name, error.message, challenge ? { headers: { 'www-authenticate': challenge } } : {})
  }
  if (isFastifyError(error)) {
    const name = problemOfStatus[error.statusCode ?? 500]
    if (name) return new Problem(name, error.message)
  }
  return new Problem('internal', 'something is wrong inside the server; it is in its log')
}

const isFastifyError = (error: unknown): error is FastifyError =>
  error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number'

/** Not even a request: there is a socket, and what Node's parser says of what came over it. */
function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const document = problemDocument(problemOfClientError(error.code))
  const body = JSON.stringify(document)
  const head = [
    `HTTP/1.1 ${document.status} ${STATUS_CODES[document.status]}`,
    'content-type: application/problem+json',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
}

function problemOfClientError(code: string | undefined): Problem {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new Problem(
        'request-timeout',
        `the request was not here in time: its headers within ${headersTimeoutMs / 1_000} s, all of it within ${requestTimeoutMs / 1_000} s`,
      )
    case 'HPE_HEADER_OVERFLOW':
      return new Problem('headers-too-large', 'address and headers together have at most 16 KiB')
    default:
      return new Problem('http-malformed', 'this is not HTTP/1.1')
  }
}
