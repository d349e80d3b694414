/**
 * Decides item changes on a replica, in their order, and keeps one that throws from harming the others: it ends its batch,
 * is from then on tried by itself, and after three times rejected. So is one that takes longer than its transaction lasts:
 * tried for ever, it would hold up its board for ever.
 */
import { LRUCache } from 'lru-cache'
import type * as Y from 'yjs'
import { inSteps } from '../../core/base/slices.ts'
import { boardChangeSchema, type Rejection, takesRoom } from '../../core/contract/change.ts'
import { type FieldError, fieldErrors } from '../../core/contract/field-error.ts'
import { type Decision, decideChange } from '../../core/doc/items.ts'
import type { Replica } from '../../core/doc/replica.ts'
import { type DecidedChange, decidableMs, type PendingChange } from '../../core/store/change-drain.ts'
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
    const work = new Work(decidableMs(changes))
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
        work.begin()
        try {
          const next = await this.#decide(replica, size, change, () => work.pause())
          // Where that is committed all the same, nobody asks again.
          if (work.isTooLong) this.#countThrow(change)
          decided.push(next)
          bytes += next.result.length + (next.update?.byteLength ?? 0)
        } catch (error) {
          this.#countThrow(change)
          if (edited || decided.length === 0) throw new ChangeThrew(change.publicId, error)
          break
        }
      }
    } finally {
      replica.doc.off('update', note)
    }
    return decided
  }

  #countThrow({ id }: PendingChange): void {
    this.#throws.set(id, (this.#throws.get(id) ?? 0) + 1)
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

/**
 * The work on one change at a time. Only work counts: a change that waits for others, or for the database, is none the worse
 * for it.
 */
class Work {
  readonly #atMostMs: number
  readonly #othersTurn = inSteps()
  #doneMs = 0
  #begun = 0

  constructor(atMostMs: number) {
    this.#atMostMs = atMostMs
  }

  begin(): void {
    this.#doneMs = 0
    this.#begun = performance.now()
  }

  get isTooLong(): boolean {
    return this.#doneMs + performance.now() - this.#begun > this.#atMostMs
  }

  /** @throws Error where it has taken too long already */
  async pause(): Promise<void> {
    if (this.isTooLong) throw new Error(`it takes longer than the ${this.#atMostMs} ms that its transaction lasts`)
    this.#doneMs += performance.now() - this.#begun
    await this.#othersTurn()
    this.#begun = performance.now()
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
    if (!takesRoom(change.data) || size.hasRoomFor(stored.length)) return decideChange(doc, change.data, othersTurn)
    return refusal('board-full', 'the board is full; deleting is still possible')
  }
  const errors = fieldErrors(change.error).map(error => ({ ...error, pointer: error.pointer.replace(/^\/item/, '') }))
  return refusal('item-invalid', 'this is no change to an item', errors)
}

function refusal(reason: Rejection, detail: string, errors?: FieldError[]): Decision {
  return { outcome: { status: 'rejected', reason, detail, ...(errors && { errors }) }, write: () => undefined }
}
