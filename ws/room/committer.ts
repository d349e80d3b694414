/**
 * Group commit: the boards of this instance in one transaction, one such in flight; all that arrives meanwhile forms the
 * next. The first edit after silence is committed at once, and otherwise one commit begins a frame's time after the one before:
 * under load edits gather into one row and one frame per board and tick, and those of all boards into some thirty commits a second.
 *
 * One board never holds up the others. What cannot go along leaves the group and is written apart, in a lane of its own:
 * a board that was skipped twice because its row is locked, a big batch, a batch that the database refused within a
 * group, and batches whose outcome is unknown.
 */
import { randomUUID } from 'node:crypto'
import { StorageError, SyncError } from '../../core/base/errors.ts'
import type { Logger } from '../../core/base/log.ts'
import type { Metrics } from '../../core/base/metrics.ts'
import type { Committed, CommittedBoards } from '../../core/store/board-log.ts'
import type { Storage } from '../../core/store/storage.ts'
import type { StorageMonitor } from '../../core/store/storage-monitor.ts'
import type { InFlight } from './batch.ts'
import type { CommitLine } from './commit-line.ts'
import { Lane } from './lane.ts'
import { excessOf, type PendingLimits } from './pending-limits.ts'

/**
 * Under load one commit begins, and one frame goes out per board, in this time. A commit costs about as much as ten edits and a
 * frame a system call per peer: it pays to gather; never so long that a drag is seen to stutter.
 */
const frameMs = 30
const skippedAtMost = 2
const retryFirstMs = 25
const retryLastMs = 1_000
/** How often what waits is looked at. */
const lookEveryMs = 1_000

type Log = Pick<Storage['boards'], 'append' | 'appendWaiting' | 'appendAgain'>

interface Job {
  line: CommitLine
  batch: InFlight
}

