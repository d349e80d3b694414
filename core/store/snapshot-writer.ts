/**
 * Writes a snapshot beside the one before it, in one statement: those of many boards are due at the same time, beside their
 * commits. The rows that it covers stay in the log, which is shortened now and then (`log-packer.ts`).
 *
 * Where somebody holds the board's row it is waited for, in a transaction.
 */
import type { BoardId } from '../contract/board-id.ts'
import { epochSql, limitLockWait } from './board-log.ts'
import type { Database, Sql } from './database.ts'
import { packState, type StoredState } from './snapshot-codec.ts'
import { type StateBytes, sizeOf } from './state-bytes.ts'

export type SaveOutcome = 'saved' | 'older-than-stored' | 'store-went-back'

export interface Saved {
  outcome: SaveOutcome
  /** Rows that the newest snapshot covers and that are still in the log, where this one was saved. */
  left: number
}

/** A board's whole committed state at `seq`. */
export interface WholeState {
  epoch: number
  seq: number
  state: StateBytes
  /** The items in it, for lists; undefined: they were not counted. */
  itemCount: number | undefined
}

export class SnapshotWriter {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** @throws StorageError `busy` when the board's row stays locked */
  async save(board: BoardId, whole: WholeState): Promise<Saved> {
    const stored = await packState(whole.state)
    return (await this.#write(this.#database, board, whole, stored)) ?? this.#saveWaiting(board, whole, stored)
  }

  #saveWaiting(board: BoardId, whole: WholeState, stored: StoredState): Promise<Saved> {
    return this.#database.transaction(async sql => {
      await limitLockWait(sql)
      await sql.query('SELECT FROM boardsync.boards WHERE id = $1 FOR NO KEY UPDATE', [board])
      // No row to wait for, none to skip: the board is no more.
      return (await this.#write(sql, board, whole, stored)) ?? { outcome: 'store-went-back', left: 0 }
    })
  }

  /** @returns undefined where somebody holds the board's row, or it is no more */
  async #write(
    sql: Sql,
    board: BoardId,
    whole: WholeState,
    { state, checksum }: StoredState,
  ): Promise<Saved | undefined> {
    const { epoch, seq, itemCount } = whole
    const [row] = await sql.query<BoardRow>(
      writeSql,
      [board, epoch, seq, state, checksum, sizeOf(whole.state), itemCount ?? null],
      'save-snapshot',
    )
    return row && { outcome: row.saved ? 'saved' : obstacleTo(whole, row), left: row.left }
  }
}

/**
 * All of it or nothing, decided on the board's row, locked. (A commit in the moment before the lock is only missing in `bytes`,
 * until the next snapshot.)
 */
const writeSql = `
  WITH board AS (
    SELECT id, ${epochSql} AS epoch, head_seq, snapshot_seq FROM boardsync.boards WHERE id = $1 FOR NO KEY UPDATE SKIP LOCKED
  ), fit AS (
    SELECT id FROM board WHERE epoch = $2 AND head_seq >= $3 AND snapshot_seq < $3
  ), older AS (
    DELETE FROM boardsync.canvas_snapshots WHERE board_id = $1 AND EXISTS (SELECT FROM fit)
      AND seq < (SELECT max(seq) FROM boardsync.canvas_snapshots WHERE board_id = $1)
  ), written AS (
    INSERT INTO boardsync.canvas_snapshots (board_id, seq, state, checksum) SELECT id, $3, $4::bytea, $5::bytea FROM fit
  ), saved AS (
    UPDATE boardsync.boards SET snapshot_seq = $3, item_count = coalesce($7, item_count), bytes = $6 + (
      SELECT coalesce(sum(octet_length(data)), 0) FROM boardsync.board_updates WHERE board_id = $1 AND seq > $3)
    WHERE id = $1 AND EXISTS (SELECT FROM fit) RETURNING id
  )
  SELECT epoch, head_seq, snapshot_seq, EXISTS (SELECT 1 FROM saved) AS saved,
    (SELECT count(*)::int FROM boardsync.board_updates WHERE board_id = $1 AND seq <= $3) AS left
  FROM board`

interface BoardRow {
  epoch: number
  head_seq: number
  snapshot_seq: number
  saved: boolean
  left: number
}

/** Why a snapshot of this does not fit a board that stands so; `fit` in the statement above asks the same. */
const obstacleTo = ({ epoch, seq }: WholeState, row: BoardRow): SaveOutcome =>
  row.epoch !== epoch || row.head_seq < seq ? 'store-went-back' : 'older-than-stored'
