/** The embedded Postgres (PGlite) behind the database port: one process, one connection, nothing to install. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { ConfigurationError, StorageError } from '../base/errors.ts'
import { lockDataDirectory } from './data-directory-lock.ts'
import type { Database, Isolation, Row, Sql } from './database.ts'
import { failureOfSqlState } from './sql-state.ts'

export interface EmbeddedDatabase extends Database {
  /** Runs several statements, which a query cannot. */
  exec(sql: string): Promise<void>
}

/** What a query can be asked of: the database itself or a transaction of it. */
interface Queryable {
  query<R>(text: string, parameters?: unknown[]): Promise<{ rows: R[] }>
}

/**
 * Opens (and at first creates) the database in `directory`, which then belongs to this process alone.
 * @throws ConfigurationError when another process has it, or no process can
 */
export async function openEmbedded(directory: string): Promise<EmbeddedDatabase> {
  await mkdir(directory, { recursive: true }).catch(error => {
    throw new ConfigurationError([`DATA_DIR: ${directory} cannot be used: ${error.message}`])
  })
  const unlock = await lockDataDirectory(directory)
  const database = await PGlite.create({ dataDir: join(directory, 'postgres') }).catch(async error => {
    await unlock()
    throw error
  })

  return {
    query: (text, parameters) => ask(database, text, parameters),

    transaction<T>(work: (sql: Sql) => Promise<T>, isolation: Isolation = 'READ COMMITTED'): Promise<T> {
      return database
        .transaction(async transaction => {
          await transaction.query(`SET TRANSACTION ISOLATION LEVEL ${isolation}`)
          return work({ query: (text, parameters) => ask(transaction, text, parameters) })
        })
        .catch(rethrow) as Promise<T>
    },

    async exec(sql) {
      await database.exec(sql).catch(rethrow)
    },

    async close() {
      try {
        await database.close()
      } finally {
        await unlock()
      }
    },
  }
}

async function ask<R = Row>(database: Queryable, text: string, parameters: readonly unknown[] = []): Promise<R[]> {
  const result = await database.query<R>(text, [...parameters]).catch(rethrow)
  return result.rows
}

function rethrow(error: unknown): never {
  // What `work` itself threw passes as it is.
  if (error instanceof StorageError || !isSqlError(error)) throw error
  throw new StorageError(failureOfSqlState(error.code), `database: ${error.message}`, { cause: error })
}

function isSqlError(error: unknown): error is Error & { code: string } {
  return error instanceof Error && 'severity' in error && 'code' in error && typeof error.code === 'string'
}
