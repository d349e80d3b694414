/**
 * What each call may be refused with. Most of it follows from what the call takes, and what it means stands in the table of
 * problems; so a route declares only what nothing else is refused with.
 */
import { STATUS_CODES } from 'node:http'
import type { FastifySchema } from 'fastify'
import type { Role } from '../core/contract/role.ts'
import { type AnswerHeader, limitHeaders, problemSchema } from './answers.ts'
import { jsonTypes } from './json-body.ts'
import { jsonSchemaOf, type Schema } from './open-api-schemas.ts'
import { type ProblemName, problemHelp } from './problems.ts'

/** A route with an `operationId`. */
export interface DocumentedRoute {
  method: string
  url: string
  schema: FastifySchema
  /** What it takes on the board in its path. */
  role: Role | undefined
}

export interface Answer {
  description: string
  headers?: Record<string, Reference>
  content?: Record<string, { schema: Schema }>
}

/** To an answer that calls share; a description goes before the one there (OpenAPI 3.1, 4.8.23). */
export interface Reference {
  $ref: string
  description?: string
}

export type ProblemsByStatus = ReadonlyMap<number, ReadonlySet<ProblemName>>

const ofAnyCall: readonly ProblemName[] = [
  'http-malformed',
  'forbidden',
  'request-timeout',
  'expectation-failed',
  'misdirected',
  'headers-too-large',
  'rate-limited',
  'internal',
  'storage-unavailable',
]

/** Media types of the body. */
export const bodyTypes = ({ consumes = ['application/json'] }: FastifySchema): readonly string[] => consumes

export function problemsOf({ method, url, role, schema }: DocumentedRoute): ProblemName[] {
  const { querystring, headers, problems = [], isOpen } = schema
  // Also where none is expected: what is sent is read.
  const hasBody = method !== 'GET'
  const types = bodyTypes(schema)
  return [
    ...ofAnyCall,
    ...when(!isOpen, 'credential-missing', 'credential-invalid', 'credential-unverifiable', 'not-acceptable'),
    ...when(url.includes(':'), 'address-malformed'),
    ...when(role !== undefined, 'board-id-invalid', 'board-missing'),
    ...when(hasBody || querystring !== undefined, 'request-invalid'),
    ...when(hasBody, 'body-too-large', 'content-encoding-unsupported'),
    ...when(hasBody && types.every(type => type.endsWith('json')), 'json-malformed'),
    ...when(hasBody && types.every(type => jsonTypes.includes(type)), 'content-type-unsupported'),
    ...when(hasBody && headers !== undefined, 'idempotency-key-reused'),
    ...problems,
  ]
}

const when = (holds: boolean, ...problems: ProblemName[]): ProblemName[] => (holds ? problems : [])

export function byStatus(problems: readonly ProblemName[]): ProblemsByStatus {
  const grouped = new Map<number, Set<ProblemName>>()
  for (const problem of problems) {
    const { status } = problemHelp(problem)
    grouped.set(status, (grouped.get(status) ?? new Set()).add(problem))
  }
  return grouped
}

/** The answers of one call: the shared ones, with a description of its own where it knows only some of the problems. */
export function refusalsOf(route: DocumentedRoute, all: ProblemsByStatus): Record<string, Reference> {
  const own = byStatus(problemsOf(route))
  return Object.fromEntries(
    [...own].map(([status, problems]) => {
      const $ref = `#/components/responses/${nameOf(status)}`
      const description = [...problems].map(problem => `\`${problem}\`: ${problemHelp(problem).title}.`).join(' ')
      return [status, problems.size === all.get(status)?.size ? { $ref } : { $ref, description }]
    }),
  )
}

/** One answer for each status, which says of all its problems what helps. */
export function sharedRefusals(all: ProblemsByStatus): Record<string, Answer> {
  const inOrder = [...all].sort(([one], [other]) => one - other)
  return Object.fromEntries(inOrder.map(([status, problems]) => [nameOf(status), refusal(status, problems)]))
}

const headersOfRefusals: Partial<Record<number, readonly AnswerHeader[]>> = {
  401: ['WWW-Authenticate'],
  415: ['Accept-Encoding'],
  429: ['Retry-After', ...limitHeaders],
  503: ['Retry-After'],
}

const refusal = (status: number, problems: Iterable<ProblemName>): Answer => ({
  description: [...problems].map(explained).join('\n'),
  ...headersOf(headersOfRefusals[status] ?? []),
  content: { 'application/problem+json': { schema: jsonSchemaOf(problemSchema) } },
})

function explained(problem: ProblemName): string {
  const { title, help } = problemHelp(problem)
  return `- \`${problem}\`: ${title}. ${help}`
}

/** `Not Found` → `NotFound` */
const nameOf = (status: number): string => (STATUS_CODES[status] ?? `${status}`).replaceAll(' ', '')

export function headersOf(names: readonly AnswerHeader[]): Pick<Answer, 'headers'> {
  if (names.length === 0) return {}
  return { headers: Object.fromEntries(names.map(name => [name, { $ref: `#/components/headers/${name}` }])) }
}
