/** `npm run migrate`: brings the database that the settings name to this version's schema, without starting a server. */
import { readConfig } from '../core/base/config.ts'
import { createLogger } from '../core/base/log.ts'
import { migrateStorage } from '../core/store/storage.ts'

async function run(): Promise<void> {
  const config = readConfig()
  const done = await migrateStorage(config, createLogger(config.LOG_LEVEL))
  const database = config.DATABASE_URL === undefined ? `the embedded database in ${config.DATA_DIR}` : 'the database'
  if (done.length === 0) console.log(`boardsync: ${database} is up to date`)
  else console.log(`boardsync: migrated ${database}: ${done.join(', ')}`)
}

run().catch((error: unknown) => {
  console.error(`boardsync: ${describe(error)}`)
  process.exitCode = 1
})

/** A connection that every address of a host refused comes as a list without a message of its own. */
function describe(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(describe).join('; ')
  return error instanceof Error ? error.message : String(error)
}
