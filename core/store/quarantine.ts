/**
 * Where damaged bytes go, so that a board opens with everything else and a person can look at them later.
 *
 * A damaged snapshot is moved here. A damaged row of the log is kept here and stays in its place as an update that changes
 * nothing, so that seqs stay contiguous. History is copied here and left as it is: nothing can stand in for it.
 *
 * Bytes are taken away only while the store still has exactly those that were judged: what this process read wrongly, or
 * what somebody replaced meanwhile, stays. Keeping is done beside the load that found the damage, which never fails by it.
 */

import { emptyUpdate } from '../base/empty-update.ts'
import type { Logger } from '../base/log.ts'
import type { BoardId } from '../contract/board-id.ts'
import { limitLockWait } from './board-log.ts'
import type { Database, Sql } from './database.ts'
import { checksumOfRow } from './row-checksum.ts'

export type CorruptionKind = 'snapshot' | 'row' | 'history'

export type Corruption =
  /** `digest`: SHA-256 of the bytes as they were read. */
  | { kind: 'snapshot'; seq: number; digest: Uint8Array; reason: string }
  /** `decodes`: it can be decoded, but not applied, for example because another row is damaged. It stays in the log. */
  | { kind: 'row'; seq: number; data: Uint8Array; reason: string; decodes: boolean }
  /** `seq`: of the first row in it. */
  | { kind: 'history'; seq: number; data: Uint8Array; reason: string }

export class Quarantine {
  readonly #database: Database
  readonly #log: Logger
  readonly #count: (kind: CorruptionKind) => void
  #work: Promise<void> = Promise.resolve()

  /** @param count hears of each corruption found, once */
  constructor(database: Database, log: Logger, count: (kind: CorruptionKind) => void) {
    this.#database = database
    this.#log = log
    this.#count = count
  }

  /** Keeps them, one after the other, without anybody waiting for it. */
  keep(board: BoardId, corruptions: readonly Corruption[]): void {
    for (const corruption of corruptions) {
      this.#work = this.#work.then(() => this.#keepOne(board, corruption))
    }
  }

  /** Resolves when all that was found so far is kept, or could not be. */
  settled(): Promise<void> {
    return this.#work
  }

  async #keepOne(board: BoardId, corruption: Corruption): Promise<void> {
    try {
      const isNew = await this.#database.transaction(async sql => {
        await limitLockWait(sql)
        return keepIn(sql, board, corruption)
      })
      if (isNew) this.tell(board, corruption)
    } catch (error) {
      this.tell(board, corruption, error)
    }
  }

  /** Counts and logs what was found. @param error why it could not be kept */
  tell(board: BoardId, { kind, seq, reason }: Corruption, error?: unknown): void {
    this.#count(kind)
    const outcome = error === undefined ? 'is in quarantine' : 'could not be put into quarantine'
    this.#log.error({ board, kind, seq, reason, err: error }, `corrupt ${kind} ${outcome}`)
  }
}

/** Within a transaction. @returns false when these bytes were there already, or are not what the store has */
export async function keepIn(sql: Sql, board: BoardId, corruption: Corruption): Promise<boolean> {
  const { kind, seq, reason } = corruption
  if (kind === 'snapshot') {
    const moved = await sql.query(
      `WITH taken AS (
         DELETE FROM boardsync.canvas_snapshots WHERE board_id = $1 AND seq = $2 AND sha256(state) = $3 RETURNING state
       )
       INSERT INTO boardsync.quarantine (board_id, kind, seq, data, reason)
       SELECT $1, 'snapshot', $2, state, $4 FROM taken
       ON CONFLICT (board_id, kind, seq, sha256(data)) DO NOTHING RETURNING id`,
      [board, seq, corruption.digest, reason],
    )
    return moved.length > 0
  }
  const kept = await sql.query(
    `INSERT INTO boardsync.quarantine (board_id, kind, seq, data, reason) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (board_id, kind, seq, sha256(data)) DO NOTHING RETURNING id`,
    [board, kind, seq, corruption.data, reason],
  )
  if (kind === 'row' && !corruption.decodes) {
    await sql.query(
      'UPDATE boardsync.board_updates SET data = $4, checksum = $5 WHERE board_id = $1 AND seq = $2 AND data = $3',
      [board, seq, corruption.data, emptyUpdate, checksumOfRow(emptyUpdate)],
    )
  }
  return kept.length > 0
}
