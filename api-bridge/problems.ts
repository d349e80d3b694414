/**
 * Every error of the REST API, as a named table, and how it looks outside: a problem document (RFC 9457). Its `type` is
 * stable and its last part is the name here.
 */
import type { FastifyReply } from 'fastify'
import type { OperationResult } from '../core/contract/change.ts'
import type { FieldError } from '../core/contract/field-error.ts'

const pointers = 'Each of errors[] says in `pointer` (RFC 6901) which part is meant.'
const again = 'Read it again and decide anew.'

/** Status, title, and what helps: the page behind `type` says it. */
const problems = {
  'http-malformed': [400, 'Not an HTTP request', 'The request could not be read as HTTP/1.1.'],
  'address-malformed': [400, 'The address cannot be read', 'The path has a broken percent-encoding.'],
  'json-malformed': [400, 'The body is not JSON', 'Send one JSON value, in UTF-8.'],
  'request-invalid': [400, 'The request is not as it must be', pointers],
  'board-id-invalid': [400, 'Not a board id', 'A board id has 1 to 128 of A–Z a–z 0–9 _ - and is no reserved word.'],
  'credential-missing': [
    401,
    'A credential is needed',
    'Send Authorization: Bearer …, or X-API-Key. A session counts for pages of allowed origins.',
  ],
  'credential-invalid': [401, 'The credential is not valid', 'It is unknown, expired or revoked.'],
  forbidden: [
    403,
    'This is not allowed',
    'The credential, or the page that sent the request, has no right to do this.',
  ],
  'not-found': [404, 'There is nothing here', 'No call of the API has this address.'],
  'board-missing': [
    404,
    'There is no such board, or this credential has no right to it',
    'A board comes into being when somebody who may write opens it, or posts an item to it. A deleted one can be restored ' +
      'for 30 days (POST …/restore).',
  ],
  'asset-missing': [404, 'This board has no such picture', 'Put its bytes to this address first.'],
  'item-missing': [404, 'There is no such item', 'It was deleted, or never was.'],
  'change-missing': [404, 'There is no such change', 'Its address is in the Location of the 202 that announced it.'],
  'key-missing': [404, 'There is no such key', 'It was revoked, or is a key of another board.'],
  'method-not-allowed': [405, 'This address does not take this method', 'The header Allow names those it takes.'],
  'not-acceptable': [
    406,
    'The answer has another type',
    'Leave the header Accept out, or let it take what the call answers.',
  ],
  'request-timeout': [408, 'The request took too long to arrive', 'Send it again on a new connection.'],
  'item-exists': [409, 'The board has an item of this id', 'Choose another id, or PATCH the item that is there.'],
  'board-exists': [
    409,
    'There is a board of this id',
    'Choose another id. That of a deleted board is free again after 30 days; until then it can be restored.',
  ],
  'already-created': [
    409,
    'This was created before',
    'The first request under this Idempotency-Key did it; `id` names what it made. A secret is shown once: if it got lost, ' +
      'delete what `id` names and create another under a new key.',
  ],
  'board-full': [
    409,
    'The board is full',
    'It has reached MAX_BOARD_BYTES: deleting items makes room. Or its pictures have reached 1 GiB, and no more are taken.',
  ],
  'events-gone': [
    410,
    'What happened after this place is not kept any more',
    'List the items anew. The ETag of that answer is a place too: send it, without its quotes, as Last-Event-ID.',
  ],
  'item-changed': [412, 'The item is no longer what If-Match names', again],
  'body-too-large': [
    413,
    'The body is too large',
    'A body has at most 1 MiB, a picture 10 MiB, a batch or a tldraw file 16 MiB.',
  ],
  'content-type-unsupported': [
    415,
    'This content type is not taken',
    'Send application/json; a PATCH may also be application/merge-patch+json, a picture is image/… or application/octet-stream.',
  ],
  'content-encoding-unsupported': [415, 'This content encoding is not taken', 'Send the body uncompressed.'],
  'asset-unsupported': [415, 'This is not a picture that boards take', 'Send a PNG, JPEG, WebP or GIF, as it is.'],
  misdirected: [
    421,
    'This server does not answer under this name',
    'Without a credential setting it answers to localhost, 127.0.0.1 and [::1] only.',
  ],
  'expectation-failed': [417, 'This expectation cannot be met', 'Of Expect only 100-continue is known here.'],
  'asset-hash-wrong': [
    422,
    'The address is not the SHA-256 of the body',
    'The last part of the address is the SHA-256 of the picture: 64 hex digits in lower case.',
  ],
  'file-unreadable': [
    422,
    'The file cannot be read',
    'It was saved by a newer version of tldraw than the one used here, or is no tldraw file.',
  ],
  'item-invalid': [422, 'The item cannot be on the board', pointers],
  'idempotency-key-reused': [
    422,
    'This Idempotency-Key was used for another request',
    'A key stands for one request, with its method, address and body, for 24 hours.',
  ],
  'headers-too-large': [431, 'The headers are too large', 'Address and headers together have at most 16 KiB.'],
  'rate-limited': [
    429,
    'Too many requests',
    'Wait for the seconds in Retry-After. The RateLimit headers of answers say how many requests are left.',
  ],
  'too-many-streams': [
    429,
    'Too many streams of events',
    'Close some first: one stream of a board tells everything about it. Those that an instance ended count no longer.',
  ],
  internal: [500, 'Something is wrong inside the server', 'Whoever runs it finds the reason in its log.'],
  draining: [503, 'This instance is going away', 'Ask again: another one answers, or this one when it is back.'],
  'credential-unverifiable': [
    503,
    'The credential cannot be checked now',
    'The keys that tokens are signed with could not be fetched. Try again, or use an API key.',
  ],
  'storage-unavailable': [
    503,
    'Storage is unavailable',
    'Try again after the seconds in Retry-After, a write with the same Idempotency-Key: then it is made once, even if ' +
      'the answer to it was all that got lost. Of a change without a key the detail names the address that tells whether it was stored.',
  ],
} as const satisfies Record<string, readonly [status: number, title: string, help: string]>

