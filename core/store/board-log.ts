/**
 * The log of each board: the rows that are the truth, their order, and what is known of a board's head.
 *
 * `seq` is per board and contiguous. It is given while the board's row is locked, so commit order is seq order, whichever
 * instance writes. Many boards commit in one statement; a board whose row somebody else holds is skipped, never waited for.
 */
import { Together } from '../base/together.ts'
import type { Actor } from '../contract/actor.ts'
import type { BoardId } from '../contract/board-id.ts'
import type { Database, Sql } from './database.ts'
import { checksumOfRow } from './row-checksum.ts'

/** An edit on its way into the log. `data` is a Yjs update (V1). */
export interface LogEntry {
  actor: Actor
  data: Uint8Array
}

export interface LogRow extends LogEntry {
  seq: number
  at: Date
}

/** The entries of one board in one commit, in order. */
export interface BoardBatch {
  board: BoardId
  entries: readonly LogEntry[]
}

/** Where a board's batch came to stand: `firstSeq` … `lastSeq`, contiguous. */
export interface Committed {
  epoch: number
  firstSeq: number
  lastSeq: number
}

export interface Head {
  epoch: number
  headSeq: number
  /** Bytes of the board's state when it was last snapshotted (uncompressed) and of the rows since. */
  bytes: number
  deleted: boolean
}

export interface KnownHead extends Pick<Head, 'epoch' | 'headSeq'> {
  board: BoardId
}

/** Boards that could not be locked, or that are deleted, have no entry. */
export type CommittedBoards = Map<BoardId, Committed>

const lockTimeoutMs = 250

/**
 * A board's epoch, as everybody outside this folder knows it. A standby that becomes the primary may lack what was committed
 * last, and goes on from there on a timeline of its own: so all its boards have another epoch from its first moment on. Heads alone
 * would not tell, where new rows have taken the place of those that were lost.
 */
export const epochSql = 'boards.epoch # (SELECT boardsync.timeline())'

/** To read a row for each board would take longer than to send it what was committed. */
const committedInOneRow = `
  SELECT coalesce(json_agg(json_build_array(id, epoch, first_seq, last_seq)), '[]') AS boards FROM committed`

const appendSql = (locking: string) => `
  WITH incoming AS (
    SELECT * FROM unnest($2::text[], $3::int[], $4::text[], $5::bytea[], $7::int[])
      AS entry (board_id, position, actor, data, checksum)
  ), locked AS (
    SELECT id, head_seq FROM boardsync.boards
    WHERE id = ANY ($6::text[]) AND deleted_at IS NULL ORDER BY id FOR NO KEY UPDATE ${locking}
  ), inserted AS (
    INSERT INTO boardsync.board_updates (board_id, seq, actor, data, checksum, batch_id)
    SELECT board_id, head_seq + position, actor, data, checksum, $1::uuid FROM incoming JOIN locked ON locked.id = board_id
    RETURNING board_id, octet_length(data) AS bytes
  ), added AS (
    SELECT board_id, count(*) AS entries, sum(bytes)::bigint AS bytes FROM inserted GROUP BY board_id
  ), committed AS (
    UPDATE boardsync.boards SET
      head_seq = locked.head_seq + added.entries, bytes = boards.bytes + added.bytes, changed_at = now()
    FROM locked JOIN added ON added.board_id = locked.id WHERE boards.id = locked.id
    RETURNING boards.id, ${epochSql} AS epoch, locked.head_seq + 1 AS first_seq, boards.head_seq AS last_seq
  ) ${committedInOneRow}`

const appendSkippingSql = appendSql('SKIP LOCKED')
const appendWaitingSql = appendSql('')

export class BoardLog {
  readonly #database: Database
  readonly #commits: Database
  readonly #creations: Together<BoardId, Head>

