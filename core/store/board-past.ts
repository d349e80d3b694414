/**
 * A board's past: its rows after a seq, from log and history together, and where asked for the state they follow on.
 *
 * Rows are packed away, not lost, when a snapshot covers them, and kept for `HISTORY_DAYS`. States are not: there are two
 * snapshots. So a state lies far back only where every row since the board's beginning is still there.
 */
import type { BoardId } from '../contract/board-id.ts'
import { type Head, headColumns, headOf, type LogRow } from './board-log.ts'
import type { Database, Sql } from './database.ts'
import { type StoredState, unpackState } from './snapshot-codec.ts'
import type { StateBytes } from './state-bytes.ts'
import { allRows, isContiguous, logRows, reachesBeyond } from './stored-rows.ts'

export interface PastRows {
  head: Head
  /** The state that `rows` follow on, by its seq; undefined: none was asked for, or an empty board. */
  base: { seq: number; state: StateBytes } | undefined
  rows: LogRow[]
}

/** Of 500 rows or 1 MiB each: what lies further back is not read into memory for one who was away. */
const packsAtMost = 64
/** Each is up to a megabyte. */
const forgottenAtOnce = 100

export class BoardPast {
  readonly #database: Database
  readonly #historyDays: number

  constructor(database: Database, historyDays: number) {
    this.#database = database
    this.#historyDays = historyDays
  }

  /**
   * All rows after `seq`; with `state`, what it takes to rebuild the board as it was at `seq`: `base` lies at or before
   * it, and `rows` follow on `base`.
   * @returns undefined when there is no such board; `gone` when that lies too far back
   */
  async since(board: BoardId, seq: number, state: boolean): Promise<PastRows | 'gone' | undefined> {
    return this.#database.transaction(async sql => {
      const [row] = await sql.query<Parameters<typeof headOf>[0]>(
        `SELECT ${headColumns} FROM boardsync.boards WHERE id = $1`,
        [board],
      )
      if (!row) return undefined
      const head = headOf(row)
      if (head.headSeq < seq) return 'gone'
      const base = state ? await baseBefore(sql, board, seq) : undefined
      const rows = await rowsAfter(sql, board, state ? (base?.seq ?? 0) : seq, head.headSeq)
      return rows === 'gone' ? 'gone' : { head, base, rows }
    }, 'REPEATABLE READ')
  }

  /**
   * History older than it has to be kept goes, of every board: one that is edited loses its own when its log is packed, others here.
   * In small steps.
   * @param signal ends it between two of them
   */
  async forgetOld(signal?: AbortSignal): Promise<void> {
    for (let after: string | null = '-infinity'; after !== null && !signal?.aborted; ) {
      const [step]: { last: string | null }[] = await this.#database.query(forgetSql, [this.#historyDays, after])
      after = step?.last ?? null
    }
  }
}

/**
 * From the oldest on, each looked at once; what is kept begins where one is not old: `last` is null there, and at the end. What
 * leads from the older of two snapshots to the newer one stays, however old. (As text a time has its microseconds.)
 */
const forgetSql = `
  WITH next AS (
    SELECT ctid AS place, board_id, to_seq, created_at, created_at < now() - $1::int * interval '1 day' AS is_old
    FROM boardsync.board_history WHERE created_at > $2::timestamptz
    ORDER BY created_at FETCH FIRST ${forgottenAtOnce} ROWS WITH TIES
  ), gone AS (
    DELETE FROM boardsync.board_history WHERE ctid = ANY (ARRAY(
      SELECT place FROM next WHERE is_old
        AND to_seq <= (SELECT min(seq) FROM boardsync.canvas_snapshots WHERE board_id = next.board_id HAVING count(*) > 1)))
  )
  SELECT CASE WHEN bool_and(is_old) THEN max(created_at)::text END AS last FROM next`

/** The newest sound snapshot at or before `seq`. */
async function baseBefore(sql: Sql, board: BoardId, seq: number): Promise<PastRows['base']> {
  const snapshots = await sql.query<StoredState & { seq: number }>(
    `SELECT seq, state, checksum FROM boardsync.canvas_snapshots WHERE board_id = $1 AND seq <= $2 ORDER BY seq DESC`,
    [board, seq],
  )
  for (const snapshot of snapshots) {
    const unpacked = await unpackState(snapshot)
    if (typeof unpacked === 'object' && 'state' in unpacked) return { seq: snapshot.seq, state: unpacked.state }
  }
  return undefined
}

async function rowsAfter(sql: Sql, board: BoardId, after: number, headSeq: number): Promise<LogRow[] | 'gone'> {
  const fresh = await logRows(sql, board, after, leftToReaders)
  if (isContiguous(fresh, after, headSeq)) return fresh
  const [packed] = await sql.query<{ packs: number; first: number | null }>(
    `SELECT count(*)::int AS packs, min(from_seq) AS first FROM boardsync.board_history WHERE ${reachesBeyond}`,
    [board, after],
  )
  const first = packed?.first ?? fresh[0]?.seq ?? headSeq + 1
  if (!packed || packed.packs > packsAtMost || first > after + 1) return 'gone'
  return allRows(sql, board, after, headSeq, leftToReaders)
}

/** Whoever reads the board itself meets the same damage, and sees to it. */
const leftToReaders = () => {}
