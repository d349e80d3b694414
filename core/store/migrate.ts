/** Brings the database to the schema this version knows: numbered SQL files, forward only, one process at a time. */
import { readdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { runner } from 'node-pg-migrate'
import pg from 'pg'
import type { Logger } from '../base/log.ts'
import type { Secret } from '../base/secret.ts'
import type { Database } from './database.ts'
import type { EmbeddedDatabase } from './embedded.ts'

export const migrationsDirectory = fileURLToPath(new URL('../../migrations', import.meta.url))
const migrationsTable = 'migrations'
const connectTimeoutMs = 10_000
const toldToWaitAfterMs = 2_000

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
 * Where nothing is left to do, nothing is done: a role that may change no schema can start what was migrated before.
 * @param url goes straight to the server: the lock is a session lock, which a transaction pooler would break
 * @returns names of the migrations that were run
 */
export async function migratePostgres(url: Secret, log: Logger): Promise<string[]> {
  const client = new pg.Client({ connectionString: url.reveal(), connectionTimeoutMillis: connectTimeoutMs })
  client.on('error', error => log.debug({ reason: error.message }, 'the connection for migrations was lost')) // fails what is asked
  const telling = setTimeout(() => log.info('migrating the database, or waiting for who does'), toldToWaitAfterMs)
  try {
    await client.connect()
    if (await isMigrated(client)) return []
    // A migration takes as long as it takes, and so does waiting for another's.
    await client.query('SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0')
    return namesOf(await runner({ ...options(log), dbClient: client, advisoryLockMode: 'wait' }))
  } finally {
    clearTimeout(telling)
    await client.end()
  }
}

async function isMigrated(client: pg.Client): Promise<boolean> {
  const table = `boardsync.${migrationsTable}`
  const { rows: tables } = await client.query('SELECT 1 WHERE to_regclass($1) IS NOT NULL', [table])
  if (tables.length === 0) return false
  const { rows } = await client.query<{ name: string }>(`SELECT name FROM ${table}`)
  const done = new Set(rows.map(({ name }) => name))
  return [...(await knownMigrations())].every(name => done.has(name))
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

const knownMigrations = async (): Promise<Set<string>> =>
  new Set((await readdir(migrationsDirectory)).filter(file => file.endsWith('.sql')).map(file => file.slice(0, -4)))

/** @throws Error when the database was migrated by a version newer than this one */
export async function refuseNewerSchema(database: Database): Promise<void> {
  const known = await knownMigrations()
  const done = await database.query<{ name: string }>(`SELECT name FROM boardsync.${migrationsTable}`)
  const newer = done.map(row => row.name).filter(name => !known.has(name))
  if (newer.length > 0) {
    throw new Error(
      `the database was migrated by a newer version of boardsync (${newer.join(', ')}); start that version or a newer one`,
    )
  }
}
