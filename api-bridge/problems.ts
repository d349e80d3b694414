/**
 * Every error of the REST API, as a named table, and how it looks outside: a problem document (RFC 9457). Its `type` is
 * stable and its last part is the name here.
 */
import type { FastifyReply } from 'fastify'
import type { FieldError } from '../core/contract/field-error.ts'

const problems = {
  'json-malformed': [400, 'The body is not JSON'],
  'request-invalid': [400, 'The request is not as it must be'],
  'board-id-invalid': [400, 'Not a board id'],
  'credential-missing': [401, 'A credential is needed'],
  'credential-invalid': [401, 'The credential is not valid'],
  forbidden: [403, 'This is not allowed'],
  'not-found': [404, 'There is nothing here'],
  'board-missing': [404, 'There is no such board, or this credential has no right to it'],
  'item-missing': [404, 'There is no such item'],
  'change-missing': [404, 'There is no such change'],
  'method-not-allowed': [405, 'This address does not take this method'],
  'item-exists': [409, 'The board has an item of this id'],
  'item-changed': [412, 'The item is no longer what If-Match names'],
  'body-too-large': [413, 'The body is too large'],
  'content-type-unsupported': [415, 'This content type is not taken'],
  misdirected: [421, 'This server does not answer under this name'],
  'item-invalid': [422, 'The item cannot be on the board'],
  'idempotency-key-reused': [422, 'This Idempotency-Key was used for another request'],
  internal: [500, 'Something is wrong inside the server'],
  'storage-unavailable': [503, 'Storage is unavailable; nothing was done'],
} as const satisfies Record<string, readonly [status: number, title: string]>

export type ProblemName = keyof typeof problems

const retryAfterSeconds = 2

export class Problem extends Error {
  override readonly name = 'Problem'
  readonly problem: ProblemName
  readonly errors: readonly FieldError[]
  readonly headers: Readonly<Record<string, string>>

  constructor(
    problem: ProblemName,
    detail: string,
    { errors = [], headers = {} }: { errors?: readonly FieldError[]; headers?: Record<string, string> } = {},
  ) {
    super(detail)
    this.problem = problem
    this.errors = errors
    this.headers = problem === 'storage-unavailable' ? { 'retry-after': `${retryAfterSeconds}`, ...headers } : headers
  }

  get status(): number {
    return problems[this.problem][0]
  }
}

/** The document as it stands in an answer, and in the answer kept for a change. */
export function problemDocument({ problem, message, errors }: Problem) {
  const [status, title] = problems[problem]
  return {
    type: `/v1/problems/${problem}`,
    title,
    status,
    detail: message,
    ...(errors.length > 0 ? { errors } : {}),
  }
}

export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  return reply
    .status(problem.status)
    .headers(problem.headers)
    .type('application/problem+json')
    .send(JSON.stringify(problemDocument(problem)))
}
