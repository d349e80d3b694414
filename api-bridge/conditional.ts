/** Conditional reads: who has seen this state already is told so, and gets nothing again. */
import type { FastifyReply, FastifyRequest } from 'fastify'

/** Sets the answer's ETag. @returns whether the request's If-None-Match names it: the answer is a 304 then */
export function isUnchanged({ headers }: FastifyRequest, reply: FastifyReply, etag: string): boolean {
  reply.header('etag', etag)
  const seen = headers['if-none-match']
  return seen !== undefined && names(seen, etag)
}

/** RFC 9110, 13.1.2: `*`, or a list of tags, compared weakly. Our tags hold no comma. */
function names(header: string, etag: string): boolean {
  if (header.trim() === '*') return true
  return header.split(',').some(tag => tag.trim().replace(/^W\//, '') === etag)
}
