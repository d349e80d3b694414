/**
 * A board's way into the log, and the gate: nothing that derives from an edit leaves the process before its commit.
 *
 *   admit → (committer) apply, enqueue → pending → in flight → settle: broadcast the batch, then open the gate for what waited
 *
 * An edit is applied to the replica right before its batch is taken, together with all that came in since the last one: one after
 * the other, by code that is warm, they cost a fraction of what each takes between two sleeps of the process.
 *
 * It is numbered when it is applied (`applied`); `settled` is the number up to which all is in the log. What was derived from
 * the document (a sync answer) waits until everything applied at that moment is settled.
 *
 * A *turn* is work that needs the replica exactly as the log has it: draining item changes, encoding a snapshot. While it
 * lasts, edits stay unapplied; so a change is never made beside an uncommitted edit, on which it could depend.
 */
import type { SyncError } from '../../core/base/errors.ts'
import type { Actor } from '../../core/contract/actor.ts'
import type { BoardId } from '../../core/contract/board-id.ts'
import type { Committed } from '../../core/store/board-log.ts'
import { aloneOverBytes, type InFlight, merged, type PendingEdit, takeBatch } from './batch.ts'

/** What gathers before it is applied, at most: more at once would keep other boards waiting. */
const gatheredBytesAtMost = 32 * 1024

export interface CommitLineOwner {
  /** The highest seq up to which every row is applied. */
  known(): number
  /**
   * A batch is in the log; `updates` (V1) are all of it, as a rule merged into one.
   * @param known what was known before it went there
   */
  onCommitted(committed: Committed, updates: readonly Uint8Array[], known: number): void
  /** The edits that wait cannot be committed: they are given up, and the room with them. */
  onGivenUp(error: SyncError): void
}

export class CommitLine {
  readonly board: BoardId
  /** The committer's: whether it looks at this line. */
  isAwake = false
  readonly #owner: CommitLineOwner
  readonly #wake: (line: CommitLine) => void
  #pending: PendingEdit[] = []
  #inFlight: InFlight | undefined
  #pendingBytes = 0
  #bytes = 0
  #applied = 0
  #settled = 0
  #gate: { after: number; open: () => void; bytes: number }[] = []
  #turns: Promise<unknown> = Promise.resolve()
  #turnsWaiting = 0
  /** A turn is at work: the replica may hold what is not committed, though no edit waits. */
  #turnAtWork = false
  #admitted: { bytes: number; apply: () => void; at: number }[] = []
  #admittedBytes = 0
  /** When the admitted edit that is being applied came in; undefined when none is. */
  #cameInAt: number | undefined
  /** Ends the turn that waits for its start, when the line is closed under it. */
  #abandonTurn: ((error: Error) => void) | undefined
  #closed = false

  constructor(board: BoardId, owner: CommitLineOwner, wake: (line: CommitLine) => void) {
    this.board = board
    this.#owner = owner
    this.#wake = wake
  }

  /** Bytes that wait for storage. */
  get bytes(): number {
    return this.#bytes
  }

  /** Nothing waits, and no turn is at work: the replica is exactly as the log has it. */
  get isQuiet(): boolean {
    const waits = this.#settled !== this.#applied || this.#admitted.length > 0 || this.#gate.length > 0
    return !waits && this.#turnsWaiting === 0
  }

  /** When the oldest edit that waits came in (`performance.now()`); undefined when none does. */
  get waitingSince(): number | undefined {
    return this.#inFlight?.since ?? this.#pending[0]?.at ?? this.#admitted[0]?.at
  }