  /** @param commits the same database, where commits have connections of their own */
  constructor(database: Database, commits: Database = database) {
    this.#database = database
    this.#commits = commits
    this.#creations = new Together(async boards => {
      const rows = await database.query<HeadRow>(createSql, [boards], 'create-boards')
      return new Map(rows.map(row => [row.id, headOf(row)]))
    })
  }

  /** Brings the board into being unless it exists, and tells its head. Many at once cost one commit. */
  async create(board: BoardId): Promise<Head> {
    // Without an answer: somebody else made it while the statement ran, which saw neither that board nor its own.
    const head = (await this.#creations.ask(board)) ?? (await this.head(board))
    if (!head) throw new Error(`board ${board} vanished while it was created`)
    return head
  }

  async head(board: BoardId): Promise<Head | undefined> {
    const [row] = await this.#database.query<HeadRow>(
      `SELECT ${headColumns} FROM boardsync.boards WHERE id = $1`,
      [board],
      'head',
    )
    return row && headOf(row)
  }

  /**
   * Of these boards those whose head is another than is known, in one query; boards that don't exist with undefined.
   * What is as it was known, as a rule all of them, costs neither a row nor the reading of one.
   */
  async headsOtherThan(known: readonly KnownHead[]): Promise<Map<BoardId, Head | undefined>> {
    const rows = await this.#database.query<{ asked: BoardId } & (HeadRow | { id: null })>(
      `SELECT asked, ${headColumns} FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS known (asked, known_epoch, known_seq)
       LEFT JOIN boardsync.boards ON id = asked
       WHERE id IS NULL OR ${epochSql} <> known_epoch OR head_seq <> known_seq OR deleted_at IS NOT NULL`,
      [known.map(({ board }) => board), known.map(({ epoch }) => epoch), known.map(({ headSeq }) => headSeq)],
      'heads',
    )
    return new Map(rows.map(row => [row.asked, row.id === null ? undefined : headOf(row)]))
  }

  /**
   * Commits the batches of many boards in one statement. Boards whose row is locked are left out: ask again.
   * @throws StorageError; after `unavailable` the outcome is unknown: see {@link appendAgain}
   */
  async append(batchId: string, batches: readonly BoardBatch[]): Promise<CommittedBoards> {
    return committedBoards(await this.#commits.query(appendSkippingSql, appendParameters(batchId, batches), 'append'))
  }

  /** Commits one board's batch, waiting a moment for its row. @throws StorageError `busy` when the row stays locked */
  async appendWaiting(batchId: string, batch: BoardBatch): Promise<CommittedBoards> {
    return this.#commits.transaction(async sql => {
      await limitLockWait(sql)
      return committedBoards(await sql.query(appendWaitingSql, appendParameters(batchId, [batch])))
    })
  }

  /**
   * Commits batches whose earlier outcome is unknown. The rows are locked first (the lost backend may still hold them),
   * then the batch id tells which boards have them already. Should compaction have taken such rows away meanwhile they
   * are written twice, which a Yjs document does not notice.
   */
  async appendAgain(batchId: string, batches: readonly BoardBatch[]): Promise<CommittedBoards> {
    return this.#commits.transaction(async sql => {
      await limitLockWait(sql)
      const boards = batches.map(batch => batch.board)
      await sql.query('SELECT id FROM boardsync.boards WHERE id = ANY ($1::text[]) ORDER BY id FOR NO KEY UPDATE', [
        boards,
      ])
      const found = committedBoards(
        await sql.query(
          `WITH committed AS (
             SELECT id, ${epochSql} AS epoch, min(seq) AS first_seq, max(seq) AS last_seq
             FROM boardsync.board_updates JOIN boardsync.boards ON id = board_id
             WHERE board_id = ANY ($1::text[]) AND batch_id = $2::uuid GROUP BY id
           ) ${committedInOneRow}`,
          [boards, batchId],
        ),
      )
      const missing = batches.filter(batch => !found.has(batch.board))
      if (missing.length === 0) return found
      const added = committedBoards(await sql.query(appendWaitingSql, appendParameters(batchId, missing)))
      return new Map([...found, ...added])
    })
  }
}

export interface HeadRow {
  id: BoardId
  epoch: number
  head_seq: number
  bytes: number
  deleted: boolean
}

export const headColumns = `id, ${epochSql} AS epoch, head_seq, bytes, deleted_at IS NOT NULL AS deleted`

export const headOf = (row: HeadRow): Head => ({
  epoch: row.epoch,
  headSeq: row.head_seq,
  bytes: row.bytes,
  deleted: row.deleted,
})

/** In one order everywhere: two instances that make the same boards wait for each other, never both. */
const createSql = `
  WITH made AS (
    INSERT INTO boardsync.boards (id) SELECT asked FROM unnest($1::text[]) AS asked ORDER BY asked
    ON CONFLICT (id) DO NOTHING RETURNING ${headColumns}
  )
  SELECT * FROM made UNION ALL SELECT ${headColumns} FROM boardsync.boards WHERE id = ANY ($1::text[])`

/** Within a transaction: locks are waited for only briefly. */
export async function limitLockWait(sql: Sql): Promise<void> {
  await sql.query(`SET LOCAL lock_timeout = '${lockTimeoutMs}ms'`)
}

function appendParameters(batchId: string, batches: readonly BoardBatch[]): unknown[] {
  const boards: BoardId[] = []
  const positions: number[] = []
  const actors: Actor[] = []
  const data: Uint8Array[] = []
  for (const batch of batches) {
    for (const [index, entry] of batch.entries.entries()) {
      boards.push(batch.board)
      positions.push(index + 1)
      actors.push(entry.actor)
      data.push(entry.data)
    }
  }
  return [batchId, boards, positions, actors, data, batches.map(batch => batch.board), data.map(checksumOfRow)]
}

interface CommittedRow {
  boards: [id: BoardId, epoch: number, firstSeq: number, lastSeq: number][]
}

function committedBoards([row]: readonly CommittedRow[]): CommittedBoards {
  const boards = row?.boards ?? []
  return new Map(boards.map(([id, epoch, firstSeq, lastSeq]) => [id, { epoch, firstSeq, lastSeq }]))
}
