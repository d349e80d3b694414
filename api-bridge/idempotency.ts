/**
 * Writes that are done once per Idempotency-Key, whatever they write (item changes keep theirs in their own row). The answer
 * is kept with what it tells of, in one transaction, and given again. A refusal is not kept: nothing was done, so the same
 * request may be sent again.
 */
import { createHash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Sql } from '../core/store/database.ts'
import type { Storage } from '../core/store/storage.ts'
import { Problem } from './problems.ts'

export type WriteRequest = Pick<FastifyRequest, 'board' | 'grant' | 'method' | 'routeOptions' | 'params' | 'body'> & {
  headers: { 'idempotency-key'?: string | undefined; 'if-match'?: string | undefined }
}

export interface Answer {
  status: number
  headers?: Record<string, string>
  /** Absent: an answer without a body. */
  body?: unknown
}

interface AnswerWithSecret extends Answer {
  /** The body holds a secret, which is never stored: a repeat is told the id of what was made, and no more. */
  secretOf: string
}

/** Does the write of a request, or finds that it is done. */
export type WriteOnce = (
  request: WriteRequest,
  write: (sql: Sql) => Promise<Answer | AnswerWithSecret>,
) => Promise<Answer>

export function createWriteOnce(answers: Storage['answers']): WriteOnce {
  return async (request, write) => {
    const key = request.headers['idempotency-key']
    const keyed =
      key === undefined
        ? undefined
        : { scope: request.board ?? '', subject: request.grant.subject, key, hash: hashOf(request) }
    const once = await answers.once(keyed, write, kept)
    switch (once.kind) {
      case 'done':
        return once.result
      case 'repeated':
        return again(JSON.parse(once.answer) as Kept)
      case 'reused':
        throw new Problem('idempotency-key-reused', 'this Idempotency-Key came with another request within 24 hours')
      default:
        return once satisfies never
    }
  }
}

/** By what was asked, not by how the address was spelt or which credential stood in it. */
export function hashOf({ method, routeOptions, params, body, headers }: WriteRequest): string {
  return createHash('sha256')
    .update(JSON.stringify([method, routeOptions.url, params, headers['if-match'] ?? null, body ?? null]))
    .digest('base64url')
}

export function sendAnswer(reply: FastifyReply, { status, headers = {}, body }: Answer): FastifyReply {
  return reply.status(status).headers(headers).send(body)
}

type Kept = Answer | { secretOf: string }

const kept = (answer: Answer | AnswerWithSecret): string =>
  JSON.stringify('secretOf' in answer ? { secretOf: answer.secretOf } : answer)

function again(answer: Kept): Answer {
  if (!('secretOf' in answer)) return answer
  const { secretOf } = answer
  throw new Problem('already-created', `it was created as ${secretOf}; its secret is shown once`, { id: secretOf })
}
