/** Brings the database to the schema this version knows: numbered SQL files, forward only, one process at a time. */
import { readdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { runner } from 'node-pg-migrate'
import type pg from 'pg'
import type { Logger } from '../base/log.ts'
import type { Secret } from '../base/secret.ts'
import type { Database } from './database.ts'
import type { EmbeddedDatabase } from './embedded.ts'

export const migrationsDirectory = fileURLToPath(new URL('../../migrations', import.meta.url))
const migrationsTable = 'migrations'
const connectTimeoutMs = 10_000

const options = (log: Logger) => ({
  dir: migrationsDirectory,
  ignorePattern: '(?!.*\\.sql$).*',
  direction: 'up' as const,
  migrationsTable,
  migrationsSchema: 'boardsync',
  createMigrationsSchema: true,
  schema: 'boardsync',
  createSchema: true,
  logger: {
    debug: (line: string) => log.debug(line),
    info: (line: string) => log.debug(line),
    warn: (line: string) => log.warn(line),
    error: (line: string) => log.error(line),
  },
})

/**
 * @param url goes straight to the server: the lock is a session lock, which a transaction pooler would break
 * @returns names of the migrations that were run
 */
export async function migratePostgres(url: Secret, log: Logger): Promise<string[]> {
  const connection = { connectionString: url.reveal(), connectionTimeoutMillis: connectTimeoutMs }
  return namesOf(await runner({ ...options(log), databaseUrl: connection, advisoryLockMode: 'wait' }))
}

/** The embedded database belongs to this process alone: no lock. */
export async function migrateEmbedded(database: EmbeddedDatabase, log: Logger): Promise<string[]> {
  // What node-pg-migrate asks of a client. A migration holds several statements, which only `exec` takes.
  const client = {
    connection: undefined,
    async query(query: string | { text: string; values?: unknown[] }, values?: unknown[]) {
      const text = typeof query === 'string' ? query : query.text
      const parameters = typeof query === 'string' ? values : query.values
      if (parameters === undefined && /;\s*\S/.test(text)) {
        await database.exec(text)
        return { rows: [], rowCount: 0 }
      }
      const rows = await database.query(text, parameters)
      return { rows, rowCount: rows.length }
    },
  }
  const done = await runner({ ...options(log), dbClient: client as unknown as pg.ClientBase, noLock: true })
  // It goes on in this same session: a table named without its schema shall fail here as it does on a server.
  await database.query('RESET search_path')
  return namesOf(done)
}

const namesOf = (migrations: readonly { name: string }[]) => migrations.map(({ name }) => name)

/** @throws Error when the database was migrated by a version newer than this one */
export async function refuseNewerSchema(database: Database): Promise<void> {
  const known = new Set(
    (await readdir(migrationsDirectory)).filter(file => file.endsWith('.sql')).map(file => file.slice(0, -4)),
  )
  const done = await database.query<{ name: string }>(`SELECT name FROM boardsync.${migrationsTable}`)
  const newer = done.map(row => row.name).filter(name => !known.has(name))
  if (newer.length > 0) {
    throw new Error(
      `the database was migrated by a newer version of boardsync (${newer.join(', ')}); start that version or a newer one`,
    )
  }
}
