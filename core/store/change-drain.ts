/**
 * Decides item changes that wait: in the same transaction that writes their log rows and their answers, under the board row's
 * lock and with the whole log read. So each is applied once or not at all, whoever crashes when.
 */
import type { Actor } from '../contract/actor.ts'
import type { BoardId } from '../contract/board-id.ts'
import { epochSql, limitLockWait } from './board-log.ts'
import { idleInTransactionMs, type Sql } from './database.ts'
import { checksumOfRow } from './row-checksum.ts'

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

export type DrainOutcome =
  /** Decided and committed: `firstSeq` … `lastSeq` are the rows written (none when `lastSeq < firstSeq`). */
  | { kind: 'drained'; decided: DecidedChange[]; firstSeq: number; lastSeq: number }
  | { kind: 'nothing-pending' }
  /** Somebody else holds the board's row; nothing was done. */
  | { kind: 'busy' }
  /** The log has rows that the caller has not read; nothing was done. */
  | { kind: 'behind' }
  | { kind: 'store-went-back' }

/** How far a replica has read its board's log. */
export interface KnownLog {
  epoch: number
  seq: number
}

/** Decides the first of these, as many as it likes; the others stay pending. */
export type Decide = (changes: readonly PendingChange[]) => DecidedChange[] | Promise<DecidedChange[]>

/** What one transaction takes on, but for a change that is larger by itself: Postgres ends one whose client thinks for long. */
const drainedAtMost = { changes: 200, bytes: 1024 * 1024 }
/** A file of 16 MiB, decided in slices on a machine that has much else to do, may take longer than other transactions are given. */
const idleForLargeOnesMs = 30_000

/** How long a transaction waits for these to be decided, before the server ends it. */
export const decidableMs = (changes: readonly PendingChange[]): number =>
  changes.reduce((sum, { change }) => sum + change.length, 0) > drainedAtMost.bytes
    ? idleForLargeOnesMs
    : idleInTransactionMs

/**
 * Decides the first of the board's pending changes in order, and commits log rows, head and answers together.
 * @param known the caller's replica: it must hold every row up to this seq of this epoch, and nothing uncommitted
 * @param decide applies the changes to that replica; what it throws rolls everything back
 * @throws StorageError; after a failure the replica holds changes that may not be in the log: discard it
 */
export async function drainChanges(
  sql: Sql,
  board: BoardId,
  known: KnownLog,
  batchId: string,
  decide: Decide,
): Promise<DrainOutcome> {
  await limitLockWait(sql)
  const [row] = await sql.query<{ epoch: number; head_seq: number; deleted: boolean }>(
    `SELECT ${epochSql} AS epoch, head_seq, deleted_at IS NOT NULL AS deleted FROM boardsync.boards
     WHERE id = $1 FOR NO KEY UPDATE SKIP LOCKED`,
    [board],
  )
  if (!row) return { kind: 'busy' }
  // Its changes stay pending: they are gone with the board or come back with it.
  if (row.deleted) return { kind: 'nothing-pending' }
  if (row.epoch !== known.epoch || row.head_seq < known.seq) return { kind: 'store-went-back' }
  if (row.head_seq > known.seq) return { kind: 'behind' }
  const pending = await firstPending(sql, board)
  if (pending.length === 0) return { kind: 'nothing-pending' }
  const idleMs = decidableMs(pending)
  if (idleMs > idleInTransactionMs) await sql.query(`SET LOCAL idle_in_transaction_session_timeout = ${idleMs}`)
  const decided = await decide(pending)
  const lastSeq = await record(sql, board, known.seq, batchId, decided)
  return { kind: 'drained', decided, firstSeq: known.seq + 1, lastSeq }
}

/** At least one, where there is one. (The length of a text is known without reading it.) */
async function firstPending(sql: Sql, board: BoardId): Promise<PendingChange[]> {
  const rows = await sql.query<{ id: number; public_id: string; change: string; actor: Actor }>(
    `SELECT id, public_id, change, actor FROM (
       SELECT *, sum(octet_length(change)) OVER (ORDER BY id ROWS UNBOUNDED PRECEDING) - octet_length(change) AS ahead
       FROM boardsync.item_changes WHERE board_id = $1 AND status = 'pending' ORDER BY id LIMIT ${drainedAtMost.changes}
     ) AS waiting WHERE ahead < ${drainedAtMost.bytes} ORDER BY id`,
    [board],
  )
  return rows.map(({ public_id, ...change }) => ({ ...change, publicId: public_id }))
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
    `UPDATE boardsync.item_changes SET status = row.status, result = convert_from(row.result, 'UTF8'), seq = row.seq
     FROM unnest($1::bigint[], $2::text[], $3::bytea[], $4::bigint[]) AS row (id, status, result, seq)
     WHERE item_changes.id = row.id`,
    [
      rows.map(row => row.id),
      rows.map(row => row.status),
      rows.map(row => Buffer.from(row.result)),
      rows.map(row => row.seq),
    ],
  )
  if (written.length === 0) return seq
  await sql.query('UPDATE boardsync.boards SET head_seq = $2, bytes = bytes + $3, changed_at = now() WHERE id = $1', [
    board,
    seq,
    written.reduce((sum, row) => sum + row.update.byteLength, 0),
  ])
  return seq
}
