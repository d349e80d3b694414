/**
 * A board's way into the log, and the gate: nothing that derives from an edit leaves the process before its commit.
 *
 *   enqueue → pending → (committer) in flight → settle: broadcast the batch, then open the gate for what waited on it
 *
 * An edit is numbered when it is applied to the replica (`applied`); `settled` is the number up to which all is in the
 * log. What was derived from the document (a sync answer) waits until everything applied at that moment is settled.
 *
 * A *turn* is work that needs the replica exactly as the log has it: draining item changes, encoding a snapshot. While it
 * lasts, incoming edits queue unapplied; so a change is never made beside an uncommitted edit, on which it could depend.
 */
import * as Y from 'yjs'
import type { SyncError } from '../../core/base/errors.ts'
import type { Actor } from '../../core/contract/actor.ts'
import type { BoardId } from '../../core/contract/board-id.ts'
import type { Committed, LogEntry } from '../../core/store/board-log.ts'

/** What the committer holds of one board while it tries to commit it. */
export interface InFlight {
  entries: LogEntry[]
  bytes: number
  /** The number of the last edit among the entries. */
  last: number
  since: number
  /**
   * - `together`: in one statement with other boards, skipped while its row is locked
   * - `alone`: waits for its row by itself
   * - `uncertain`: an earlier try's outcome is unknown; `batchId` tells whether it took
   */
  mode: 'together' | 'alone' | 'uncertain'
  batchId: string | undefined
  /** How often it failed or was skipped; it is tried again at `retryAt`. */
  tries: number
  retryAt: number
}

export interface CommitLineOwner {
  /** A batch is in the log; `update` (V1) is all of it, merged. */
  onCommitted(committed: Committed, update: Uint8Array): void
  /** The edits that wait cannot be committed: they are given up, and the room with them. */
  onGivenUp(error: SyncError): void
}

/** At most one document frame per board in this time. */
const frameMs = 16
/** A batch this big is not put together with others. */
const aloneOverBytes = 256 * 1024
/** Merging is super-linear in the number of updates. */
const mergedAtMost = 200

export class CommitLine {
  readonly board: BoardId
  readonly #owner: CommitLineOwner
  readonly #wake: (line: CommitLine) => void
  #pending: { update: Uint8Array; actor: Actor; at: number }[] = []
  #inFlight: InFlight | undefined
  #pendingBytes = 0
  #bytes = 0
  #applied = 0
  #settled = 0
  #gate: { after: number; open: () => void }[] = []
  #turns: Promise<unknown> = Promise.resolve()
  #turnsWaiting = 0
  #held: { bytes: number; apply: () => void }[] = []
  /** Ends the turn that waits for its start, when the line is closed under it. */
  #abandonTurn: ((error: Error) => void) | undefined
  #closed = false
  #committedAt = 0

  constructor(board: BoardId, owner: CommitLineOwner, wake: (line: CommitLine) => void) {
    this.board = board
    this.#owner = owner
    this.#wake = wake
  }

  /** Bytes that wait for storage. */
  get bytes(): number {
    return this.#bytes
  }

  /** When the oldest edit that waits came in; undefined when none does. */
  get waitingSince(): number | undefined {
    return this.#inFlight?.since ?? this.#pending[0]?.at
  }

  /** An update that was just applied to the replica. */
  enqueue(update: Uint8Array, actor: Actor): void {
    this.#applied += 1
    this.#bytes += update.byteLength
    this.#pendingBytes += update.byteLength
    this.#pending.push({ update, actor, at: Date.now() })
    this.#wake(this)
  }

  /** Runs `open` once everything applied so far is in the log: at once when it is. Dropped when the line is given up. */
  whenCommitted(open: () => void): void {
    if (this.#settled === this.#applied) open()
    else this.#gate.push({ after: this.#applied, open })
  }

  /** Applies an edit of so many bytes through `apply`: now, or after the turn that is under way. */
  admit(bytes: number, apply: () => void): void {
    if (this.#turnsWaiting === 0) {
      apply()
    } else {
      this.#bytes += bytes
      this.#held.push({ bytes, apply })
    }
  }

  /**
   * Runs `work` while nothing is pending and no edit is applied. Turns run one after the other.
   * @throws Error when the line is closed before the turn came
   */
  turn<T>(work: () => Promise<T>): Promise<T> {
    this.#turnsWaiting += 1
    const result = this.#turns.then(async () => {
      try {
        await this.#quiet()
        return await work()
      } finally {
        this.#turnsWaiting -= 1
        if (this.#turnsWaiting === 0) this.#release()
      }
    })
    this.#turns = result.catch(() => undefined) // whoever asked for the turn hears of its failure
    return result
  }

  /** For the committer: in which way the next batch has to be committed; undefined when nothing waits. */
  get next(): { mode: InFlight['mode']; due: number } | undefined {
    const due = this.#committedAt + frameMs
    if (this.#inFlight) return { mode: this.#inFlight.mode, due: Math.max(due, this.#inFlight.retryAt) }
    if (this.#pending.length === 0) return undefined
    return { mode: this.#pendingBytes > aloneOverBytes ? 'alone' : 'together', due }
  }

  /** For the committer: the next batch. It stays the same until it is settled. */
  take(): InFlight {
    if (!this.#inFlight) {
      const mode = this.next?.mode ?? 'together'
      const taken = this.#pending.splice(0, mergedAtMost)
      const bytes = taken.reduce((sum, edit) => sum + edit.update.byteLength, 0)
      this.#pendingBytes -= bytes
      this.#inFlight = {
        entries: runsOfOneActor(taken).map(([actor, updates]) => ({ actor, data: merged(updates) })),
        bytes,
        last: this.#applied - this.#pending.length,
        since: taken[0]?.at ?? Date.now(),
        mode,
        batchId: undefined,
        tries: 0,
        retryAt: 0,
      }
    }
    return this.#inFlight
  }

  /** The batch in flight is in the log. */
  settle(committed: Committed): void {
    const batch = this.#inFlight
    if (!batch || this.#closed) return
    this.#inFlight = undefined
    this.#bytes -= batch.bytes
    this.#settled = batch.last
    this.#committedAt = Date.now()
    this.#owner.onCommitted(committed, merged(batch.entries.map(entry => entry.data)))
    while (this.#gate[0] && this.#gate[0].after <= this.#settled) this.#gate.shift()?.open()
    if (this.next) this.#wake(this)
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
    this.#held = []
    this.#abandonTurn?.(new Error(`board ${this.board} was closed`))
  }

  #quiet(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#closed) reject(new Error(`board ${this.board} was closed`))
      this.#abandonTurn = reject
      this.whenCommitted(resolve)
    })
  }

  #release(): void {
    const held = this.#held
    this.#held = []
    for (const { bytes, apply } of held) {
      this.#bytes -= bytes
      apply()
    }
  }
}

const merged = (updates: Uint8Array[]): Uint8Array =>
  updates.length === 1 && updates[0] ? updates[0] : Y.mergeUpdates(updates)

/** Adjacent updates of one author become one row. */
function runsOfOneActor(edits: readonly { update: Uint8Array; actor: Actor }[]): [Actor, Uint8Array[]][] {
  const runs: [Actor, Uint8Array[]][] = []
  for (const { actor, update } of edits) {
    const run = runs.at(-1)
    if (run && run[0] === actor) run[1].push(update)
    else runs.push([actor, [update]])
  }
  return runs
}
