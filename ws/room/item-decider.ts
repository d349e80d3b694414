/**
 * Decides item changes on a replica, in their order, and keeps one that throws from harming the others: it ends its batch,
 * is from then on tried by itself, and after three times rejected.
 */
import { LRUCache } from 'lru-cache'
import type * as Y from 'yjs'
import { inSteps } from '../../core/base/slices.ts'
import { boardChangeSchema, type Rejection, takesRoom } from '../../core/contract/change.ts'
import { type FieldError, fieldErrors } from '../../core/contract/field-error.ts'
import { type Decision, decideChange } from '../../core/doc/items.ts'
import type { Replica } from '../../core/doc/replica.ts'
import type { DecidedChange, PendingChange } from '../../core/store/change-drain.ts'
import type { BoardSize } from './board-size.ts'

/** A change that throws this often is rejected, so that it does not block its board. */
const throwsAtMost = 3
const throwsRemembered = 1_000
/** Updates and answers that are written in one go, but for the last of them. */
const decidedBytesAtMost = 4 * 1024 * 1024
/** One client id for all that this process writes: each one stays in every state vector of the board for ever. */
const writerClientId = Math.floor(Math.random() * 2 ** 32)

/** Nothing of the batch may be committed; the replica may hold parts of it. Deciding again gets further. */
export class ChangeThrew extends Error {
  readonly publicId: string

  constructor(publicId: string, cause: unknown) {
    super('an item change threw', { cause })
    this.publicId = publicId
  }
}

export class ItemDecider {
  /** How often each change threw. Another instance may be the one that rejects it, hence the bound. */
  readonly #throws = new LRUCache<number, number>({ max: throwsRemembered })

  /**
   * In slices; the replica has to stay as it is meanwhile, but for this.
   * @param end by `performance.now()`: then nothing more is taken up. The first always is
   * @returns the first of the changes, decided and applied: as many as could be
   * @throws ChangeThrew when the very first threw, or one that left half of itself in the replica
   */
  async decide(
    replica: Replica,
    size: BoardSize,
    changes: readonly PendingChange[],
    end: number,
  ): Promise<DecidedChange[]> {
    const decided: DecidedChange[] = []
    let bytes = 0
    const othersTurn = inSteps()
    let edited = false
    const note = () => {
      edited = true
    }
    replica.doc.on('update', note)
    try {
      for (const change of changes) {
        const isEnough = performance.now() >= end || bytes > decidedBytesAtMost
        if (decided.length > 0 && (isEnough || this.#throws.has(change.id))) break
        edited = false
        try {
          const next = await this.#decide(replica, size, change, othersTurn)
          decided.push(next)
          bytes += next.result.length + (next.update?.byteLength ?? 0)
        } catch (error) {
          this.#throws.set(change.id, (this.#throws.get(change.id) ?? 0) + 1)
          if (edited || decided.length === 0) throw new ChangeThrew(change.publicId, error)
          break
        }
      }
    } finally {
      replica.doc.off('update', note)
    }
    return decided
  }

  async #decide(
    replica: Replica,
    size: BoardSize,
    { id, publicId, change, actor }: PendingChange,
    othersTurn: () => Promise<void>,
  ): Promise<DecidedChange> {
    const { outcome, write } =
      (this.#throws.get(id) ?? 0) >= throwsAtMost ? failing : await decideStored(replica.doc, size, change, othersTurn)
    await othersTurn()
    // First of all: one that cannot be told leaves the replica as it was.
    const result = JSON.stringify(outcome)
    const update = replica.edit(writerClientId, write)
    return { id, publicId, change, status: outcome.status, result, actor, update }
  }
}

const failing = refusal('internal', 'applying this change fails inside the server')

/** What was stored is read as what came from outside: it may be from another version of boardsync. */
async function decideStored(
  doc: Y.Doc,
  size: BoardSize,
  stored: string,
  othersTurn: () => Promise<void>,
): Promise<Decision> {
  const change = boardChangeSchema.safeParse(JSON.parse(stored))
  await othersTurn()
  if (change.success) {
    if (!takesRoom(change.data) || size.hasRoomFor(stored.length)) return decideChange(doc, change.data)
    return refusal('board-full', 'the board is full; deleting is still possible')
  }
  const errors = fieldErrors(change.error).map(error => ({ ...error, pointer: error.pointer.replace(/^\/item/, '') }))
  return refusal('item-invalid', 'this is no change to an item', errors)
}

function refusal(reason: Rejection, detail: string, errors?: FieldError[]): Decision {
  return { outcome: { status: 'rejected', reason, detail, ...(errors && { errors }) }, write: () => undefined }
}
