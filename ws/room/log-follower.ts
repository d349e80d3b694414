/**
 * Keeps a room's replica abreast of what other instances commit: from what the bus brings where that is exactly what
 * comes next, else from the log.
 *
 * The bus is trusted to bring what an instance published, and with nothing more: a message may be missing, doubled, late,
 * or from before the store went back. `known` moves only to seqs whose rows are applied. That it is not beyond the head
 * of the store is checked from time to time (`replication.ts`); a room where it is gets discarded.
 *
 * Rows may come in during a turn of the commit line: then head and `known` differ for its transaction, which reads
 * again. Once that holds the board's row, nobody else commits.
 */
import { SyncError } from '../../core/base/errors.ts'
import type { Logger } from '../../core/base/log.ts'
import type { Metrics } from '../../core/base/metrics.ts'
import type { BoardId } from '../../core/contract/board-id.ts'
import type { Replica } from '../../core/doc/replica.ts'
import type { StoredBoard } from '../../core/store/board-archive.ts'
import type { Storage } from '../../core/store/storage.ts'
import { checkUpdate } from '../protocol/update-check.ts'
import type { SyncFollower } from './sync-channel.ts'
import type { SyncMessage } from './sync-message.ts'

export interface LogFollowerOwner {
  /** These were read from the log; where a snapshot was, they may hold edits of this room that are not committed. */
  onRead(updates: readonly Uint8Array[], stored: StoredBoard): void
  /** Another instance committed these rows; all that they changed is in `updates`. */
  onHeard(updates: readonly Uint8Array[], rows: number): void
  onDiscard(error: SyncError): void
}

export interface LogFollowerServices {
  archive: Storage['archive']
  log: Logger
  metrics: Metrics
}

/** Origin of transactions that apply what another instance said. */
const fromBus: unique symbol = Symbol('from the bus')

export class LogFollower implements SyncFollower {
  readonly #board: BoardId
  readonly #replica: Replica
  readonly #services: LogFollowerServices
  readonly #owner: LogFollowerOwner
  #reading: Promise<void> | undefined
  /** Something was committed after the reading under way began. */
  #again = false
  /** Resolves when the replica may be changed again; undefined while it may. */
  #still: Promise<void> | undefined
  #heardMeanwhile = false
  #closed = false

  constructor(board: BoardId, replica: Replica, services: LogFollowerServices, owner: LogFollowerOwner) {
    this.#board = board
    this.#replica = replica
    this.#services = services
    this.#owner = owner
  }

  /** Reads what the log has and the replica lacks. One reading at a time. */
  catchUp(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined
      if (!this.#again) return
      this.#again = false
      this.missed()
    })
    return this.#reading
  }

  missed(): void {
    if (this.#closed) return
    if (this.#reading) this.#again = true
    else {
      this.catchUp().catch(error =>
        this.#services.log.warn({ err: error, board: this.#board }, 'could not read the log'),
      )
    }
  }

  /** Leaves the replica as it is while `work` lasts; what is heard meanwhile is read from the log then. */
  async keepStill<T>(work: () => Promise<T>): Promise<T> {
    const working = work()
    this.#still = working.then(
      () => undefined,
      () => undefined, // whoever asked for the work hears of its failure
    )
    try {
      return await working
    } finally {
      this.#still = undefined
      if (this.#heardMeanwhile) this.missed()
      this.#heardMeanwhile = false
    }
  }

  hear({ epoch, firstSeq, lastSeq, update }: SyncMessage): void {
    if (this.#closed) return
    const { known } = this.#replica
    const sameHistory = epoch === this.#replica.epoch
    if (sameHistory && lastSeq <= known) return
    if (this.#still) {
      this.#heardMeanwhile = true
      return
    }
    const isNext = sameHistory && firstSeq === known + 1
    if (isNext && update && !this.#replica.rests) this.#take(update, firstSeq, lastSeq)
    else this.missed()
  }

  close(): void {
    this.#closed = true
  }

  #take(update: Uint8Array, firstSeq: number, lastSeq: number): void {
    try {
      checkUpdate(update, this.#replica.doc)
    } catch {
      this.#services.metrics.refusals.inc({ reason: 'bus-update-malformed' })
      this.missed()
      return
    }
    const applied = this.#whole(() => this.#replica.apply(update, fromBus))
    // What was left out refers to rows that are missing here: the log has them, or knows them to be damaged.
    if (applied.incomplete) this.missed()
    else this.#replica.advance(firstSeq, lastSeq)
    this.#owner.onHeard(applied.update ? [applied.update] : [], lastSeq - firstSeq + 1)
  }

  async #read(): Promise<void> {
    const stored = await this.#services.archive.read(this.#board, this.#replica.known)
    if (stored && (stored.snapshot || stored.rows.length > 0)) await this.#replica.wake()
    while (this.#still) await this.#still
    if (this.#closed) return
    if (!stored || stored.head.deleted) {
      this.#owner.onDiscard(new SyncError('board-deleted', 'the board was deleted'))
    } else if (stored.head.epoch !== this.#replica.epoch) {
      this.#owner.onDiscard(new SyncError('store-went-back', 'the store went back to another state'))
    } else {
      this.#owner.onRead(
        this.#whole(() => this.#replica.absorb(stored)),
        stored,
      )
    }
  }

  /** @throws Error when Yjs stops half-way; the room is discarded then, and the next one reads around what is damaged */
  #whole<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      this.#owner.onDiscard(new SyncError('storage-unavailable', 'this board has to be read anew; connect again'))
      throw error
    }
  }
}
