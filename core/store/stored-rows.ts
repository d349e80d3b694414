/** A board's rows as they lie in log and history, and joined again into one sequence without a hole. */
import type { BoardId } from '../contract/board-id.ts'
import type { LogRow } from './board-log.ts'
import type { Sql } from './database.ts'
import { unpackRows } from './history-codec.ts'

interface StoredRow {
  seq: number
  actor: LogRow['actor']
  data: Uint8Array
  created_at: Date
}

/** The rows after `after` that the log itself has, up to `upTo`. */
export async function logRows(
  sql: Sql,
  board: BoardId,
  after: number,
  upTo = Number.MAX_SAFE_INTEGER,
): Promise<LogRow[]> {
  const rows = await sql.query<StoredRow>(
    `SELECT seq, actor, data, created_at FROM boardsync.board_updates
     WHERE board_id = $1 AND seq > $2 AND seq <= $3 ORDER BY seq`,
    [board, after, upTo],
    'log-rows',
  )
  return rows.map(row => ({ seq: row.seq, actor: row.actor, data: row.data, at: row.created_at }))
}

interface Pack {
  from_seq: number
  to_seq: number
  data: Uint8Array
}

async function rowsOf(board: BoardId, { from_seq, to_seq, data }: Pack): Promise<LogRow[]> {
  try {
    return await unpackRows(data)
  } catch (error) {
    throw new Error(`board ${board}: history from ${from_seq} to ${to_seq} is corrupt`, { cause: error })
  }
}

/** The rows after `after` from history and log together. @throws Error when one is missing: never load around a hole */
export async function allRows(sql: Sql, board: BoardId, after: number, headSeq: number): Promise<LogRow[]> {
  const fresh = await logRows(sql, board, after)
  if (isContiguous(fresh, after, headSeq)) return fresh
  const packed = await sql.query<Pack>(
    'SELECT from_seq, to_seq, data FROM boardsync.board_history WHERE board_id = $1 AND to_seq > $2 ORDER BY from_seq',
    [board, after],
  )
  const unpacked = (await Promise.all(packed.map(pack => rowsOf(board, pack)))).flat()
  const rows = [...unpacked.filter(row => row.seq > after), ...fresh]
  if (!isContiguous(rows, after, headSeq)) {
    throw new Error(`board ${board}: rows between ${after} and ${headSeq} are missing from the log`)
  }
  return rows
}

export function isContiguous(rows: readonly LogRow[], after: number, headSeq: number): boolean {
  return rows.length === headSeq - after && rows.every((row, index) => row.seq === after + 1 + index)
}
