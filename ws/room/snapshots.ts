/**
 * When a room is written as a snapshot: a while after its last change (and at the latest a longer while after its first
 * unsaved one), when its log grows long, when its last peer leaves and when it closes. And when its log is shortened: the rows
 * that a snapshot covers cost more to take away than the snapshot itself, so many are left to gather. Compaction, not safety.
 */
import type { Logger } from '../../core/base/log.ts'
import type { Metrics } from '../../core/base/metrics.ts'
import type { BoardId } from '../../core/contract/board-id.ts'
import { type StateBytes, sizeOf } from '../../core/store/state-bytes.ts'
import type { Storage } from '../../core/store/storage.ts'

/** The committed state of the room, and the seq it stands at. */
export interface RoomState {
  epoch: number
  seq: number
  state: StateBytes
  itemCount: number
}

export interface SnapshotPace {
  debounceMs: number
  maxWaitMs: number
}

/** Runs work when it is its turn: snapshots of all boards of an instance share what storage they may keep busy. */
export type InTurn = <T>(work: () => Promise<T>) => Promise<T>

/** By up to this share of it a snapshot comes before the maximum wait: boards that began together are not due together. */
const earlierAtMost = 0.3

/** A log longer than this is snapshotted early, though not sooner after the last try, or the opening, than the debounce. */
const rowsAtMost = 250
/** Where a snapshot covers more rows than this, they leave the log. */
const leftAtMost = 200

export class Snapshots {
  readonly #board: BoardId
  readonly #archive: Storage['archive']
  readonly #pace: SnapshotPace
  readonly #read: () => Promise<RoomState>
  readonly #inTurn: InTurn
  readonly #log: Logger
  readonly #metrics: Metrics
  #timer: NodeJS.Timeout | undefined
  /** When the timer that is set goes off; and when a snapshot is due, which may have become later since. */
  #timerAt = 0
  #dueAt = 0
  /** When the first change came in that no snapshot has; undefined when there is none. */
  #dirtySince: number | undefined
  /** The maximum wait of that one. */
  #maxWaitMs = 0
  /** In the log: those that no snapshot has, and those that were left there all the same. */
  #rows = 0
  #left = 0
  #triedAt = performance.now()
  #saving: Promise<void> = Promise.resolve()
  /** The snapshot that waits for its turn: what changes until it begins is in it. */
  #next: Promise<void> | undefined
  #closed = false

  /** @param read encodes the room, in a turn of its commit line */
  constructor(
    board: BoardId,
    archive: Storage['archive'],
    pace: SnapshotPace,
    read: () => Promise<RoomState>,
    inTurn: InTurn,
    log: Logger,
    metrics: Metrics,
  ) {
    this.#board = board
    this.#archive = archive
    this.#pace = pace
    this.#read = read
    this.#inTurn = inTurn
    this.#log = log
    this.#metrics = metrics
  }

  /** So many rows came into the log. */
  changed(rows: number): void {
    if (this.#closed) return
    const now = performance.now()
    if (this.#dirtySince === undefined) {
      this.#dirtySince = now
      this.#maxWaitMs = this.#pace.maxWaitMs * (1 - earlierAtMost * Math.random())
    }
    this.#rows += rows
    if (this.#next) return
    const { debounceMs } = this.#pace
    const due =
      this.#rows + this.#left > rowsAtMost ? now : Math.min(now + debounceMs, this.#dirtySince + this.#maxWaitMs)
    // Also where a snapshot fails again and again: encoding a big board at every edit would stop everything else.
    const earliest = this.#triedAt + debounceMs
    this.#dueAt = Math.max(due, earliest)
    // Most changes put it off: the timer that is set finds that out, which is cheaper than a new one at every edit.
    if (!this.#timer || this.#dueAt < this.#timerAt) this.#wait(now)
  }

  /** Writes a snapshot now if there is anything new. A failure is logged and tried again: the log has everything. */
  save(): Promise<void> {
    this.#stopWaiting()
    this.#next ??= this.#saving.then(() =>
      this.#inTurn(() => {
        this.#next = undefined
        return this.#save()
      }),
    )
    this.#saving = this.#next
    return this.#next
  }

  /** As {@link save}, and shortens the log: of a board that is left alone nothing is there twice. */
  async settle(): Promise<void> {
    await this.save()
    if (this.#left > 0) await this.#inTurn(() => this.#pack())
  }

  close(): void {
    this.#closed = true
    this.#stopWaiting()
  }

  #wait(now: number): void {
    clearTimeout(this.#timer)
    this.#timerAt = this.#dueAt
    this.#timer = setTimeout(() => {
      const later = performance.now()
      if (later < this.#dueAt) this.#wait(later)
      else void this.save()
    }, this.#dueAt - now)
  }

  #stopWaiting(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  async #save(): Promise<void> {
    if (this.#dirtySince === undefined || this.#closed) return
    const [since, rows] = [this.#dirtySince, this.#rows]
    // Before the state is read: a change that comes in from here on belongs to the next snapshot.
    this.#dirtySince = undefined
    this.#rows = 0
    this.#triedAt = performance.now()
    const stop = this.#metrics.snapshotSeconds.startTimer()
    try {
      const { epoch, seq, state, itemCount } = await this.#read()
      const { outcome, left } = await this.#archive.save(this.#board, epoch, seq, state, itemCount)
      if (outcome === 'saved') {
        this.#metrics.snapshotBytes.inc(sizeOf(state))
        this.#left = left
      }
      this.#log.debug({ board: this.#board, seq, bytes: sizeOf(state), outcome }, 'snapshot')
    } catch (error) {
      if (this.#closed) return
      this.#log.warn({ err: error, board: this.#board }, 'snapshot failed; trying again later')
      this.changed(rows)
      this.#dirtySince = Math.min(since, this.#dirtySince ?? since)
    } finally {
      stop()
    }
    if (this.#left > leftAtMost) await this.#pack()
  }

  async #pack(): Promise<void> {
    if (this.#closed) return
    try {
      await this.#archive.pack(this.#board)
      this.#left = 0
    } catch (error) {
      this.#log.warn(
        { err: error, board: this.#board },
        'the log could not be shortened; trying again with the next snapshot',
      )
    }
  }
}
