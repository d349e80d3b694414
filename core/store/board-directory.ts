/**
 * The boards there are: their titles, the list of them, and their end. A deleted board stays as a tombstone with all it
 * holds: for 30 days it can be restored and its id is nobody else's; then everything of it is purged.
 *
 * What is asked within somebody's transaction (`sql`) is done or not with the rest of it.
 */
import type { BoardId } from '../contract/board-id.ts'
import type { Database, Sql } from './database.ts'

const restorableDays = 30
/** Rows of one table that a purge removes in one statement: pictures and history are megabytes each. */
const purgedAtOnce = 100

export interface BoardEntry {
  id: BoardId
  title: string | undefined
  headSeq: number
  /** At the last snapshot; undefined: there was none yet. */
  itemCount: number | undefined
  createdAt: Date
  changedAt: Date
}

export class BoardDirectory {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /**
   * The boards behind this id, in the order of their ids.
   * @param among only these; undefined: all
   */
  async list(after: string, limit: number, among: readonly BoardId[] | undefined): Promise<BoardEntry[]> {
    const rows = await this.#database.query<EntryRow>(
      `SELECT ${entryColumns} FROM boardsync.boards
       WHERE ${isLiving} AND id > $1 ${among ? 'AND id = ANY ($3::text[])' : ''} ORDER BY id LIMIT $2`,
      [after, limit, ...(among ? [among] : [])],
    )
    return rows.map(entryOf)
  }

  /** @returns undefined when there is no such board, or it was deleted */
  async find(board: BoardId, sql: Sql = this.#database): Promise<BoardEntry | undefined> {
    const rows = await sql.query<EntryRow>(
      `SELECT ${entryColumns} FROM boardsync.boards WHERE id = $1 AND deleted_at IS NULL`,
      [board],
      'find-board',
    )
    return rows.map(entryOf)[0]
  }

  /** @returns undefined when the id is taken, by a tombstone too */
  create(sql: Sql, board: BoardId, title: string | undefined): Promise<BoardEntry | undefined> {
    return entryAfter(
      sql,
      `INSERT INTO boardsync.boards (id, title) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING RETURNING ${entryColumns}`,
      [board, title ?? null],
    )
  }

  /** @returns undefined when there is no such board */
  rename(sql: Sql, board: BoardId, title: string | undefined): Promise<BoardEntry | undefined> {
    return entryAfter(
      sql,
      `UPDATE boardsync.boards SET title = $2, changed_at = now() WHERE id = $1 AND deleted_at IS NULL
       RETURNING ${entryColumns}`,
      [board, title ?? null],
    )
  }

  /** A write that is under way is before this, or finds the board deleted. @returns undefined when there is no such board */
  remove(sql: Sql, board: BoardId): Promise<BoardEntry | undefined> {
    return entryAfter(
      sql,
      `UPDATE boardsync.boards SET deleted_at = now() WHERE id = $1 AND deleted_at IS NULL RETURNING ${entryColumns}`,
      [board],
    )
  }

  /** A board that was not deleted stays as it is. @returns undefined when there is nothing to restore any more */
  restore(sql: Sql, board: BoardId): Promise<BoardEntry | undefined> {
    return entryAfter(
      sql,
      `UPDATE boardsync.boards SET deleted_at = NULL
       WHERE id = $1 AND (deleted_at IS NULL OR deleted_at >= now() - ${restorableDays} * interval '1 day')
       RETURNING ${entryColumns}`,
      [board],
    )
  }

  /**
   * Removes what was deleted more than 30 days ago, in small steps: one that breaks off is gone on with. Another instance may
   * do so too, and somebody then make a board under the id: so each step looks whether it is still the deleted one.
   * @param signal ends it between two steps
   * @returns how many boards it removed
   */
  async purge(signal?: AbortSignal): Promise<number> {
    const boards = await this.#database.query<{ id: BoardId }>(`SELECT id FROM boardsync.boards WHERE ${isPast}`)
    if (boards.length === 0) return 0
    // Every table that belongs to boards, also one that a later version adds.
    const tables = await this.#database.query<{ name: string }>(
      `SELECT DISTINCT conrelid::regclass::text AS name FROM pg_constraint
       WHERE contype = 'f' AND confrelid = 'boardsync.boards'::regclass`,
    )
    let purged = 0
    for (const { id } of boards) {
      for (const { name } of tables) await this.#empty(name, id, signal)
      if (signal?.aborted) break
      const removed = await this.#database.query(removeSql, [id])
      purged += removed.length
    }
    return purged
  }

  async #empty(table: string, board: BoardId, signal: AbortSignal | undefined): Promise<void> {
    for (let removed = purgedAtOnce; removed === purgedAtOnce && !signal?.aborted; ) {
      // Board and rows are seen as of one moment: these are rows of the deleted board, whatever becomes of its id meanwhile.
      const rows = await this.#database.query(
        `DELETE FROM ${table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM ${table} WHERE board_id = $1 LIMIT ${purgedAtOnce}))
           AND EXISTS (SELECT FROM boardsync.boards WHERE id = $1 AND ${isPast})
         RETURNING board_id`,
        [board],
      )
      removed = rows.length
    }
  }
}

/** `deleted_at IS NULL` is taken for rare where nothing was counted: a page of the list would be found by sorting all boards. */
const isLiving = 'CASE WHEN deleted_at IS NULL THEN true ELSE false END'
const isPast = `deleted_at < now() - ${restorableDays} * interval '1 day'`
const removeSql = `DELETE FROM boardsync.boards WHERE id = $1 AND ${isPast} RETURNING id`

interface EntryRow {
  id: BoardId
  title: string | null
  head_seq: number
  item_count: number | null
  created_at: Date
  changed_at: Date
}

const entryColumns = 'id, title, head_seq, item_count, created_at, changed_at'

const entryOf = (row: EntryRow): BoardEntry => ({
  id: row.id,
  title: row.title ?? undefined,
  headSeq: row.head_seq,
  itemCount: row.item_count ?? undefined,
  createdAt: row.created_at,
  changedAt: row.changed_at,
})

async function entryAfter(sql: Sql, text: string, parameters: readonly unknown[]): Promise<BoardEntry | undefined> {
  return (await sql.query<EntryRow>(text, parameters)).map(entryOf)[0]
}
