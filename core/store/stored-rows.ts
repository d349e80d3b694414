/** A board's rows as they lie in log and history, and joined again into one sequence without a hole. */

import { emptyUpdate } from '../base/empty-update.ts'
import type { BoardId } from '../contract/board-id.ts'
import type { LogRow } from './board-log.ts'
import type { Sql } from './database.ts'
import { unpackRows } from './history-codec.ts'
import type { Corruption } from './quarantine.ts'
import { checksumOfRow } from './row-checksum.ts'

export interface StoredRow {
  seq: number
  actor: LogRow['actor']
  data: Uint8Array
  checksum: number | null
  created_at: Date
}

/** Hears of what was found damaged while reading. */
export type Found = (corruption: Corruption) => void

/** The rows after `after` that the log itself has; a damaged one as an update that changes nothing. */
export async function logRows(sql: Sql, board: BoardId, after: number, found: Found): Promise<LogRow[]> {
  const rows = await sql.query<StoredRow>(
    `SELECT seq, actor, data, checksum, created_at FROM boardsync.board_updates
     WHERE board_id = $1 AND seq > $2 ORDER BY seq`,
    [board, after],
    'log-rows',
  )
  return rows.map(row => soundRow(row, found))
}

/** A damaged one as an update that changes nothing. */
export function soundRow({ seq, actor, data, checksum, created_at: at }: StoredRow, found: Found): LogRow {
  if (checksum === null || checksumOfRow(data) === checksum) return { seq, actor, data, at }
  found({ kind: 'row', seq, data, reason: 'the checksum does not fit', decodes: false })
  return { seq, actor, data: emptyUpdate, at }
}

/** Rows of the log that travel as one: to read a row of an answer takes longer than to read an edit. */
interface RowRun {
  /** Of each row, in the order in which their bytes stand in `data`. */
  about: [seq: number, actor: LogRow['actor'], bytes: number, checksum: number | null, at: number][]
  data: Uint8Array
}

/** A row of more bytes is a run of its own, so that no run is bigger than a row may be. */
const coveredSql = `
  SELECT string_agg(data, '' ORDER BY seq) AS data, json_agg(json_build_array(seq, actor, octet_length(data), checksum,
    floor(extract(epoch FROM board_updates.created_at) * 1000)) ORDER BY seq) AS about
  FROM boardsync.board_updates JOIN boardsync.boards ON id = board_id WHERE board_id = $1 AND seq <= snapshot_seq
  GROUP BY CASE WHEN octet_length(data) > 4096 THEN seq END, seq / 100`

/** The rows in the log that the newest snapshot covers; a damaged one as an update that changes nothing. */
export async function coveredRows(sql: Sql, board: BoardId, found: Found): Promise<LogRow[]> {
  const runs = await sql.query<RowRun>(coveredSql, [board], 'covered-rows')
  return runs
    .flatMap(rowsIn)
    .sort((a, b) => a.seq - b.seq)
    .map(row => soundRow(row, found))
}

function rowsIn({ about, data }: RowRun): StoredRow[] {
  let end = 0
  return about.map(([seq, actor, bytes, checksum, at]) => {
    end += bytes
    return { seq, actor, data: data.subarray(end - bytes, end), checksum, created_at: new Date(at) }
  })
}

interface Pack {
  from_seq: number
  to_seq: number
  data: Uint8Array
}

async function rowsOf(board: BoardId, { from_seq, to_seq, data }: Pack, found: Found): Promise<LogRow[]> {
  try {
    return await unpackRows(data)
  } catch (error) {
    found({ kind: 'history', seq: from_seq, data, reason: `it cannot be unpacked: ${error}` })
    throw new Error(`board ${board}: history from ${from_seq} to ${to_seq} is corrupt`, { cause: error })
  }
}

/**
 * SQL: packs of the board `$1` with rows after `$2`. They follow one another, so all but the first of them begin there: those
 * before are not read, of which there may be tens of thousands.
 */
export const reachesBeyond = `board_id = $1 AND to_seq > $2 AND from_seq >= coalesce(
  (SELECT from_seq FROM boardsync.board_history WHERE board_id = $1 AND from_seq <= $2 ORDER BY from_seq DESC LIMIT 1), 0)`

/** The rows after `after` from history and log together. @throws Error when one is missing: never load around a hole */
export async function allRows(
  sql: Sql,
  board: BoardId,
  after: number,
  headSeq: number,
  found: Found,
): Promise<LogRow[]> {
  const fresh = await logRows(sql, board, after, found)
  if (isContiguous(fresh, after, headSeq)) return fresh
  const packed = await sql.query<Pack>(
    `SELECT from_seq, to_seq, data FROM boardsync.board_history WHERE ${reachesBeyond} ORDER BY from_seq`,
    [board, after],
  )
  const unpacked = (await Promise.all(packed.map(pack => rowsOf(board, pack, found)))).flat()
  const rows = [...unpacked.filter(row => row.seq > after), ...fresh]
  if (!isContiguous(rows, after, headSeq)) {
    throw new Error(`board ${board}: rows between ${after} and ${headSeq} are missing from the log`)
  }
  return rows
}

export function isContiguous(rows: readonly Pick<LogRow, 'seq'>[], after: number, headSeq: number): boolean {
  return rows.length === headSeq - after && rows.every((row, index) => row.seq === after + 1 + index)
}
