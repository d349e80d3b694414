/** Changes asked for over REST or Redis, kept until they are on the board: stored by api-bridge and the intake, drained by ws. */
import { type Actor, subjectOf } from '../contract/actor.ts'
import type { BoardId } from '../contract/board-id.ts'
import { type Decide, type DrainOutcome, drainChanges, type KnownLog } from './change-drain.ts'
import type { Database, Sql } from './database.ts'
import { claimKey } from './kept-answers.ts'

/** A change on its way in. `change` is a `BoardChange` as JSON; `requestHash` tells a retry from another request. */
export interface NewChange {
  publicId: string
  board: BoardId
  change: string
  actor: Actor
  idempotencyKey: string | undefined
  requestHash: string
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

const idempotencyHours = 24
const answersKeptDays = 7
/** Each may be a file of 16 MiB. */
const forgottenAtOnce = 100

export class ChangeOutbox {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /**
   * Stores the change, and the board with it where `createBoard` says so.
   * @returns the stored change, or the earlier one of the same idempotency key; undefined when there is no such board
   * @throws KeyReused when the key came with a write that is no item change
   */
  async submit(change: NewChange, createBoard: boolean): Promise<RecordedChange | undefined> {
    const [stored] = await this.#store([change], createBoard, async (sql, inserted) => {
      const { board, actor, idempotencyKey: key, requestHash: hash } = change
      if (key === undefined || inserted.length === 0) return
      await claimKey(sql, { scope: board, subject: subjectOf(actor), key, hash })
    })
    return stored
  }

  /**
   * Stores changes of one board and one actor in their order, all or none, with one wait for the disk. Where its answer got
   * lost it may be asked again: what is stored already is found. Their keys are those of published messages, which nothing but
   * item changes have.
   * @returns what `submit` returns for each of them
   */
  submitAll(changes: readonly NewChange[], createBoard: boolean): Promise<(RecordedChange | undefined)[]> {
    return this.#store(changes, createBoard, async () => undefined)
  }

  /** @param whenInserted what belongs to those that are new, in the same transaction */
  async #store(
    changes: readonly NewChange[],
    createBoard: boolean,
    whenInserted: (sql: Sql, inserted: readonly ChangeRow[]) => Promise<void>,
  ): Promise<(RecordedChange | undefined)[]> {
    const [first] = changes
    if (!first) return []
    const { board, actor } = first
    const keys = changes.flatMap(({ idempotencyKey }) => idempotencyKey ?? [])
    const recorded = await this.#database.transaction(async sql => {
      if (createBoard) {
        await sql.query('INSERT INTO boardsync.boards (id) VALUES ($1) ON CONFLICT (id) DO NOTHING', [board])
      }
      if (keys.length > 0) await forgetOldKeys(sql, board, actor, keys)
      const inserted = await insert(sql, board, actor, changes)
      await whenInserted(sql, inserted)
      return inserted.length < changes.length
        ? [...inserted, ...(await storedBefore(sql, board, actor, changes, keys))]
        : inserted
    })
    const byId = new Map(recorded.map(row => [row.public_id, row]))
    const byKey = new Map(recorded.map(row => [row.idempotency_key, row]))
    return changes.map(({ publicId, idempotencyKey }) => {
      const row = byId.get(publicId) ?? (idempotencyKey === undefined ? undefined : byKey.get(idempotencyKey))
      return row && recordedChange(row)
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
    const rows = await this.#database.query<{ id: BoardId }>(
      // As an array: few boards are looked up, where a join might read all there are.
      `SELECT id FROM boardsync.boards WHERE deleted_at IS NULL AND id = ANY (ARRAY(
         SELECT DISTINCT board_id FROM boardsync.item_changes WHERE status = 'pending'))`,
      [],
      'boards-with-pending',
    )
    return rows.map(row => row.id)
  }

  /**
   * Drops the answers nobody will ask for any more: neither a retry nor whoever polls comes back after that long. In small
   * steps, from the oldest on.
   * @param signal ends it between two of them
   */
  async forgetOld(signal?: AbortSignal): Promise<void> {
    for (let after: number | null = 0; after !== null && !signal?.aborted; ) {
      const [step]: { last: number | null }[] = await this.#database.query(forgetSql, [after])
      after = step?.last ?? null
    }
  }

  /** As `drainChanges` says; a transaction of its own. */
  async drain(board: BoardId, known: KnownLog, batchId: string, decide: Decide): Promise<DrainOutcome> {
    return this.#database.transaction(sql => drainChanges(sql, board, known, batchId, decide))
  }
}

