/**
 * What writes with an Idempotency-Key were answered, for a day. An answer is kept in the transaction of what it tells of:
 * either both are there or neither. Item changes have theirs in their own row; here they only take the key (`claimKey`).
 */
import type { Database, Sql } from './database.ts'

const keptHours = 24

export interface KeyedRequest {
  /** The board it is about; '' where it is about none. Keys are apart per board and subject. */
  scope: string
  subject: string
  key: string
  /** Tells a repeat from another request under the same key. */
  hash: string
}

export type Once<T> =
  | { kind: 'done'; result: T }
  /** It was done before, and answered this. */
  | { kind: 'repeated'; answer: string }
  /** The key came with another request. */
  | { kind: 'reused' }

export class KeptAnswers {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /**
   * Does `work` in a transaction, once per key. Requests that come together wait for the first.
   * @param request undefined: it came without a key, and nothing is kept
   * @param work what it throws undoes everything, and leaves the key free
   * @param answerOf the answer to keep, as text
   */
  once<T>(
    request: KeyedRequest | undefined,
    work: (sql: Sql) => Promise<T>,
    answerOf: (result: T) => string,
  ): Promise<Once<T>> {
    return this.#database.transaction(async sql => {
      if (!request) return { kind: 'done', result: await work(sql) }
      const before = await claim(sql, request)
      if (before) {
        return before.request_hash === request.hash && before.answer !== null
          ? { kind: 'repeated', answer: before.answer }
          : { kind: 'reused' }
      }
      const result = await work(sql)
      await sql.query(
        'UPDATE boardsync.kept_answers SET answer = $4 WHERE scope = $1 AND subject = $2 AND idempotency_key = $3',
        [...nameOf(request), answerOf(result)],
      )
      return { kind: 'done', result }
    })
  }

  async forgetOld(): Promise<void> {
    await this.#database.query(
      `DELETE FROM boardsync.kept_answers WHERE created_at < now() - ${keptHours} * interval '1 hour'`,
    )
  }
}

/** Thrown out of the transaction that asked for the key: it undoes everything. */
export class KeyReused extends Error {
  override readonly name = 'KeyReused'
}

/**
 * Takes the key for a write whose answer is kept elsewhere. Of requests that come together others wait until this transaction
 * is over.
 * @throws KeyReused when it came with another request
 */
export async function claimKey(sql: Sql, request: KeyedRequest): Promise<void> {
  const before = await claim(sql, request)
  if (before && before.request_hash !== request.hash) throw new KeyReused('this key came with another request')
}

/** @returns what is kept under this key already; undefined: it is this request's now. Item changes keep no answer here */
async function claim(
  sql: Sql,
  request: KeyedRequest,
): Promise<{ request_hash: string; answer: string | null } | undefined> {
  const claimed = await sql.query(
    `INSERT INTO boardsync.kept_answers (scope, subject, idempotency_key, request_hash) VALUES ($1, $2, $3, $4)
     ON CONFLICT (scope, subject, idempotency_key)
     DO UPDATE SET request_hash = excluded.request_hash, answer = NULL, created_at = now()
     WHERE kept_answers.created_at < now() - ${keptHours} * interval '1 hour'
     RETURNING idempotency_key`,
    [...nameOf(request), request.hash],
  )
  if (claimed.length > 0) return undefined
  const [kept] = await sql.query<{ request_hash: string; answer: string | null }>(
    `SELECT request_hash, answer FROM boardsync.kept_answers
     WHERE scope = $1 AND subject = $2 AND idempotency_key = $3`,
    nameOf(request),
  )
  if (!kept) throw new Error('a kept answer vanished')
  return kept
}

const nameOf = ({ scope, subject, key }: KeyedRequest): string[] => [scope, subject, key]
