/**
 * Shortens the log: rows that the newest snapshot covers are packed into `board_history`, where a row takes a fraction of what
 * it takes in the log.
 *
 * Several instances may do that to one board at once. Whoever gets hold of the oldest row, which is in the first pack of all
 * of them, does it; the others find it gone, or leave it alone while it is held.
 */
import type { BoardId } from '../contract/board-id.ts'
import { type LogRow, limitLockWait } from './board-log.ts'
import type { Database, Sql } from './database.ts'
import { inPacks, packRows } from './history-codec.ts'
import { type Corruption, keepIn, type Quarantine } from './quarantine.ts'
import { coveredRows } from './stored-rows.ts'

interface Pack {
  from: number
  to: number
  data: Uint8Array
}

/** Within a statement bytes of an array travel as hexadecimal text. */
const packedAtOnceBytes = 64 * 1024
/** Of a board's oldest packs: it may have tens of thousands, of which hardly one has become old since it was packed last. */
const forgottenAtOnce = 10

export class LogPacker {
  readonly #database: Database
  readonly #historyDays: number
  readonly #quarantine: Quarantine

  constructor(database: Database, historyDays: number, quarantine: Quarantine) {
    this.#database = database
    this.#historyDays = historyDays
    this.#quarantine = quarantine
  }

  /** Packs what the newest snapshot covers, unless somebody else does. */
  async pack(board: BoardId): Promise<void> {
    const corruptions: Corruption[] = []
    const packs = await packsOf(await coveredRows(this.#database, board, corruption => corruptions.push(corruption)))
    if (packs.length === 0) return
    const isSmall = packs.reduce((sum, { data }) => sum + data.byteLength, 0) <= packedAtOnceBytes
    if (corruptions.length === 0 && isSmall) await this.#move(this.#database, board, packs, packs)
    else await this.#moveInSteps(board, packs, corruptions)
  }

  /** In steps: megabytes, or rows whose bytes were damaged and are kept elsewhere. */
  async #moveInSteps(board: BoardId, packs: readonly Pack[], corruptions: readonly Corruption[]): Promise<void> {
    const kept: Corruption[] = []
    await this.#database.transaction(async sql => {
      await limitLockWait(sql)
      const held = await sql.query(oldestRowSql, [board, ...boundsOf(packs)])
      if (held.length === 0) return
      for (const corruption of corruptions) if (await keepIn(sql, board, corruption)) kept.push(corruption)
      for (const { from, to, data } of packs) {
        await sql.query(
          'INSERT INTO boardsync.board_history (board_id, from_seq, to_seq, data) VALUES ($1, $2, $3, $4)',
          [board, from, to, data],
        )
      }
      await this.#move(sql, board, packs, [])
    })
    for (const corruption of kept) this.#quarantine.tell(board, corruption)
  }

  /** @param toInsert those of `packs` that are not in history yet */
  async #move(sql: Sql, board: BoardId, packs: readonly Pack[], toInsert: readonly Pack[]): Promise<void> {
    await sql.query(
      moveSql,
      [
        board,
        ...boundsOf(packs),
        toInsert.map(({ from }) => from),
        toInsert.map(({ to }) => to),
        toInsert.map(({ data }) => data),
        this.#historyDays,
      ],
      'pack-rows',
    )
  }
}

/** Of the rows in all of them together. */
const boundsOf = (packs: readonly Pack[]) => [packs[0]?.from, packs.at(-1)?.to]

/** A store that went back meanwhile has another snapshot. */
const oldestRowSql = `
  SELECT board_id FROM boardsync.board_updates JOIN boardsync.boards ON id = board_id
  WHERE board_id = $1 AND seq = $2 AND snapshot_seq >= $3 FOR UPDATE OF board_updates SKIP LOCKED`

const moveSql = `
  WITH fit AS (${oldestRowSql}
  ), packed AS (
    INSERT INTO boardsync.board_history (board_id, from_seq, to_seq, data)
    SELECT board_id, pack.* FROM fit, unnest($4::bigint[], $5::bigint[], $6::bytea[]) AS pack
  ), covered AS (
    -- By the parameter: a plan made while the log was short would read all of it to find what fits a board of another table.
    DELETE FROM boardsync.board_updates WHERE board_id = $1 AND seq <= $3 AND EXISTS (SELECT FROM fit)
  )
  -- What leads from the older of the two snapshots to the newer one stays, however old.
  DELETE FROM boardsync.board_history WHERE ctid = ANY (ARRAY(
    SELECT place FROM (
      SELECT ctid AS place, to_seq, created_at FROM boardsync.board_history
      WHERE board_id = $1 ORDER BY from_seq LIMIT ${forgottenAtOnce}
    ) AS oldest
    WHERE created_at < now() - $7::int * interval '1 day'
      AND to_seq <= (SELECT min(seq) FROM boardsync.canvas_snapshots WHERE board_id = $1 HAVING count(*) > 1)))`

const packsOf = (rows: readonly LogRow[]): Promise<Pack[]> =>
  Promise.all(
    inPacks(rows).map(async pack => ({
      from: pack[0]?.seq ?? 0,
      to: pack.at(-1)?.seq ?? 0,
      data: await packRows(pack),
    })),
  )
