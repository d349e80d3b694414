/**
 * A board read as it lies there as a rule: its head, the newest snapshot, and every row after that in the log. One statement, so
 * one state of the database and one way to it and back.
 */
import type { BoardId } from '../contract/board-id.ts'
import { type Head, type HeadRow, headColumns, headOf, type LogRow } from './board-log.ts'
import type { Sql } from './database.ts'
import { unpackState } from './snapshot-codec.ts'
import type { StateBytes } from './state-bytes.ts'
import { type Found, isContiguous, type StoredRow, soundRow } from './stored-rows.ts'

export interface Read {
  head: Head
  snapshot: { seq: number; state: StateBytes } | undefined
  rows: LogRow[]
  /** Of the snapshot as it is stored. */
  checksum: Uint8Array | undefined
}

type Part =
  | ({ part: 'head' } & HeadRow)
  | { part: 'snapshot'; seq: number; data: Uint8Array; digest: Uint8Array }
  | ({ part: 'row' } & StoredRow)

/** A replica that knows a part ($2 > 0) is not given the snapshot. */
const usualSql = `
  WITH newest AS (
    SELECT seq, state, checksum FROM boardsync.canvas_snapshots WHERE board_id = $1 AND $2::bigint = 0
    ORDER BY seq DESC LIMIT 1
  ), fresh AS (
    SELECT seq, data, actor, checksum, created_at FROM boardsync.board_updates
    WHERE board_id = $1 AND seq > coalesce((SELECT seq FROM newest), $2::bigint)
  )
  SELECT 'head' AS part, ${headColumns},
    NULL::bigint AS seq, NULL::bytea AS data, NULL::bytea AS digest,
    NULL::text AS actor, NULL::int AS checksum, NULL::timestamptz AS created_at
  FROM boardsync.boards WHERE id = $1
  UNION ALL
  SELECT 'snapshot', NULL, NULL, NULL, NULL, NULL, seq, state, checksum, NULL, NULL, NULL FROM newest
  UNION ALL
  SELECT 'row', NULL, NULL, NULL, NULL, NULL, seq, data, NULL, actor, checksum, created_at FROM fresh
  ORDER BY seq NULLS FIRST`

/** @returns undefined when the board doesn't exist; 'unusual' when this is not all of it, or not sound */
export async function readUsual(
  sql: Sql,
  board: BoardId,
  known: number,
  found: Found,
): Promise<Read | 'unusual' | undefined> {
  let head: Head | undefined
  let stored: (Part & { part: 'snapshot' }) | undefined
  const rows: StoredRow[] = []
  for (const part of await sql.query<Part>(usualSql, [board, known], 'read-board')) {
    if (part.part === 'head') head = headOf(part)
    else if (part.part === 'snapshot') stored = part
    else rows.push(part)
  }
  if (!head) return undefined
  if (!isContiguous(rows, stored?.seq ?? known, head.headSeq)) return 'unusual'
  const sound = () => rows.map(row => soundRow(row, found))
  if (!stored) return { head, snapshot: undefined, rows: sound(), checksum: undefined }
  const unpacked = await unpackState({ state: stored.data, checksum: stored.digest })
  if (typeof unpacked === 'string' || !('state' in unpacked)) return 'unusual'
  return { head, snapshot: { seq: stored.seq, state: unpacked.state }, rows: sound(), checksum: stored.digest }
}
