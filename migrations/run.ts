/** `npm run migrate`: brings the database that the settings name to this version's schema, without starting a server. */
import { readConfig } from '../core/base/config.ts'
import { describeError } from '../core/base/describe-error.ts'
import { createLogger } from '../core/base/log.ts'
import { migrateStorage } from '../core/store/storage.ts'

async function run(): Promise<void> {
  const config = readConfig(undefined, { listens: false })
  const done = await migrateStorage(config, createLogger(config.LOG_LEVEL))
  const database = config.DATABASE_URL === undefined ? `the embedded database in ${config.DATA_DIR}` : 'the database'
  if (done.length === 0) console.log(`boardsync: ${database} is up to date`)
  else console.log(`boardsync: migrated ${database}: ${done.join(', ')}`)
}

run().catch((error: unknown) => {
  console.error(`boardsync: ${describeError(error)}`)
  process.exitCode = 1
})
