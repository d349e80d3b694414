import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { allMigrations as all } from '../../test/kit/migrations.ts'
import { type Postgres, startPostgres } from '../../test/kit/postgres.ts'
import { releasing } from '../../test/kit/releasing.ts'
import { temporaryFolder } from '../../test/kit/temporary-folder.ts'
import { silent } from '../../test/storage/site.ts'
import { Secret } from '../base/secret.ts'
import { parseBoardId } from '../contract/board-id.ts'
import { lockDataDirectory } from './data-directory-lock.ts'
import type { Database } from './database.ts'
import { type EmbeddedDatabase, openEmbedded } from './embedded.ts'
import { migrateEmbedded, migratePostgres, refuseNewerSchema } from './migrate.ts'
import { connectPostgres } from './postgres.ts'
import { migrateStorage, openStorage } from './storage.ts'

const use = releasing(afterAll)
const useHere = releasing()
let postgres: Postgres

beforeAll(async () => {
  postgres = use(await startPostgres({ fsync: false }))
})

const freshUrl = async () => new Secret(await postgres.createDatabase())
const settings = { DATABASE_URL: undefined, MIGRATION_DATABASE_URL: undefined, DATA_DIR: '', HISTORY_DAYS: 30 }

/** All tables and columns of ours, whichever database it is. */
async function schemaOf(database: Database): Promise<unknown[]> {
  return database.query(
    `SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns
     WHERE table_schema = 'boardsync' ORDER BY table_name, ordinal_position`,
  )
}

async function pretendNewer(database: Database): Promise<void> {
  await database.query(`INSERT INTO boardsync.migrations (name, run_on) VALUES ('9999_from_the_future', now())`)
}

describe('migrations on a Postgres server', () => {
  test('run once, and a second time change nothing', async () => {
    const url = await freshUrl()
    expect(await migratePostgres(url, silent)).toEqual(all)
    const database = useHere(connectPostgres(url, silent), given => given.close())
    const schema = await schemaOf(database)
    expect(await migratePostgres(url, silent)).toEqual([])
    expect(await schemaOf(database)).toEqual(schema)
  })

  test('run once when several instances start at the same time', async () => {
    const url = await freshUrl()
    const runs = await Promise.all(Array.from({ length: 20 }, () => migratePostgres(url, silent)))
    expect(runs.flat()).toEqual(all)
  })

  test('take as long as they take, and leave a role that may change nothing alone once they are done', async () => {
    const url = await freshUrl()
    const owner = useHere(connectPostgres(url, silent), given => given.close())
    const name = new URL(url.reveal()).pathname.slice(1)
    // So short that no migration would come to its end.
    await owner.query(`ALTER DATABASE ${name} SET statement_timeout = '1ms'`)
    expect(await migratePostgres(url, silent)).toEqual(all)
    await owner.query(`ALTER DATABASE ${name} RESET statement_timeout`)
    await owner.query(`CREATE ROLE reader_${name} LOGIN`)
    await owner.query(`GRANT USAGE ON SCHEMA boardsync TO reader_${name}`)
    await owner.query(`GRANT SELECT ON ALL TABLES IN SCHEMA boardsync TO reader_${name}`)
    const asReader = new URL(url.reveal())
    asReader.username = `reader_${name}`
    expect(await migratePostgres(new Secret(asReader.href), silent)).toEqual([])
  })

  test('go by the address that is meant for them', async () => {
    const DATABASE_URL = await freshUrl()
    const nowhere = { ...settings, DATABASE_URL, MIGRATION_DATABASE_URL: new Secret('postgres://127.0.0.1:1/none') }
    await expect(migrateStorage(nowhere, silent)).rejects.toThrow('ECONNREFUSED')
    expect(await migrateStorage({ ...nowhere, MIGRATION_DATABASE_URL: DATABASE_URL }, silent)).toEqual(all)
  })

  test('need no right of the role that the instances have: that is granted when the tables are there', async () => {
    const owner = await freshUrl()
    const name = new URL(owner.reveal()).pathname.slice(1)
    const asOwner = useHere(connectPostgres(owner, silent), given => given.close())
    await asOwner.query(`CREATE ROLE instance_${name} LOGIN`)
    const instance = new URL(owner.reveal())
    instance.username = `instance_${name}`
    const both = { ...settings, DATABASE_URL: new Secret(instance.href), MIGRATION_DATABASE_URL: owner }
    expect(await migrateStorage(both, silent)).toEqual(all)
    await expect(openStorage(both, silent)).rejects.toThrow('DATABASE_URL: the database cannot be used')
    await asOwner.query(`GRANT USAGE ON SCHEMA boardsync TO instance_${name}`)
    await asOwner.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA boardsync TO instance_${name}`)
    const storage = useHere(await openStorage(both, silent), given => given.close())
    expect((await storage.boards.create(parseBoardId('b1'))).deleted).toBe(false)
  })

  test('of a newer version are refused, by a message that names them', async () => {
    const DATABASE_URL = await freshUrl()
    await migratePostgres(DATABASE_URL, silent)
    await pretendNewer(useHere(connectPostgres(DATABASE_URL, silent), given => given.close()))
    await expect(openStorage({ ...settings, DATABASE_URL }, silent)).rejects.toThrow(
      /migrated by a newer version of boardsync \(9999_from_the_future\)/,
    )
  })
})

describe('migrations on the embedded database', () => {
  let embedded: EmbeddedDatabase
  let directory: string

  beforeAll(async () => {
    directory = use(temporaryFolder()).path
    embedded = await openEmbedded(directory, silent)
  })

  test('make the same schema as on a Postgres server, once', async () => {
    expect(await migrateEmbedded(embedded, silent)).toEqual(all)
    expect(await migrateEmbedded(embedded, silent)).toEqual([])
    const url = await freshUrl()
    await migratePostgres(url, silent)
    const server = useHere(connectPostgres(url, silent), given => given.close())
    expect(await schemaOf(embedded)).toEqual(await schemaOf(server))
  })

  test('are done when the store opens, and what was stored is there again after it was closed', async () => {
    await embedded.close()
    const board = parseBoardId('b1')
    const storage = await openStorage({ ...settings, DATA_DIR: directory }, silent)
    const { epoch } = await storage.boards.create(board)
    await storage.close()
    const again = await openStorage({ ...settings, DATA_DIR: directory }, silent)
    expect(await again.boards.head(board)).toMatchObject({ epoch })
    await again.close()
  })

  test('of a newer version are refused, and the data directory is given back', async () => {
    embedded = await openEmbedded(directory, silent)
    await refuseNewerSchema(embedded)
    await pretendNewer(embedded)
    await embedded.close()
    await expect(openStorage({ ...settings, DATA_DIR: directory }, silent)).rejects.toThrow('9999_from_the_future')
    await (await lockDataDirectory(directory))()
  })

  test('are not tried where no folder can be', async () => {
    for (const DATA_DIR of ['/dev/null', '/dev/null/data']) {
      await expect(openStorage({ ...settings, DATA_DIR }, silent)).rejects.toThrow(
        /DATA_DIR: \/dev\/null.* cannot be used/,
      )
    }
  })
})
