/** A Postgres server behind the database port, through `pg`. */
import pg from 'pg'
import { StorageError, type StorageFailure } from '../base/errors.ts'
import type { Logger } from '../base/log.ts'
import type { Secret } from '../base/secret.ts'
import type { Database, Isolation, Sql } from './database.ts'
import { failureOfSqlState } from './sql-state.ts'

const int8 = 20
/** The server gives up on a statement first; the client's own limit is for a server that no longer answers. */
const statementTimeoutMs = 8_000
const defaultQueryTimeoutMs = 10_000
const idleInTransactionTimeoutMs = 5_000
const connectTimeoutMs = 3_000
const defaultConnections = 10

interface PostgresLimits {
  connections?: number
  queryTimeoutMs?: number
}

/** Connects lazily: a database that is down shows at the first query, as `unavailable`. */
export function connectPostgres(url: Secret, log: Logger, limits: PostgresLimits = {}): Database {
  const { connections = defaultConnections, queryTimeoutMs = defaultQueryTimeoutMs } = limits
  const pool = new pg.Pool({
    connectionString: url.reveal(),
    max: connections,
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: queryTimeoutMs,
    statement_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: idleInTransactionTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 5_000,
    application_name: 'boardsync',
    types: {
      getTypeParser: (oid: number, format?: 'text' | 'binary') =>
        oid === int8 ? Number : pg.types.getTypeParser(oid, format as 'text'),
    } as pg.CustomTypesConfig,
  })
  // An idle connection that breaks is replaced at the next query; unheard, the event would end the process.
  pool.on('error', error => log.warn({ err: error }, 'lost an idle database connection'))

  return {
    query: (text, parameters, name) => ask(pool, text, parameters, name),

    async transaction<T>(work: (sql: Sql) => Promise<T>, isolation: Isolation = 'READ COMMITTED'): Promise<T> {
      const client = await pool.connect().catch(rethrow)
      // A connection cut inside the transaction fails the running query too, which is where it is handled.
      const onError = (error: Error) => log.warn({ err: error }, 'lost a database connection in a transaction')
      client.on('error', onError)
      let broken: Error | undefined
      try {
        await ask(client, `BEGIN ISOLATION LEVEL ${isolation}`)
        const result = await work({ query: (text, parameters, name) => ask(client, text, parameters, name) })
        await ask(client, 'COMMIT')
        return result
      } catch (error) {
        // A connection that answers no more, or not even to a rollback, is in a state unknown: it is not used again.
        broken = isUnavailable(error) ? error : await client.query('ROLLBACK').then(() => undefined, asError)
        throw error
      } finally {
        client.off('error', onError)
        client.release(broken)
      }
    },

    close: () => pool.end(),
  }
}

async function ask<R>(
  client: pg.Pool | pg.ClientBase,
  text: string,
  parameters: readonly unknown[] = [],
  name?: string,
): Promise<R[]> {
  try {
    const result = await client.query({ text, values: [...parameters], ...(name === undefined ? {} : { name }) })
    return result.rows as R[]
  } catch (error) {
    return rethrow(error)
  }
}

function rethrow(error: unknown): never {
  throw new StorageError(failureOf(error), `database: ${asError(error).message}`, { cause: error })
}

function failureOf(error: unknown): StorageFailure {
  // A failure without an SQLSTATE comes from the connection or from the client's own time limit.
  return error instanceof pg.DatabaseError && error.code !== undefined ? failureOfSqlState(error.code) : 'unavailable'
}

const isUnavailable = (error: unknown): error is StorageError =>
  error instanceof StorageError && error.failure === 'unavailable'

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)))
