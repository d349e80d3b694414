/**
 * A database in memory that several simulated instances share, with the semantics of `core/store` and none of its SQL.
 *
 * What an operation does, it does in one instant; only changes are decided while time passes, with the board locked. Before that and after it time passes and things go wrong: it fails
 * before its effect, or after it (the outcome nobody knows), or somebody else holds the board's row.
 */
import { StorageError } from '../../core/base/errors.ts'
import type { BoardId } from '../../core/contract/board-id.ts'
import type { StoredBoard } from '../../core/store/board-archive.ts'
import type { BoardBatch, Committed, CommittedBoards, Head, LogEntry, LogRow } from '../../core/store/board-log.ts'
import type { DecidedChange, DrainOutcome } from '../../core/store/change-drain.ts'
import type { NewChange, RecordedChange } from '../../core/store/change-outbox.ts'
import type { StateBytes } from '../../core/store/state-bytes.ts'
import type { Storage } from '../../core/store/storage.ts'
import type { Chance } from './chance.ts'

/** How likely each misfortune is, per operation. */
export interface Misfortune {
  failsBefore: number
  failsAfter: number
  busy: number
  /** Milliseconds an operation takes at most. */
  slowest: number
}

export const noMisfortune: Misfortune = { failsBefore: 0, failsAfter: 0, busy: 0, slowest: 2 }

interface BoardTable {
  head: Head
  rows: (LogRow & { batchId: string })[]
  history: LogRow[]
  snapshots: { seq: number; state: StateBytes }[]
  /** Somebody decides changes to it, in a transaction. */
  isLocked: boolean
}

interface ChangeRow extends NewChange {
  id: number
  status: RecordedChange['status']
  result: string | undefined
  seq: number | undefined
}

/** What rooms and the inbox use of a store. */
export type SimulatedStorage = Pick<Storage, 'boards' | 'archive' | 'changes' | 'ping' | 'close'>

export class SimulatedDatabase {
  readonly #chance: Chance
  readonly #boards = new Map<BoardId, BoardTable>()
  readonly #changes: ChangeRow[] = []
  readonly #onCommit: (board: BoardId, update: Uint8Array) => void
  misfortune: Misfortune = noMisfortune

  /** @param onCommit hears of every row at the instant of its commit */
  constructor(chance: Chance, onCommit: (board: BoardId, update: Uint8Array) => void) {
    this.#chance = chance
    this.#onCommit = onCommit
  }

