/** A request that changes items, handed in: whose it is, and what makes it the same request as another one. */
import { createHash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { inSteps } from '../core/base/slices.ts'
import type { BoardChange } from '../core/contract/change.ts'
import type { RecordedChange } from '../core/store/change-outbox.ts'
import type { ChangeDesk } from './change-desk.ts'

export type WriteRequest = Pick<FastifyRequest, 'board' | 'grant' | 'method' | 'routeOptions' | 'params' | 'body'> & {
  headers: { 'idempotency-key'?: string | undefined; 'if-match'?: string | undefined }
}

/** @throws Problem, StorageError: as {@link ChangeDesk.submit} */
export async function submitChange(
  desk: ChangeDesk,
  request: WriteRequest,
  change: BoardChange,
): Promise<RecordedChange> {
  const othersTurn = inSteps()
  const requestHash = hashOf(request)
  await othersTurn()
  return desk.submit({
    board: request.board,
    change,
    actor: `agent:${request.grant.subject}`,
    name: request.grant.name,
    idempotencyKey: request.headers['idempotency-key'],
    requestHash,
  })
}

/** By what was asked, not by how the address was spelt or which credential stood in it. */
export function hashOf({ method, routeOptions, params, body, headers }: WriteRequest): string {
  return createHash('sha256')
    .update(JSON.stringify([method, routeOptions.url, params, headers['if-match'] ?? null, body ?? null]))
    .digest('base64url')
}
