/**
 * The embedded Postgres (PGlite) behind the database port: one process, one connection, nothing to install.
 *
 * Where Postgres panics (it cannot write its own log: a full disk), PGlite fails one query and never answers another. Such a
 * database is given up: what was asked of it fails as `unavailable`, and it is opened anew, which recovers it as after a
 * crash, until that succeeds.
 */
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { ConfigurationError, StorageError } from '../base/errors.ts'
import type { Logger } from '../base/log.ts'
import { lockDataDirectory } from './data-directory-lock.ts'
import type { Database, Isolation, Row, Sql } from './database.ts'
import { failureOfSqlState } from './sql-state.ts'

export interface EmbeddedDatabase extends Database {
  /** Runs several statements, which a query cannot. */
  exec(sql: string): Promise<void>
}

type OpenPGlite = (dataDir: string) => Promise<PGlite>

const openPGlite: OpenPGlite = dataDir => PGlite.create({ dataDir })
/** Tried again after this long, then after twice as long each time, up to the longest: each try costs memory. */
const [reopenAfterMs, reopenAfterAtMostMs] = [500, 16_000]

interface EmbeddedOptions {
  open?: OpenPGlite
  begin?: BeginDatabase
}

/** Puts a database into a data directory that has none; without it, PGlite makes an empty one in place. */
export type BeginDatabase = (directory: string, log: Logger) => Promise<void>

/** Where the database is in a data directory. */
export const databaseIn = (directory: string): string => join(directory, 'postgres')

/**
 * Opens (and at first creates) the database in `directory`, which then belongs to this process alone.
 * @throws ConfigurationError when another process has it, or no process can
 */
export async function openEmbedded(
  directory: string,
  log: Logger,
  { open = openPGlite, begin }: EmbeddedOptions = {},
): Promise<EmbeddedDatabase> {
  await mkdir(directory, { recursive: true }).catch(error => {
    throw new ConfigurationError([`DATA_DIR: ${directory} cannot be used: ${error.message}`])
  })
  const unlock = await lockDataDirectory(directory)
  const reopen = () => open(databaseIn(directory))
  try {
    if (begin && !existsSync(databaseIn(directory))) await begin(directory, log)
    return new Embedded(new Life(await reopen()), reopen, unlock, log)
  } catch (error) {
    await unlock()
    throw error
  }
}

/** The database from one opening to its end. */
class Life {
  readonly database: PGlite
  /** Rejects at the end, also for those whose query will never be answered. */
  readonly ended: Promise<never>
  end: (reason: unknown) => void = () => {}

  constructor(database: PGlite) {
    this.database = database
    this.ended = new Promise((_resolve, reject) => {
      this.end = reason => reject(unavailable('the embedded database ended', reason))
    })
    this.ended.catch(() => {}) // heard by whoever waits for an answer, where somebody does
  }
}

class Embedded implements EmbeddedDatabase {
  readonly #reopen: () => Promise<PGlite>
  readonly #unlock: () => Promise<void>
  readonly #log: Logger
  #life: Life | undefined
  #reopening: Promise<void> = Promise.resolve()
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(life: Life, reopen: () => Promise<PGlite>, unlock: () => Promise<void>, log: Logger) {
    this.#life = life
    this.#reopen = reopen
    this.#unlock = unlock
    this.#log = log
  }

  query<R = Row>(text: string, parameters: readonly unknown[] = []): Promise<R[]> {
    return this.#living(async life => (await life.database.query<R>(text, [...parameters])).rows)
  }

  async transaction<T>(work: (sql: Sql) => Promise<T>, isolation: Isolation = 'READ COMMITTED'): Promise<T> {
    let thrown: { error: unknown } | undefined
    const done = await this.#living(life =>
      life.database.transaction(async transaction => {
        await transaction.query(`SET TRANSACTION ISOLATION LEVEL ${isolation}`)
        const query = async <R>(text: string, parameters: readonly unknown[] = []) => {
          const asked = transaction.query<R>(text, [...parameters])
          const answer = await Promise.race([asked, life.ended]).catch(error => this.#fail(life, error))
          return answer.rows
        }
        try {
          return { result: await work({ query }) }
        } catch (error) {
          thrown = { error }
          await transaction.rollback()
          return undefined
        }
      }),
    ).catch(error => {
      // What `work` threw says more than that the rollback after it failed too.
      throw thrown ? thrown.error : error
    })
    if (done) return done.result
    throw thrown?.error
  }

  async exec(sql: string): Promise<void> {
    await this.#living(life => life.database.exec(sql))
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#reopening
    try {
      const life = this.#life
      if (life) await Promise.race([life.database.close(), life.ended])
    } finally {
      await this.#unlock()
    }
  }

  async #living<T>(ask: (life: Life) => Promise<T>): Promise<T> {
    const life = this.#life
    if (!life) throw unavailable('the embedded database ended and is opened anew')
    return Promise.race([ask(life), life.ended]).catch(error => this.#fail(life, error))
  }

  #fail(life: Life, error: unknown): never {
    if (error instanceof StorageError) throw error
    if (isSqlError(error) && error.severity !== 'PANIC' && error.severity !== 'FATAL') {
      throw new StorageError(failureOfSqlState(error.code), `database: ${error.message}`, { cause: error })
    }
    this.#giveUp(life, error)
    throw unavailable('the embedded database ended', error)
  }

  #giveUp(life: Life, reason: unknown): void {
    life.end(reason)
    if (this.#life !== life || this.#closed) return
    this.#life = undefined
    this.#log.error({ err: reason }, 'the embedded database ended (is the disk full?); it is opened anew')
    this.#openSoon(0, reopenAfterMs)
  }

  #openSoon(afterMs: number, thenMs: number): void {
    this.#timer = setTimeout(() => {
      this.#reopening = this.#openAnew(thenMs)
    }, afterMs)
  }

  async #openAnew(againMs: number): Promise<void> {
    try {
      this.#life = new Life(await this.#reopen())
      this.#log.info('the embedded database is open again')
    } catch (error) {
      this.#log.error({ err: error }, 'the embedded database cannot be opened again yet')
      if (!this.#closed) this.#openSoon(againMs, Math.min(2 * againMs, reopenAfterAtMostMs))
    }
  }
}

interface SqlError extends Error {
  code: string
  severity: string
}

function isSqlError(error: unknown): error is SqlError {
  return error instanceof Error && 'severity' in error && 'code' in error && typeof error.code === 'string'
}

function unavailable(what: string, cause?: unknown): StorageError {
  const why = cause instanceof Error ? `: ${cause.message}` : ''
  return new StorageError('unavailable', `database: ${what}${why}`, { cause })
}
