/**
 * Reading a board back: load = newest intact snapshot + the rows after it. (Writing one: `snapshot-writer.ts`; shortening the
 * log by what it covers: `log-packer.ts`.)
 *
 * Two snapshots are kept. Rows that the newer one covers are packed into `board_history` and leave the log, now and then and
 * not with every snapshot; a corrupt newer snapshot is passed over by taking the older one and the rows after it, from history
 * and log together. So whatever stands behind the older snapshot exists twice.
 */
import type { Logger } from '../base/log.ts'
import type { BoardId } from '../contract/board-id.ts'
import { type Head, headColumns, headOf, type LogRow } from './board-log.ts'
import type { Database, Sql } from './database.ts'
import { LogPacker } from './log-packer.ts'
import { type Corruption, type CorruptionKind, Quarantine } from './quarantine.ts'
import { checksumOf, type StoredState, unpackState } from './snapshot-codec.ts'
import { type Saved, SnapshotWriter } from './snapshot-writer.ts'
import type { StateBytes } from './state-bytes.ts'
import { allRows, type Found, isContiguous, logRows } from './stored-rows.ts'
import { type Read, readUsual } from './usual-read.ts'

export interface Snapshot {
  seq: number
  /** The whole state. */
  state: StateBytes
}

/** A board as the store has it: apply the snapshot, then the rows; the result is the board at `head.headSeq`. */
export interface StoredBoard {
  head: Head
  snapshot: Snapshot | undefined
  rows: LogRow[]
  /**
   * Takes in what a replica could not read of this.
   * @param decodes its bytes can be decoded, but not applied
   */
  onUnreadable?: (part: 'snapshot' | LogRow, reason: string, decodes: boolean) => void
}

export class BoardArchive {
  readonly #database: Database
  readonly #log: Logger
  readonly #quarantine: Quarantine
  readonly #writer: SnapshotWriter
  readonly #packer: LogPacker

  /** @param count hears of each corruption found, once */
  constructor(database: Database, log: Logger, historyDays: number, count: (kind: CorruptionKind) => void = () => {}) {
    this.#database = database
    this.#log = log
    this.#quarantine = new Quarantine(database, log, count)
    this.#writer = new SnapshotWriter(database)
    this.#packer = new LogPacker(database, historyDays, this.#quarantine)
  }

  /** Resolves when what was found damaged so far is in quarantine, or could not be put there. */
  settled(): Promise<void> {
    return this.#quarantine.settled()
  }

  /**
   * Reads what a replica that has every row up to `known` lacks: the rows after it, and a snapshot only where those
   * rows are no longer all in the log. `known` 0 reads the whole board. One consistent view of the store.
   * @returns undefined when the board doesn't exist
   */
  async read(board: BoardId, known: number): Promise<StoredBoard | undefined> {
    const corruptions: Corruption[] = []
    try {
      const stored = await this.#read(board, known, corruption => corruptions.push(corruption))
      return stored && { ...stored, onUnreadable: this.#unreadable(board, stored) }
    } finally {
      // Also after a load that failed: what it stumbled over is for the next one to pass over, and for people to see.
      this.#quarantine.keep(board, corruptions)
    }
  }

  async #read(board: BoardId, known: number, found: Found): Promise<Read | undefined> {
    const read = await readUsual(this.#database, board, known, found)
    return read === 'unusual' ? this.#readWhatThereIs(board, known, found) : read
  }

  /** What is damaged is passed over, what was compacted is unpacked: step by step, in one view of the store. */
  #readWhatThereIs(board: BoardId, known: number, found: Found): Promise<Read | undefined> {
    return this.#database.transaction(async sql => {
      const [row] = await sql.query<Parameters<typeof headOf>[0]>(
        `SELECT ${headColumns} FROM boardsync.boards WHERE id = $1`,
        [board],
      )
      if (!row) return undefined
      const head = headOf(row)
      if (known > 0) {
        const rows = await logRows(sql, board, known, found)
        if (isContiguous(rows, known, head.headSeq)) return { head, snapshot: undefined, rows, checksum: undefined }
      }
      return { head, ...(await this.#readFromSnapshot(sql, board, head.headSeq, found)) }
    }, 'REPEATABLE READ')
  }

  async #readFromSnapshot(sql: Sql, board: BoardId, headSeq: number, found: Found): Promise<Omit<Read, 'head'>> {
    for (let before = Number.MAX_SAFE_INTEGER; ; ) {
      const [candidate] = await sql.query<StoredState & { seq: number }>(
        `SELECT seq, state, checksum FROM boardsync.canvas_snapshots
         WHERE board_id = $1 AND seq < $2 ORDER BY seq DESC LIMIT 1`,
        [board, before],
      )
      const seq = candidate?.seq ?? 0
      const unpacked = candidate ? await unpackState(candidate) : undefined
      if (!candidate || !unpacked) {
        return { snapshot: undefined, rows: await allRows(sql, board, 0, headSeq, found), checksum: undefined }
      }
      if (unpacked === 'format-unknown') {
        this.#log.error({ board, seq }, 'snapshot has a format that only a newer version knows; trying the one before')
      } else if ('damage' in unpacked) {
        found({ kind: 'snapshot', seq, digest: checksumOf(candidate.state), reason: unpacked.damage })
      } else {
        const rows = await allRows(sql, board, seq, headSeq, found)
        return { snapshot: { seq, state: unpacked.state }, rows, checksum: candidate.checksum }
      }
      before = seq
    }
  }

  #unreadable(board: BoardId, { snapshot, checksum }: Read): NonNullable<StoredBoard['onUnreadable']> {
    // Not the whole of what was read, which would live as long as the replica.
    const snapshotSeq = snapshot?.seq
    return (part, reason, decodes) => {
      if (part !== 'snapshot') {
        this.#quarantine.keep(board, [{ kind: 'row', seq: part.seq, data: part.data, reason, decodes }])
      } else if (snapshotSeq !== undefined && checksum) {
        this.#quarantine.keep(board, [{ kind: 'snapshot', seq: snapshotSeq, digest: checksum, reason }])
      }
    }
  }

  /**
   * Writes a snapshot. The rows that it covers stay in the log: see {@link pack}.
   * @param state the board's whole committed state at `seq`
   * @param itemCount the items in it, for lists; undefined: they were not counted
   */
  save(board: BoardId, epoch: number, seq: number, state: StateBytes, itemCount?: number): Promise<Saved> {
    return this.#writer.save(board, { epoch, seq, state, itemCount })
  }

  /** Takes the rows that the newest snapshot covers out of the log, into history. Whoever else does so at the moment goes first. */
  pack(board: BoardId): Promise<void> {
    return this.#packer.pack(board)
  }
}
