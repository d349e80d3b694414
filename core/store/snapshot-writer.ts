/**
 * Writes a snapshot and shortens the log by it: what the snapshot covers is packed into `board_history`, two snapshots stay.
 *
 * Snapshots of many boards are due at the same time, beside their commits: so one takes a reading of the rows and a single
 * statement. Where that cannot be, because somebody holds the board's row, bytes are damaged or megabytes are to be packed, it
 * takes a transaction that waits for the row.
 */
import type { BoardId } from '../contract/board-id.ts'
import { limitLockWait } from './board-log.ts'
import type { Database, Sql } from './database.ts'
import { inPacks, packRows } from './history-codec.ts'
import { type Corruption, keepIn, type Quarantine } from './quarantine.ts'
import { packState, type StoredState } from './snapshot-codec.ts'
import { type CoveredRows, coveredRows } from './stored-rows.ts'

export type SaveOutcome = 'saved' | 'older-than-stored' | 'store-went-back'

/** A board's whole committed state at `seq`. */
export interface WholeState {
  epoch: number
  seq: number
  /** As a Yjs V2 update. */
  update: Uint8Array
  /** The items in it, for lists; undefined: they were not counted. */
  itemCount: number | undefined
}

interface Pack {
  from: number
  to: number
  data: Uint8Array
}

/** Within a statement bytes of an array travel as hexadecimal text. */
const packedAtOnceBytes = 64 * 1024

export class SnapshotWriter {
  readonly #database: Database
  readonly #historyDays: number
  readonly #quarantine: Quarantine

  constructor(database: Database, historyDays: number, quarantine: Quarantine) {
    this.#database = database
    this.#historyDays = historyDays
    this.#quarantine = quarantine
  }

  /** @throws StorageError `busy` when the board's row stays locked */
  async save(board: BoardId, whole: WholeState): Promise<SaveOutcome> {
    const state = await packState(whole.update)
    for (;;) {
      // Who takes rows away writes a snapshot too: each attempt finds a newer one or a shorter log.
      const outcome = await this.#trySave(board, whole, state)
      if (outcome !== 'compacted-elsewhere') return outcome
    }
  }

  async #trySave(board: BoardId, whole: WholeState, state: StoredState): Promise<Outcome> {
    const corruptions: Corruption[] = []
    const covered = await coveredRows(this.#database, board, whole.seq, corruption => corruptions.push(corruption))
    if (!covered) return 'store-went-back'
    const packs = await packsOf(covered)
    if (corruptions.length === 0 && sizeOf(packs) <= packedAtOnceBytes) {
      const outcome = await this.#write(this.#database, board, whole, state, covered, packs)
      if (outcome) return outcome
    }
    return this.#saveWaiting(board, whole, state, covered, packs, corruptions)
  }

  async #saveWaiting(
    board: BoardId,
    whole: WholeState,
    state: StoredState,
    covered: CoveredRows,
    packs: readonly Pack[],
    corruptions: readonly Corruption[],
  ): Promise<Outcome> {
    const kept: Corruption[] = []
    const outcome = await this.#database.transaction(async sql => {
      await limitLockWait(sql)
      const [row] = await sql.query<BoardRow>(
        'SELECT epoch, head_seq, snapshot_seq FROM boardsync.boards WHERE id = $1 FOR NO KEY UPDATE',
        [board],
      )
      if (!row) return 'store-went-back'
      const obstacle = obstacleTo(whole, covered, row)
      if (obstacle) return obstacle
      // Their bytes go with the rows.
      for (const corruption of corruptions) if (await keepIn(sql, board, corruption)) kept.push(corruption)
      for (const { from, to, data } of packs) {
        await sql.query(
          'INSERT INTO boardsync.board_history (board_id, from_seq, to_seq, data) VALUES ($1, $2, $3, $4)',
          [board, from, to, data],
        )
      }
      const written = await this.#write(sql, board, whole, state, covered, [])
      if (written !== 'saved') throw new Error(`board ${board}: no snapshot was written, though its row was locked`)
      return written
    })
    for (const corruption of kept) this.#quarantine.tell(board, corruption)
    return outcome
  }

  /** @returns undefined where somebody holds the board's row, or it is no more */
  async #write(
    sql: Sql,
    board: BoardId,
    whole: WholeState,
    { state, checksum }: StoredState,
    covered: CoveredRows,
    packs: readonly Pack[],
  ): Promise<Outcome | undefined> {
    const { epoch, seq, update, itemCount } = whole
    const [row] = await sql.query<BoardRow & { saved: boolean }>(
      writeSql,
      [
        board,
        epoch,
        seq,
        covered.snapshotSeq,
        packs.map(({ from }) => from),
        packs.map(({ to }) => to),
        packs.map(({ data }) => data),
        state,
        checksum,
        update.byteLength,
        itemCount ?? null,
        this.#historyDays,
      ],
      'save-snapshot',
    )
    return row && (row.saved ? 'saved' : obstacleTo(whole, covered, row))
  }
}