export class Committer {
  readonly #boards: Log
  readonly #monitor: StorageMonitor
  readonly #log: Logger
  readonly #metrics: Metrics
  readonly #limits: PendingLimits
  /** Those with edits to commit, of the thousands there may be. */
  #awake: CommitLine[] = []
  readonly #together = new Lane(
    () => this.#earliest(isTogether),
    () => this.#commitTogether(this.#due(isTogether)),
    frameMs,
  )
  readonly #apart = new Lane(
    () => this.#earliest(isApart),
    () => this.#commitApart(this.#due(isApart)),
  )
  readonly #overdue = setInterval(() => this.#look(), lookEveryMs)

  constructor(boards: Log, monitor: StorageMonitor, log: Logger, metrics: Metrics, limits: PendingLimits) {
    this.#boards = boards
    this.#monitor = monitor
    this.#log = log
    this.#metrics = metrics
    this.#limits = limits
  }

  /** This line has edits to commit. */
  wake(line: CommitLine): void {
    if (!line.isAwake) {
      line.isAwake = true
      this.#awake.push(line)
    }
    if (line.bytes > this.#limits.board) this.#giveUpExcess([line])
    const { nextMode } = line
    if (nextMode) (isTogether(nextMode) ? this.#together : this.#apart).wakeAt(line.nextDue)
  }

  /** Age of the oldest edit that is not in the log yet, in seconds; 0 when there is none. */
  get lagSeconds(): number {
    const since = this.#awake.flatMap(line => line.waitingSince ?? [])
    return since.length === 0 ? 0 : (performance.now() - Math.min(...since)) / 1_000
  }

  forget(line: CommitLine): void {
    if (!line.isAwake) return
    line.isAwake = false
    this.#awake = this.#awake.filter(other => other !== line)
  }

  stop(): void {
    clearInterval(this.#overdue)
    this.#together.stop()
    this.#apart.stop()
  }

  #earliest(isOfLane: IsOfLane): number | undefined {
    const now = performance.now()
    let earliest: number | undefined
    for (const { nextMode, nextDue } of this.#awake) {
      if (!nextMode || !isOfLane(nextMode)) continue
      if (nextDue <= now) return nextDue // as a rule one of the first: what is due is due, however early
      if (earliest === undefined || nextDue < earliest) earliest = nextDue
    }
    return earliest
  }

  #due(isOfLane: IsOfLane): Job[] {
    const now = performance.now()
    const due: Job[] = []
    for (const line of this.#awake) {
      if (!isDue(line, isOfLane, now)) continue
      line.applyAdmitted()
      // What was admitted may have come to nothing, or to less.
      if (isDue(line, isOfLane, now)) due.push({ line, batch: line.take() })
    }
    return due
  }

  async #commitTogether(jobs: readonly Job[]): Promise<void> {
    if (jobs.length === 0) return
    const batchId = randomUUID()
    await this.#try(
      jobs,
      batchId,
      () => this.#boards.append(batchId, jobs.map(batchOf)),
      ({ batch }) => {
        retryLater(batch)
        if (batch.tries >= skippedAtMost) batch.mode = 'alone'
      },
    )
    // What left the group waits in the other lane, which nobody else would wake.
    this.#apart.wake()
  }

  async #commitApart(jobs: readonly Job[]): Promise<void> {
    for (const job of jobs) {
      const { batch } = job
      const batchId = batch.batchId ?? randomUUID()
      const own = batchOf(job)
      if (batch.mode === 'uncertain') {
        await this.#try([job], batchId, () => this.#boards.appendAgain(batchId, [own]), this.#giveUpDeleted)
      } else if (batch.tries === 0) {
        // Big, and as a rule nobody holds the row: one statement instead of the four that waiting for it takes.
        await this.#try(
          [job],
          batchId,
          () => this.#boards.append(batchId, [own]),
          () => retryLater(batch),
        )
      } else {
        await this.#try([job], batchId, () => this.#boards.appendWaiting(batchId, own), this.#giveUpDeleted)
      }
    }
  }

  readonly #giveUpDeleted = ({ line }: Job): void => {
    this.forget(line)
    line.giveUp(new SyncError('board-deleted', 'the board was deleted'))
  }

  async #try(
    jobs: readonly Job[],
    batchId: string,
    append: () => Promise<CommittedBoards>,
    onAbsent: (job: Job) => void,
  ): Promise<void> {
    const stop = this.#metrics.commitSeconds.startTimer()
    try {
      const committed = await append()
      this.#monitor.report('up')
      for (const job of jobs) {
        const board = committed.get(job.line.board)
        if (board) this.#settle(job, board)
        else onAbsent(job)
      }
    } catch (error) {
      for (const job of jobs) this.#onFailure(job, batchId, error)
    } finally {
      stop()
      this.#letRest()
    }
  }

  /** A board that fails to pass on what is committed reads it from the log anew; the others are not concerned. */
  #settle({ line }: Job, committed: Committed): void {
    try {
      line.settle(committed)
    } catch (error) {
      this.#log.error({ err: error, board: line.board }, 'a committed batch could not be passed on')
      this.#giveUp(line, 'this board cannot be served now; connect again')
    }
  }

  #onFailure({ line, batch }: Job, batchId: string, error: unknown): void {
    this.#log.warn({ err: error, board: line.board, mode: batch.mode }, 'commit failed')
    retryLater(batch)
    const failure = error instanceof StorageError ? error.failure : 'refused'
    switch (failure) {
      case 'unavailable':
        this.#monitor.report('down')
        batch.mode = 'uncertain'
        batch.batchId = batchId
        break
      case 'busy':
        break
      case 'refused':
        if (batch.mode === 'together') batch.mode = 'alone'
        else this.#giveUp(line, 'the database refuses the edit')
        break
      default:
        failure satisfies never
    }
  }

  #look(): void {
    this.#giveUpExcess(this.#awake)
    // While the database hangs no batch is taken; who sent what is malformed is to be told all the same.
    for (const line of this.#awake) line.applyAdmitted()
    this.#letRest()
  }

  #letRest(): void {
    this.#awake = this.#awake.filter(line => {
      line.isAwake = line.waitingSince !== undefined
      return line.isAwake
    })
  }

  #giveUpExcess(lines: Iterable<CommitLine>): void {
    for (const { line, reason } of excessOf(lines, this.#limits)) this.#giveUp(line, reason)
  }

  #giveUp(line: CommitLine, reason: string): void {
    this.forget(line)
    line.giveUp(new SyncError('storage-unavailable', reason))
  }
}

const batchOf = ({ line, batch }: Job) => ({ board: line.board, entries: batch.entries })

type IsOfLane = (mode: InFlight['mode']) => boolean
const isTogether: IsOfLane = mode => mode === 'together'
const isApart: IsOfLane = mode => mode !== 'together'

const isDue = ({ nextMode, nextDue }: CommitLine, isOfLane: IsOfLane, now: number): boolean =>
  nextMode !== undefined && isOfLane(nextMode) && nextDue <= now

function retryLater(batch: InFlight): void {
  batch.retryAt = performance.now() + Math.min(retryFirstMs * 2 ** batch.tries, retryLastMs)
  batch.tries += 1
}
