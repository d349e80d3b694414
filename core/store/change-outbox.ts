/**
 * Item changes asked for over REST, kept until they are on the board: stored by api-bridge, drained by ws.
 *
 * A change is decided in the same transaction that writes its log row and its answer, under the board row's lock and
 * with the whole log read. So it is applied once or not at all, whoever crashes when.
 */
import type { Actor } from '../contract/actor.ts'
import type { BoardId } from '../contract/board-id.ts'
import { limitLockWait } from './board-log.ts'
import type { Database, Sql } from './database.ts'
import { checksumOfRow } from './row-checksum.ts'

/** A change on its way in. `change` is an `ItemChange` as JSON; `requestHash` tells a retry from another request. */
export interface NewChange {
  publicId: string
  board: BoardId
  change: string
  actor: Actor
  idempotencyKey: string | undefined
  requestHash: string
}

export interface PendingChange {
  id: number
  publicId: string
  change: string
  actor: Actor
}

/** What became of one change. `result` is a `ChangeOutcome` as JSON; `update` the Yjs update (V1) where there is one. */
export interface DecidedChange {
  id: number
  publicId: string
  change: string
  status: 'applied' | 'rejected'
  result: string
  actor: Actor
  update: Uint8Array | undefined
}

/** A change as its caller may see it. `seq`: the board's seq from which on it is there. */
export interface RecordedChange {
  publicId: string
  board: BoardId
  requestHash: string
  status: 'pending' | 'applied' | 'rejected'
  result: string | undefined
  seq: number | undefined
}

export type DrainOutcome =
  /** Decided and committed: `firstSeq` … `lastSeq` are the rows written (none when `lastSeq < firstSeq`). */
  | { kind: 'drained'; decided: DecidedChange[]; firstSeq: number; lastSeq: number }
  | { kind: 'nothing-pending' }
  /** Somebody else holds the board's row; nothing was done. */
  | { kind: 'busy' }
  /** The log has rows that the caller has not read; nothing was done. */
  | { kind: 'behind' }
  | { kind: 'store-went-back' }

const drainedAtMost = 200
const idempotencyHours = 24
const answersKeptDays = 7