/**
 * All of it or nothing, decided on the board's row, locked. Where the snapshot before is the one that was the newest when the
 * rows were read, nobody has taken rows away since. (A commit in the moment before the lock is only missing in `bytes`, until
 * the next snapshot.)
 */
const writeSql = `
  WITH board AS (
    SELECT id, epoch, head_seq, snapshot_seq FROM boardsync.boards WHERE id = $1 FOR NO KEY UPDATE SKIP LOCKED
  ), fit AS (
    SELECT id FROM board WHERE epoch = $2 AND head_seq >= $3 AND snapshot_seq < $3 AND snapshot_seq = $4
  ), before AS (
    SELECT max(seq) AS seq FROM boardsync.canvas_snapshots WHERE board_id = $1
  ), packed AS (
    INSERT INTO boardsync.board_history (board_id, from_seq, to_seq, data)
    SELECT id, pack.* FROM fit, unnest($5::bigint[], $6::bigint[], $7::bytea[]) AS pack
  ), covered AS (
    DELETE FROM boardsync.board_updates USING fit WHERE board_id = id AND seq <= $3
  ), written AS (
    INSERT INTO boardsync.canvas_snapshots (board_id, seq, state, checksum) SELECT id, $3, $8::bytea, $9::bytea FROM fit
  ), older AS (
    DELETE FROM boardsync.canvas_snapshots USING fit WHERE board_id = id AND seq < (SELECT seq FROM before)
  ), outdated AS (
    -- What leads from the older of the two snapshots to the newer one stays, however old.
    DELETE FROM boardsync.board_history USING fit
    WHERE board_id = id AND created_at < now() - $12::int * interval '1 day' AND to_seq <= (SELECT seq FROM before)
  ), saved AS (
    UPDATE boardsync.boards SET snapshot_seq = $3, item_count = coalesce($11, item_count), bytes = $10 + (
      SELECT coalesce(sum(octet_length(data)), 0) FROM boardsync.board_updates WHERE board_id = $1 AND seq > $3)
    FROM fit WHERE boards.id = fit.id RETURNING boards.id
  )
  SELECT epoch, head_seq, snapshot_seq, EXISTS (SELECT 1 FROM saved) AS saved FROM board`

interface BoardRow {
  epoch: number
  head_seq: number
  snapshot_seq: number
}

type Outcome = SaveOutcome | 'compacted-elsewhere'

/** Why a snapshot of this does not fit a board that stands so; `fit` in the statement above asks the same. */
function obstacleTo(
  { epoch, seq }: WholeState,
  { snapshotSeq }: CoveredRows,
  row: BoardRow,
): Exclude<Outcome, 'saved'> | undefined {
  if (row.epoch !== epoch || row.head_seq < seq) return 'store-went-back'
  if (row.snapshot_seq >= seq) return 'older-than-stored'
  return row.snapshot_seq === snapshotSeq ? undefined : 'compacted-elsewhere'
}

const packsOf = ({ rows }: CoveredRows): Promise<Pack[]> =>
  Promise.all(
    inPacks(rows).map(async pack => ({
      from: pack[0]?.seq ?? 0,
      to: pack.at(-1)?.seq ?? 0,
      data: await packRows(pack),
    })),
  )

const sizeOf = (packs: readonly Pack[]): number => packs.reduce((sum, { data }) => sum + data.byteLength, 0)
