/** A request that changes items, handed in: whose it is, and under which key. */
import { inSteps } from '../core/base/slices.ts'
import type { BoardChange } from '../core/contract/change.ts'
import type { RecordedChange } from '../core/store/change-outbox.ts'
import type { ChangeDesk } from './change-desk.ts'
import { hashOf, type WriteRequest } from './idempotency.ts'

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
