/** A new data directory begins as a copy of the empty database, and is as good as one that was made for it. */

import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { releasing } from '../../test/kit/releasing.ts'
import { silent } from '../../test/kit/site.ts'
import { temporaryFolder } from '../../test/kit/temporary-folder.ts'
import { openEmbedded } from './embedded.ts'
import { beginEmpty } from './empty-database.ts'
import { migrateEmbedded } from './migrate.ts'

const use = releasing()

/** A data directory as a process finds it that opens it, and the migrations that are left to do. */
async function open(directory: string, keptIn: string) {
  const begin = (path: string) => beginEmpty(path, silent, keptIn)
  const database = use(await openEmbedded(directory, silent, { begin }), given => given.close())
  return { database, migrations: await migrateEmbedded(database, silent) }
}

test('a new data directory has the schema of this version from the first moment, and its own content', async () => {
  const { path } = use(temporaryFolder())
  const one = await open(join(path, 'one'), join(path, 'kept'))
  const other = await open(join(path, 'other'), join(path, 'kept'))
  expect([one.migrations, other.migrations]).toEqual([[], []])
  await one.database.query(`INSERT INTO boardsync.boards (id) VALUES ('a')`)
  const boards = () => other.database.query('SELECT id FROM boardsync.boards')
  expect(await boards()).toEqual([])
  expect(await readdir(join(path, 'kept'))).toEqual([expect.stringMatching(/^database-[0-9a-f]{16}$/)])
  await one.database.close()
  const again = await open(join(path, 'one'), join(path, 'kept'))
  expect(await again.database.query('SELECT id FROM boardsync.boards')).toEqual([{ id: 'a' }])
})

test('a copy that was broken off does not pass for a database', async () => {
  const { path } = use(temporaryFolder())
  await mkdir(join(path, 'data', 'postgres.part'), { recursive: true })
  await writeFile(join(path, 'data', 'postgres.part', 'of-before'), 'half')
  const { database } = await open(join(path, 'data'), join(path, 'kept'))
  expect(await database.query('SELECT id FROM boardsync.boards')).toEqual([])
  expect(await readdir(join(path, 'data'))).not.toContain('postgres.part')
  expect(await readdir(join(path, 'data', 'postgres'))).not.toContain('of-before')
})

test('where no empty database can be kept, each data directory gets one of its own', async () => {
  const { path } = use(temporaryFolder())
  await writeFile(join(path, 'a-file'), '')
  const { database, migrations } = await open(join(path, 'data'), join(path, 'a-file', 'kept'))
  // Whole from the first moment, too: nothing is left to do in it that could be broken off.
  expect(migrations).toEqual([])
  expect(await database.query('SELECT id FROM boardsync.boards')).toEqual([])
})
