/**
 * The database port: the few verbs that the SQL of this folder needs, so that the same SQL runs on a Postgres server
 * (`postgres.ts`) and on the embedded one (`embedded.ts`). One contract suite runs against both.
 */

/** A row as both drivers give it: int8 as a number (all of ours stay below 2^53), bytea as bytes, timestamptz as Date. */
export type Row = Record<string, unknown>

export interface Sql {
  /**
   * Runs one statement. `name` marks a statement worth preparing.
   * @throws StorageError
   */
  query<R = Row>(text: string, parameters?: readonly unknown[], name?: string): Promise<R[]>
}

/** A transaction in which nothing is asked for so long is ended by the server. */
export const idleInTransactionMs = 5_000

export interface Database extends Sql {
  /**
   * Runs `work` in one transaction on one connection: committed when it resolves, rolled back when it throws.
   * `work` may use nothing but the `sql` it is handed (the embedded database has a single connection).
   * @throws StorageError; `unavailable` leaves open whether the transaction was committed
   */
  transaction<T>(work: (sql: Sql) => Promise<T>, isolation?: Isolation): Promise<T>
  close(): Promise<void>
}

export type Isolation = 'READ COMMITTED' | 'REPEATABLE READ'
