/**
 * A Postgres server behind the database port, through `pg`; also one behind a transaction pooler.
 *
 * Time limits of the server's go out with the start of a session, which costs nothing. Poolers refuse or ignore that, so a
 * transaction sets them again for itself, in the message that begins it. Prepared statements belong to a session too:
 * transactions use none, and where a pooler hands single statements to sessions that lack them, none are used any more.
 */
import { crc32 } from 'node:zlib'
import pg from 'pg'
import { StorageError, type StorageFailure } from '../base/errors.ts'
import type { Logger } from '../base/log.ts'
import type { Secret } from '../base/secret.ts'
import { type Database, type Isolation, idleInTransactionMs, type Sql } from './database.ts'
import { encodeParameter } from './parameter-encoding.ts'
import { PreparedStatement } from './prepared-statement.ts'
import { failureOfSqlState } from './sql-state.ts'

const int8 = 20
const types = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    oid === int8 ? Number : pg.types.getTypeParser(oid, format as 'text'),
} as pg.CustomTypesConfig
/** The server gives up on a statement first; the client's own limit is for a server that no longer answers. */
const statementTimeoutMs = 8_000
const defaultQueryTimeoutMs = 10_000
const connectTimeoutMs = 3_000
const defaultConnections = 10

const beginTransaction = (isolation: Isolation): string => `
  BEGIN ISOLATION LEVEL ${isolation};
  SET LOCAL statement_timeout = ${statementTimeoutMs};
  SET LOCAL idle_in_transaction_session_timeout = ${idleInTransactionMs}`

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
    idle_in_transaction_session_timeout: idleInTransactionMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 5_000,
    application_name: 'boardsync',
    types,
  })
  let prepares = true
  /** Runs what begins with a connection, once more if that is refused for the time limits sent along. */
  const connected = <T>(work: () => Promise<T>): Promise<T> =>
    work().catch(error => {
      if (!refusesTimeLimits(error)) throw error
      if (pool.options.statement_timeout) {
        log.info('the database takes no time limits from a session (a pooler?); only transactions are limited')
      }
      pool.options.statement_timeout = false
      delete pool.options.idle_in_transaction_session_timeout
      return work()
    })
  // An idle connection that breaks is replaced at the next query; unheard, the event would end the process.
  // Its message only: the error has the whole client with it.
  pool.on('error', error => log.warn({ reason: error.message }, 'lost an idle database connection'))

  return {
    query: <R>(text: string, parameters?: readonly unknown[], name?: string) =>
      connected(async () => {
        if (name === undefined || !prepares) return ask<R>(pool, text, parameters)
        try {
          return await askPrepared<R>(pool, name, text, parameters)
        } catch (error) {
          // Its connection is gone: the pool keeps none on which something failed, and the next prepares it anew.
          if (hasOtherColumns(error)) return ask<R>(pool, text, parameters)
          if (!lacksPrepared(error)) throw error
          if (prepares) log.info('the database keeps no prepared statements for a session (a pooler?); none are used')
          prepares = false
          return ask<R>(pool, text, parameters)
        }
      }),

    async transaction<T>(work: (sql: Sql) => Promise<T>, isolation: Isolation = 'READ COMMITTED'): Promise<T> {
      const client = await connected(() => pool.connect().catch(rethrow))
      // A connection cut inside the transaction fails the running query too, which is where it is handled.
      const onError = (error: Error) => log.warn({ err: error }, 'lost a database connection in a transaction')
      client.on('error', onError)
      let broken: Error | undefined
      try {
        await ask(client, beginTransaction(isolation))
        const result = await work({ query: (text, parameters) => ask(client, text, parameters) })
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
): Promise<R[]> {
  const values = parameters.map(encodeParameter)
  try {
    const result = await client.query({ text, values })
    return result.rows as R[]
  } catch (error) {
    return rethrow(error)
  }
}

async function askPrepared<R>(
  pool: pg.Pool,
  name: string,
  text: string,
  parameters: readonly unknown[] = [],
): Promise<R[]> {
  const statement = new PreparedStatement<R>(statementName(name, text), text, parameters, types)
  try {
    return await statement.run(pool)
  } catch (error) {
    return rethrow(error)
  }
}

/** By the text, of which there are a few dozen. */
const statementNames = new Map<string, string>()

/** Tells of its text: behind a pooler another version's statement may have the same name. */
function statementName(name: string, text: string): string {
  let full = statementNames.get(text)
  if (full === undefined) {
    full = `${name}-${crc32(text).toString(36)}`
    statementNames.set(text, full)
  }
  return full
}

function rethrow(error: unknown): never {
  throw new StorageError(failureOf(error), `database: ${asError(error).message}`, { cause: error })
}

function failureOf(error: unknown): StorageFailure {
  // A failure without an SQLSTATE comes from the connection or from the client's own time limit.
  return error instanceof pg.DatabaseError && error.code !== undefined ? failureOfSqlState(error.code) : 'unavailable'
}

/** Invalid or duplicate prepared statement. Nothing was done. */
const statesWithoutPrepared = ['26000', '42P05']

const lacksPrepared = (error: unknown): boolean =>
  error instanceof StorageError && statesWithoutPrepared.includes(sqlStateOf(error.cause))

/** "cached plan must not change result type", as after a migration. Nothing was done. */
const hasOtherColumns = (error: unknown): boolean =>
  error instanceof StorageError && sqlStateOf(error.cause) === '0A000'

const refusesTimeLimits = (error: unknown): boolean =>
  error instanceof StorageError && sqlStateOf(error.cause) === '08P01' && /startup parameter/.test(error.message)

const sqlStateOf = (error: unknown): string => (error instanceof pg.DatabaseError && error.code) || ''

const isUnavailable = (error: unknown): error is StorageError =>
  error instanceof StorageError && error.failure === 'unavailable'

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)))