  /** The store as one instance uses it. */
  connect(): SimulatedStorage {
    return {
      boards: {
        create: board => this.#do(() => ({ ...this.#create(board).head })),
        head: board => this.#do(() => this.#head(board)),
        headsOtherThan: known =>
          this.#do(() => {
            const heads = known.map(one => ({ ...one, head: this.#head(one.board) }))
            const others = heads.filter(({ epoch, headSeq, head }) => head?.epoch !== epoch || head.headSeq !== headSeq)
            return new Map(others.map(({ board, head }) => [board, head]))
          }),
        append: (batchId, batches) => this.#do(() => this.#append(batchId, batches, this.misfortune.busy)),
        appendWaiting: (batchId, batch) => this.#do(() => this.#appendUnlessBusy(batchId, [batch])),
        appendAgain: (batchId, batches) => this.#do(() => this.#appendAgain(batchId, batches)),
      },
      archive: {
        read: (board, known) => this.#do(() => this.#read(board, known)),
        save: (board, epoch, seq, state) =>
          this.#do(() => {
            const table = this.#boards.get(board)
            if (!table || table.head.epoch !== epoch || table.head.headSeq < seq) {
              return { outcome: 'store-went-back', left: 0 }
            }
            const left = table.rows.filter(row => row.seq <= seq).length
            if ((table.snapshots.at(-1)?.seq ?? 0) >= seq) return { outcome: 'older-than-stored', left }
            table.snapshots = [...table.snapshots.slice(-1), { seq, state }]
            return { outcome: 'saved', left }
          }),
        pack: board =>
          this.#do(() => {
            const table = this.#boards.get(board)
            const covered = table?.snapshots.at(-1)?.seq ?? 0
            table?.history.push(...table.rows.filter(row => row.seq <= covered))
            if (table) table.rows = table.rows.filter(row => row.seq > covered)
          }),
      },
      changes: {
        submit: (change, createBoard) => this.#do(() => this.#submit(change, createBoard)),
        submitAll: (changes, createBoard) => this.#do(() => changes.map(change => this.#submit(change, createBoard))),
        find: (board, publicId) =>
          this.#do(() => this.#changes.find(row => row.board === board && row.publicId === publicId)),
        boardsWithPending: () =>
          this.#do(() => [...new Set(this.#changes.filter(row => row.status === 'pending').map(row => row.board))]),
        forgetOld: () => this.#do(() => undefined),
        drain: (board, known, batchId, decide) => this.#do(() => this.#drain(board, known, batchId, decide)),
      },
      ping: () => this.#do(() => undefined),
      close: async () => undefined,
    }
  }

  /** The board as a newcomer would load it, without time or misfortune. */
  load(board: BoardId): StoredBoard | undefined {
    return this.#read(board, 0)
  }

  /** All changes ever handed in, in order. */
  changes(): readonly ChangeRow[] {
    return this.#changes
  }

  async #do<T>(effect: () => T | Promise<T>): Promise<T> {
    await this.#time()
    if (this.#chance.happens(this.misfortune.failsBefore)) throw unavailable('before')
    const result = await effect()
    await this.#time()
    if (this.#chance.happens(this.misfortune.failsAfter)) throw unavailable('after')
    return result
  }

  #time(): Promise<void> {
    return new Promise(resolve => setTimeout(resolve, this.#chance.between(0, this.misfortune.slowest)))
  }

  #create(board: BoardId): BoardTable {
    const table = this.#boards.get(board) ?? {
      head: { epoch: 7, headSeq: 0, bytes: 0, deleted: false },
      rows: [],
      history: [],
      snapshots: [],
      isLocked: false,
    }
    this.#boards.set(board, table)
    return table
  }

  #head(board: BoardId): Head | undefined {
    const table = this.#boards.get(board)
    return table && { ...table.head }
  }

  #append(batchId: string, batches: readonly BoardBatch[], busy: number): CommittedBoards {
    const committed = new Map<BoardId, Committed>()
    for (const { board, entries } of batches) {
      const table = this.#boards.get(board)
      const isFree = table && !table.isLocked && !this.#chance.happens(busy)
      if (isFree) committed.set(board, this.#commit(board, table, batchId, entries))
    }
    return committed
  }

  #appendUnlessBusy(batchId: string, batches: readonly BoardBatch[]): CommittedBoards {
    const isLocked = batches.some(({ board }) => this.#boards.get(board)?.isLocked)
    if (isLocked || this.#chance.happens(this.misfortune.busy)) throw new StorageError('busy', 'simulated: locked')
    return this.#append(batchId, batches, 0)
  }

  #appendAgain(batchId: string, batches: readonly BoardBatch[]): CommittedBoards {
    const found = new Map<BoardId, Committed>()
    for (const { board } of batches) {
      const table = this.#boards.get(board)
      const seqs = table?.rows.filter(row => row.batchId === batchId).map(row => row.seq) ?? []
      const [first, last] = [seqs[0], seqs.at(-1)]
      if (table && first && last) found.set(board, { epoch: table.head.epoch, firstSeq: first, lastSeq: last })
    }
    const missing = batches.filter(({ board }) => !found.has(board))
    if (missing.some(({ board }) => this.#boards.get(board)?.isLocked)) {
      throw new StorageError('busy', 'simulated: locked')
    }
    return new Map([...found, ...this.#append(batchId, missing, 0)])
  }

  #commit(board: BoardId, table: BoardTable, batchId: string, entries: readonly LogEntry[]): Committed {
    const firstSeq = table.head.headSeq + 1
    for (const entry of entries) {
      table.head.headSeq += 1
      table.rows.push({ ...entry, seq: table.head.headSeq, at: new Date(), batchId })
      this.#onCommit(board, entry.data)
    }
    return { epoch: table.head.epoch, firstSeq, lastSeq: table.head.headSeq }
  }

  #read(board: BoardId, known: number): StoredBoard | undefined {
    const table = this.#boards.get(board)
    if (!table) return undefined
    const head = { ...table.head }
    const fresh = table.rows.filter(row => row.seq > known)
    if (known > 0 && fresh.length === head.headSeq - known) return { head, snapshot: undefined, rows: fresh }
    const snapshot = table.snapshots.at(-1)
    const rows = [...table.history, ...table.rows].filter(row => row.seq > (snapshot?.seq ?? 0))
    return { head, snapshot, rows }
  }

  #submit(change: NewChange, createBoard: boolean): RecordedChange | undefined {
    if (createBoard) this.#create(change.board)
    if (!this.#boards.has(change.board)) return undefined
    const row = { ...change, id: this.#changes.length, status: 'pending' as const, result: undefined, seq: undefined }
    this.#changes.push(row)
    return row
  }

  async #drain(
    board: BoardId,
    known: { epoch: number; seq: number },
    batchId: string,
    decide: Parameters<Storage['changes']['drain']>[3],
  ): Promise<DrainOutcome> {
    const table = this.#boards.get(board)
    if (!table || table.isLocked || this.#chance.happens(this.misfortune.busy)) return { kind: 'busy' }
    if (table.head.epoch !== known.epoch || table.head.headSeq < known.seq) return { kind: 'store-went-back' }
    if (table.head.headSeq > known.seq) return { kind: 'behind' }
    const pending = this.#changes.filter(row => row.board === board && row.status === 'pending')
    if (pending.length === 0) return { kind: 'nothing-pending' }
    table.isLocked = true
    const decided = await Promise.resolve(decide(pending)).finally(() => {
      table.isLocked = false
    })
    // Decided on the replica, and then not committed.
    if (this.#chance.happens(this.misfortune.failsBefore)) throw unavailable('rolled back')
    for (const change of decided) this.#record(board, table, batchId, change)
    return { kind: 'drained', decided, firstSeq: known.seq + 1, lastSeq: table.head.headSeq }
  }

  #record(board: BoardId, table: BoardTable, batchId: string, change: DecidedChange): void {
    if (change.update) this.#commit(board, table, batchId, [{ actor: change.actor, data: change.update }])
    const row = this.#changes[change.id]
    if (row?.status !== 'pending') throw new Error(`change ${change.publicId} was decided twice`)
    Object.assign(row, { status: change.status, result: change.result, seq: table.head.headSeq })
  }
}

const unavailable = (when: string): StorageError => new StorageError('unavailable', `simulated: failed ${when}`)
