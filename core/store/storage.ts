/** Opens the store that the settings name: connected, migrated, and split into what each part of boardsync uses of it. */
import type { Config } from '../base/config.ts'
import { describeError } from '../base/describe-error.ts'
import { ConfigurationError } from '../base/errors.ts'
import type { Logger } from '../base/log.ts'
import { ApiKeys } from './api-keys.ts'
import { AssetStore } from './asset-store.ts'
import { BoardArchive } from './board-archive.ts'
import { BoardDirectory } from './board-directory.ts'
import { BoardLog } from './board-log.ts'
import { BoardPast } from './board-past.ts'
import { ChangeOutbox } from './change-outbox.ts'
import type { Database } from './database.ts'
import { type BeginDatabase, openEmbedded } from './embedded.ts'
import { beginEmpty } from './empty-database.ts'
import { Endings } from './endings.ts'
import { KeptAnswers } from './kept-answers.ts'
import { migrateEmbedded, migratePostgres, refuseNewerSchema } from './migrate.ts'
import { connectPostgres } from './postgres.ts'
import type { CorruptionKind } from './quarantine.ts'
import { refuseUnfitSettings } from './server-settings.ts'
import { Sessions } from './sessions.ts'
import { Tickets } from './tickets.ts'

/** What a class offers, so that something else can stand in for it. */
type Public<T> = Pick<T, keyof T>

export interface Storage {
  boards: Public<BoardLog>
  archive: Pick<BoardArchive, 'read' | 'save' | 'pack'>
  changes: Public<ChangeOutbox>
  directory: Public<BoardDirectory>
  answers: Public<KeptAnswers>
  assets: Public<AssetStore>
  past: Public<BoardPast>
  keys: Public<ApiKeys>
  tickets: Public<Tickets>
  sessions: Public<Sessions>
  endings: Public<Endings>
  /** Resolves when the database answers. @throws StorageError */
  ping(): Promise<void>
  close(): Promise<void>
}

type StorageSettings = Pick<Config, 'DATABASE_URL' | 'MIGRATION_DATABASE_URL' | 'DATA_DIR' | 'HISTORY_DAYS'>

/** @throws ConfigurationError when the database cannot be used: in use, not to be reached, of a newer version */
export async function openStorage(
  settings: StorageSettings,
  log: Logger,
  countCorruption?: (kind: CorruptionKind) => void,
): Promise<Storage> {
  const { database, commits } = await openMigrated(settings, log, beginEmpty)
  return storageOn(database, settings.HISTORY_DAYS, log, countCorruption, commits)
}

/**
 * A crowd that opens boards or reads them over REST may take every connection for seconds. Edits do not wait behind it, nor does
 * it look like an outage: the two lanes of the committer and the probe have connections of their own.
 */
const connections = { forCommits: 3, forAllElse: 7 }

/**
 * The store on a database that is open and migrated.
 * @param countCorruption hears of each corruption found, once
 * @param commits the same database, where commits have connections of their own
 */
export function storageOn(
  database: Database,
  historyDays: number,
  log: Logger,
  countCorruption?: (kind: CorruptionKind) => void,
  commits: Database = database,
): Storage {
  const archive = new BoardArchive(database, log, historyDays, countCorruption)
  return {
    boards: new BoardLog(database, commits),
    archive,
    changes: new ChangeOutbox(database),
    directory: new BoardDirectory(database),
    answers: new KeptAnswers(database),
    assets: new AssetStore(database),
    past: new BoardPast(database, historyDays),
    keys: new ApiKeys(database),
    tickets: new Tickets(database),
    sessions: new Sessions(database),
    endings: new Endings(database),
    async ping() {
      await commits.query('SELECT 1')
    },
    async close() {
      await archive.settled()
      await Promise.all([...new Set([database, commits])].map(one => one.close()))
    },
  }
}

/**
 * Brings the store that the settings name to this version's schema, and closes it again. On a server only the address for
 * migrations is used: what the role in `DATABASE_URL` needs can be granted to it only when the tables are there.
 * @returns names of the migrations that were run
 */
export async function migrateStorage(settings: StorageSettings, log: Logger): Promise<string[]> {
  const { DATABASE_URL, MIGRATION_DATABASE_URL } = settings
  const { database, migrations } = await openMigrated(
    { ...settings, DATABASE_URL: MIGRATION_DATABASE_URL ?? DATABASE_URL },
    log,
  )
  await database.close()
  return migrations
}

async function openMigrated(settings: StorageSettings, log: Logger, begin?: BeginDatabase): Promise<Migrated> {
  if (settings.DATABASE_URL === undefined) {
    return blaming('DATA_DIR', async () => {
      const embedded = await openEmbedded(settings.DATA_DIR, log, begin ? { begin } : {})
      return closingOnFailure(embedded, async () => {
        const migrations = await migrateEmbedded(embedded, log)
        await refuseNewerSchema(embedded)
        return { database: embedded, commits: embedded, migrations }
      })
    })
  }
  const { DATABASE_URL: url, MIGRATION_DATABASE_URL: migrationUrl } = settings
  const migrations = await blaming(migrationUrl ? 'MIGRATION_DATABASE_URL' : 'DATABASE_URL', () =>
    migratePostgres(migrationUrl ?? url, log),
  )
  const database = connectPostgres(url, log, { connections: connections.forAllElse })
  return blaming('DATABASE_URL', () =>
    closingOnFailure(database, async () => {
      await refuseUnfitSettings(database)
      await refuseNewerSchema(database)
      const commits = connectPostgres(url, log, { connections: connections.forCommits })
      return { database, commits, migrations }
    }),
  )
}

/** Puts whatever fails down to the setting behind it: hardly any failure of a database says what it is about. */
async function blaming<T>(setting: keyof StorageSettings, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof ConfigurationError) throw error
    throw new ConfigurationError([`${setting}: the database cannot be used: ${describeError(error)}`], { cause: error })
  }
}

interface Migrated {
  database: Database
  /** Connects when it is first used. */
  commits: Database
  migrations: string[]
}

async function closingOnFailure<T>(database: Database, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    await database.close()
    throw error
  }
}