/**
 * Ids are given in the order of time, so that they lead to the oldest without an index of their own, and what is kept begins where
 * one is not old: `last` is null there, and at the end. What waits is stepped over, however old; so is what another instance forgets.
 */
const forgetSql = `
  WITH next AS (
    SELECT id, status, created_at < now() - ${answersKeptDays} * interval '1 day' AS is_old
    FROM boardsync.item_changes WHERE id > $1 ORDER BY id LIMIT ${forgottenAtOnce}
  ), gone AS (
    DELETE FROM boardsync.item_changes WHERE id = ANY (ARRAY(
      SELECT id FROM boardsync.item_changes WHERE id IN (SELECT id FROM next WHERE is_old AND status <> 'pending')
      FOR UPDATE SKIP LOCKED))
  )
  SELECT CASE WHEN bool_and(is_old) THEN max(id) END AS last FROM next`

function forgetOldKeys(sql: Sql, board: BoardId, actor: Actor, keys: readonly string[]): Promise<unknown> {
  return sql.query(
    `UPDATE boardsync.item_changes SET idempotency_key = NULL
     WHERE board_id = $1 AND actor = $2 AND idempotency_key = ANY ($3::text[])
       AND created_at < now() - ${idempotencyHours} * interval '1 hour'`,
    [board, actor, keys],
  )
}

/** Leaves out those that are stored, and those whose key is taken, by a stored change or an earlier one of these. */
function insert(sql: Sql, board: BoardId, actor: Actor, changes: readonly NewChange[]): Promise<ChangeRow[]> {
  return sql.query<ChangeRow>(
    `INSERT INTO boardsync.item_changes (public_id, board_id, actor, change, idempotency_key, request_hash)
     SELECT new.public_id, boards.id, $2, convert_from(new.change, 'UTF8'), new.key, new.hash
     FROM boardsync.boards, unnest($3::uuid[], $4::bytea[], $5::text[], $6::text[])
       WITH ORDINALITY AS new (public_id, change, key, hash, place)
     WHERE boards.id = $1 AND boards.deleted_at IS NULL ORDER BY new.place
     ON CONFLICT DO NOTHING
     RETURNING ${changeColumns}`,
    [
      board,
      actor,
      changes.map(({ publicId }) => publicId),
      // As bytes: in a list of texts each quote has to be marked, which would take seconds with a file of 16 MiB.
      changes.map(({ change }) => Buffer.from(change)),
      changes.map(({ idempotencyKey }) => idempotencyKey ?? null),
      changes.map(({ requestHash }) => requestHash),
    ],
  )
}

function storedBefore(
  sql: Sql,
  board: BoardId,
  actor: Actor,
  changes: readonly NewChange[],
  keys: readonly string[],
): Promise<ChangeRow[]> {
  return sql.query<ChangeRow>(
    `SELECT ${changeColumns} FROM boardsync.item_changes
     WHERE board_id = $1 AND actor = $2 AND (public_id = ANY ($3::uuid[]) OR idempotency_key = ANY ($4::text[]))`,
    [board, actor, changes.map(({ publicId }) => publicId), keys],
  )
}

interface ChangeRow {
  public_id: string
  idempotency_key: string | null
  board_id: BoardId
  request_hash: string
  status: RecordedChange['status']
  result: string | null
  seq: number | null
}

const changeColumns = 'public_id, board_id, idempotency_key, request_hash, status, result, seq'

const recordedChange = (row: ChangeRow): RecordedChange => ({
  publicId: row.public_id,
  board: row.board_id,
  requestHash: row.request_hash,
  status: row.status,
  result: row.result ?? undefined,
  seq: row.seq ?? undefined,
})