export class ChangeOutbox {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /**
   * Stores the change, and the board with it where `createBoard` says so.
   * @returns the stored change, or the earlier one of the same idempotency key; undefined when there is no such board
   */
  async submit(change: NewChange, createBoard: boolean): Promise<RecordedChange | undefined> {
    return this.#database.transaction(async sql => {
      if (createBoard) {
        await sql.query('INSERT INTO boardsync.boards (id) VALUES ($1) ON CONFLICT (id) DO NOTHING', [change.board])
      }
      if (change.idempotencyKey !== undefined) {
        await sql.query(
          `UPDATE boardsync.item_changes SET idempotency_key = NULL
           WHERE board_id = $1 AND actor = $2 AND idempotency_key = $3
             AND created_at < now() - ${idempotencyHours} * interval '1 hour'`,
          [change.board, change.actor, change.idempotencyKey],
        )
      }
      const inserted = await sql.query<ChangeRow>(
        `INSERT INTO boardsync.item_changes (public_id, board_id, change, actor, idempotency_key, request_hash)
         SELECT $1, id, $3, $4, $5, $6 FROM boardsync.boards WHERE id = $2 AND deleted_at IS NULL
         ON CONFLICT (board_id, actor, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
         RETURNING ${changeColumns}`,
        [change.publicId, change.board, change.change, change.actor, change.idempotencyKey ?? null, change.requestHash],
      )
      const rows =
        inserted.length > 0 || change.idempotencyKey === undefined
          ? inserted
          : await sql.query<ChangeRow>(
              `SELECT ${changeColumns} FROM boardsync.item_changes
               WHERE board_id = $1 AND actor = $2 AND idempotency_key = $3`,
              [change.board, change.actor, change.idempotencyKey],
            )
      return rows.map(recordedChange)[0]
    })
  }

  async find(board: BoardId, publicId: string): Promise<RecordedChange | undefined> {
    const rows = await this.#database.query<ChangeRow>(
      `SELECT ${changeColumns} FROM boardsync.item_changes
       WHERE public_id = $1 AND board_id = $2
         AND EXISTS (SELECT FROM boardsync.boards WHERE id = board_id AND deleted_at IS NULL)`,
      [publicId, board],
      'find-change',
    )
    return rows.map(recordedChange)[0]
  }

  /** Boards with changes that wait: what a wake-up that got lost is made good by. */
  async boardsWithPending(): Promise<BoardId[]> {
    const rows = await this.#database.query<{ board_id: BoardId }>(
      `SELECT DISTINCT board_id FROM boardsync.item_changes JOIN boardsync.boards ON boards.id = board_id
       WHERE status = 'pending' AND deleted_at IS NULL`,
      [],
      'boards-with-pending',
    )
    return rows.map(row => row.board_id)
  }

  /** Drops the answers nobody will ask for any more: neither a retry nor whoever polls comes back after that long. */
  async forgetOld(): Promise<void> {
    await this.#database.query(
      `DELETE FROM boardsync.item_changes
       WHERE status <> 'pending' AND created_at < now() - ${answersKeptDays} * interval '1 day'`,
    )
  }

  /**
   * Decides the board's pending changes in order, and commits log rows, head and answers together.
   * @param known the caller's replica: it must hold every row up to this seq of this epoch, and nothing uncommitted
   * @param decide applies the changes to that replica; what it throws rolls everything back
   * @throws StorageError; after a failure the replica holds changes that may not be in the log: discard it
   */
  async drain(
    board: BoardId,
    known: { epoch: number; seq: number },
    batchId: string,
    decide: (changes: readonly PendingChange[]) => DecidedChange[],
  ): Promise<DrainOutcome> {
    return this.#database.transaction(async sql => {
      await limitLockWait(sql)
      const [row] = await sql.query<{ epoch: number; head_seq: number; deleted: boolean }>(
        'SELECT epoch, head_seq, deleted_at IS NOT NULL AS deleted FROM boardsync.boards WHERE id = $1 FOR NO KEY UPDATE SKIP LOCKED',
        [board],
      )
      if (!row) return { kind: 'busy' }
      // Its changes stay pending: they are gone with the board or come back with it.
      if (row.deleted) return { kind: 'nothing-pending' }
      if (row.epoch !== known.epoch || row.head_seq < known.seq) return { kind: 'store-went-back' }
      if (row.head_seq > known.seq) return { kind: 'behind' }
      const pending = await sql.query<{ id: number; public_id: string; change: string; actor: Actor }>(
        `SELECT id, public_id, change, actor FROM boardsync.item_changes
         WHERE board_id = $1 AND status = 'pending' ORDER BY id LIMIT ${drainedAtMost}`,
        [board],
      )
      if (pending.length === 0) return { kind: 'nothing-pending' }
      const decided = decide(pending.map(({ public_id, ...change }) => ({ ...change, publicId: public_id })))
      const lastSeq = await record(sql, board, known.seq, batchId, decided)
      return { kind: 'drained', decided, firstSeq: known.seq + 1, lastSeq }
    })
  }
}

/** Writes the decided changes: a log row for each that altered the board, the answer of each, and the new head. */
async function record(
  sql: Sql,
  board: BoardId,
  headSeq: number,
  batchId: string,
  decided: readonly DecidedChange[],
): Promise<number> {
  let seq = headSeq
  const rows = decided.map(change => ({ ...change, seq: change.update ? ++seq : seq }))
  const written = rows.flatMap(({ seq, actor, update }) => (update ? [{ seq, actor, update }] : []))
  await sql.query(
    `INSERT INTO boardsync.board_updates (board_id, seq, actor, data, checksum, batch_id)
     SELECT $1, row.*, $6::uuid FROM unnest($2::bigint[], $3::text[], $4::bytea[], $5::int[]) AS row`,
    [
      board,
      written.map(row => row.seq),
      written.map(row => row.actor),
      written.map(row => row.update),
      written.map(row => checksumOfRow(row.update)),
      batchId,
    ],
  )
  await sql.query(
    `UPDATE boardsync.item_changes SET status = row.status, result = row.result, seq = row.seq
     FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[]) AS row (id, status, result, seq)
     WHERE item_changes.id = row.id`,
    [rows.map(row => row.id), rows.map(row => row.status), rows.map(row => row.result), rows.map(row => row.seq)],
  )
  if (written.length === 0) return seq
  await sql.query('UPDATE boardsync.boards SET head_seq = $2, bytes = bytes + $3, changed_at = now() WHERE id = $1', [
    board,
    seq,
    written.reduce((sum, row) => sum + row.update.byteLength, 0),
  ])
  return seq
}

interface ChangeRow {
  public_id: string
  board_id: BoardId
  request_hash: string
  status: RecordedChange['status']
  result: string | null
  seq: number | null
}

const changeColumns = 'public_id, board_id, request_hash, status, result, seq'

const recordedChange = (row: ChangeRow): RecordedChange => ({
  publicId: row.public_id,
  board: row.board_id,
  requestHash: row.request_hash,
  status: row.status,
  result: row.result ?? undefined,
  seq: row.seq ?? undefined,
})
