/**
 * The empty embedded database, made once per version of PGlite and set of migrations: a new data directory begins as a copy of
 * it, in half a second instead of the three or more that initdb and the migrations take.
 */
import { createHash } from 'node:crypto'
import { cp, readdir, readFile, rename, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { describeError } from '../base/describe-error.ts'
import type { Logger } from '../base/log.ts'
import { ensureMade } from '../base/made-folder.ts'
import { databaseIn, openEmbedded } from './embedded.ts'
import { migrateEmbedded, migrationsDirectory } from './migrate.ts'

/**
 * Puts the empty database into a data directory that has none: a copy of the one that is kept, or where none can be (a read-only
 * installation) one made for it.
 * @param keptIn another folder than `dist` to keep it in
 */
export async function beginEmpty(directory: string, log: Logger, keptIn?: string): Promise<void> {
  const made = await emptyDatabase(log, keptIn).catch(error => {
    log.debug({ reason: describeError(error) }, 'no empty database is kept to begin with')
  })
  // Renamed when complete: one that was broken off never passes for a database.
  const part = `${databaseIn(directory)}.part`
  await rm(part, { recursive: true, force: true })
  if (made === undefined) await makeEmpty(part, log)
  else await cp(made, part, { recursive: true })
  await rename(databaseIn(part), databaseIn(directory))
  await rm(part, { recursive: true })
}

/** @param folder becomes a data directory */
async function makeEmpty(folder: string, log: Logger): Promise<void> {
  const database = await openEmbedded(folder, log)
  try {
    await migrateEmbedded(database, log)
  } finally {
    await database.close()
  }
}

async function emptyDatabase(log: Logger, keptIn?: string): Promise<string> {
  return ensureMade('database', await hashOfSources(), folder => makeEmpty(folder, log), keptIn)
}

/** Of all that goes into it. PGlite's package names its version. */
async function hashOfSources(): Promise<string> {
  const pglite = join(dirname(createRequire(import.meta.url).resolve('@electric-sql/pglite')), '../package.json')
  const migrations = (await readdir(migrationsDirectory)).filter(file => file.endsWith('.sql')).sort()
  const hash = createHash('sha256').update(await readFile(pglite))
  for (const file of migrations) {
    hash
      .update(`${file}\0`)
      .update(await readFile(join(migrationsDirectory, file)))
      .update('\0')
  }
  return hash.digest('hex')
}