  /** An update that was just applied to the replica. */
  enqueue(update: Uint8Array, actor: Actor): void {
    this.#applied += 1
    this.#bytes += update.byteLength
    this.#pendingBytes += update.byteLength
    this.#pending.push({ update, actor, at: this.#cameInAt ?? performance.now() })
    // Where more are about to follow, they go together.
    if (this.#cameInAt === undefined) this.#wake(this)
  }

  /**
   * Runs `open` once everything in the replica now is in the log: at once when it is. Dropped when the line is given up.
   * Not to throw.
   * @param bytes what is kept for it while it waits, where that is not bounded otherwise
   */
  whenCommitted(open: () => void, bytes = 0): void {
    if (this.#closed) return
    if (this.#settled === this.#applied && !this.#turnAtWork) {
      open()
    } else {
      this.#bytes += bytes
      this.#gate.push({ after: this.#applied, open, bytes })
    }
  }

  /** Takes an edit of so many bytes, to be applied through `apply`, which does not throw, before the next batch is taken. */
  admit(bytes: number, apply: () => void): void {
    if (this.#closed) return
    this.#bytes += bytes
    this.#admittedBytes += bytes
    this.#admitted.push({ bytes, apply, at: performance.now() })
    if (this.#admittedBytes > gatheredBytesAtMost) this.applyAdmitted()
    if (!this.#closed) this.#wake(this) // by what was applied
  }

  /** Applies what was admitted, unless a turn waits or is at work: then it is applied when that is done. */
  applyAdmitted(): void {
    if (this.#turnsWaiting > 0 || this.#admitted.length === 0) return
    const admitted = this.#admitted
    this.#admitted = []
    this.#admittedBytes = 0
    for (const { bytes, apply, at } of admitted) {
      if (this.#closed) return // by one of them
      this.#bytes -= bytes
      this.#cameInAt = at
      try {
        apply()
      } finally {
        this.#cameInAt = undefined
      }
    }
    // Once for all of them; all together they may have become big, and go another way.
    if (this.nextMode) this.#wake(this)
  }

  /**
   * Runs `work` while nothing is pending and no edit is applied. Turns run one after the other.
   * @throws Error when the line is closed before the turn came
   */
  turn<T>(work: () => Promise<T>): Promise<T> {
    this.applyAdmitted()
    this.#turnsWaiting += 1
    const result = this.#turns.then(async () => {
      try {
        await this.#quiet()
        this.#turnAtWork = true
        return await work()
      } finally {
        this.#turnAtWork = false
        this.#turnsWaiting -= 1
        this.#openGate()
        this.applyAdmitted()
      }
    })
    this.#turns = result.catch(() => undefined) // whoever asked for the turn hears of its failure
    return result
  }

  /** For the committer: in which way the next batch has to be committed; undefined when nothing waits. */
  get nextMode(): InFlight['mode'] | undefined {
    if (this.#inFlight) return this.#inFlight.mode
    const admits = this.#admitted.length > 0 && this.#turnsWaiting === 0
    if (this.#pending.length === 0 && !admits) return undefined
    return this.#pendingBytes > aloneOverBytes ? 'alone' : 'together'
  }

  /** For the committer: the next batch is not to be committed before (`performance.now()`: a clock that is set must not hold it up). */
  get nextDue(): number {
    return this.#inFlight?.retryAt ?? 0
  }

  /** For the committer: the next batch. It stays the same until it is settled. */
  take(): InFlight {
    if (!this.#inFlight) {
      const mode = this.nextMode ?? 'together'
      const { entries, bytes, since } = takeBatch(this.#pending)
      this.#pendingBytes -= bytes
      const last = this.#applied - this.#pending.length
      const known = this.#owner.known()
      this.#inFlight = { entries, bytes, known, last, since, mode, batchId: undefined, tries: 0, retryAt: 0 }
    }
    return this.#inFlight
  }

  /** The batch in flight is in the log. */
  settle(committed: Committed): void {
    const batch = this.#inFlight
    if (!batch) return // given up meanwhile
    this.#inFlight = undefined
    this.#bytes -= batch.bytes
    this.#settled = batch.last
    this.#owner.onCommitted(committed, merged(batch.entries.map(entry => entry.data)), batch.known)
    this.#openGate()
    if (this.nextMode) this.#wake(this)
  }

  /** The edits that wait will not be committed. What waited at the gate never leaves. */
  giveUp(error: SyncError): void {
    if (!this.#closed) this.#owner.onGivenUp(error)
  }

  close(): void {
    this.#closed = true
    this.#pending = []
    this.#inFlight = undefined
    this.#bytes = 0
    this.#gate = []
    this.#admitted = []
    this.#pendingBytes = 0
    this.#admittedBytes = 0
    this.#abandonTurn?.(new Error(`board ${this.board} was closed`))
  }

  #openGate(): void {
    while (this.#gate[0] && this.#gate[0].after <= this.#settled) {
      const passed = this.#gate.shift()
      this.#bytes -= passed?.bytes ?? 0
      passed?.open()
    }
  }

  #quiet(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#closed) reject(new Error(`board ${this.board} was closed`))
      this.#abandonTurn = reject
      this.whenCommitted(resolve)
    })
  }
}