export type ProblemName = keyof typeof problems

const retryAfterSeconds = 2
/** What was sent is quoted in some details; nobody needs all of it back. */
const detailLength = 1_000

interface ProblemParts {
  errors?: readonly FieldError[]
  headers?: Record<string, string>
  results?: readonly OperationResult[] | undefined
  id?: string
  cause?: unknown
}

export class Problem extends Error {
  override readonly name = 'Problem'
  readonly problem: ProblemName
  readonly errors: readonly FieldError[]
  readonly headers: Readonly<Record<string, string>>
  /** Of a batch that was rejected: one for each operation. */
  readonly results: readonly OperationResult[] | undefined
  /** Of what the problem is about. */
  readonly id: string | undefined

  constructor(problem: ProblemName, detail: string, parts: ProblemParts = {}) {
    const { errors = [], headers = {}, results, id, cause } = parts
    super(detail, { cause })
    this.problem = problem
    this.errors = errors
    this.results = results
    this.id = id
    this.headers = problems[problem][0] === 503 ? { 'retry-after': `${retryAfterSeconds}`, ...headers } : headers
  }

  get status(): number {
    return problems[this.problem][0]
  }

  /** Faults in fields, told in `errors` and, for people, in the detail. */
  static ofFields(problem: ProblemName, errors: readonly FieldError[]): Problem {
    return new Problem(problem, errors.map(({ pointer, detail }) => `${pointer || 'body'}: ${detail}`).join('; '), {
      errors,
    })
  }
}

/** The document as it stands in an answer, and in the answer kept for a change. */
export function problemDocument({ problem, message, errors, results, id }: Problem) {
  const [status, title] = problems[problem]
  return {
    type: `/v1/problems/${problem}`,
    title,
    status,
    detail: message.length > detailLength ? `${message.slice(0, detailLength)}…` : message,
    ...(errors.length > 0 ? { errors } : {}),
    ...(id === undefined ? {} : { id }),
    ...(results ? { results } : {}),
  }
}

export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  return (
    reply
      .status(problem.status)
      .headers(problem.headers)
      .type('application/problem+json')
      // As bytes: to text Fastify would add a charset, which this media type has not got.
      .send(Buffer.from(JSON.stringify(problemDocument(problem))))
  )
}

export const isProblemName = (name: string): name is ProblemName => Object.hasOwn(problems, name)

/** What the page of a problem says. */
export function problemHelp(name: ProblemName): { status: number; title: string; help: string } {
  const [status, title, help] = problems[name]
  return { status, title, help }
}
