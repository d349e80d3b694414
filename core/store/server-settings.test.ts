/** A Postgres server that is set to what boardsync cannot work with is refused at the start, by a message that says what to do. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Postgres, startPostgres } from '../../test/kit/postgres.ts'
import { releasing } from '../../test/kit/releasing.ts'
import { silent } from '../../test/storage/site.ts'
import { Secret } from '../base/secret.ts'
import { parseBoardId } from '../contract/board-id.ts'
import { connectPostgres } from './postgres.ts'
import { openStorage } from './storage.ts'

const use = releasing(afterAll)
let postgres: Postgres
beforeAll(async () => {
  postgres = use(await startPostgres({ fsync: false }))
})

let databases = 0

/** Opens a new database, made and set as asked for, and closes the store again. */
async function open({ made = '', set = [] }: { made?: string; set?: string[] }) {
  const name = `unfit_${++databases}`
  const owner = connectPostgres(new Secret(postgres.url), silent, { connections: 1 })
  await owner.query(`CREATE DATABASE ${name} TEMPLATE template0 ${made}`)
  for (const setting of set) await owner.query(`ALTER DATABASE ${name} SET ${setting}`)
  await owner.close()
  const url = new URL(postgres.url)
  url.pathname = `/${name}`
  const settings = { MIGRATION_DATABASE_URL: undefined, DATA_DIR: '/nowhere', HISTORY_DAYS: 30 }
  const storage = await openStorage({ ...settings, DATABASE_URL: new Secret(url.href) }, silent)
  await storage.boards.create(parseBoardId('b1'))
  await storage.close()
}

test('an encoding that lacks characters is refused', async () => {
  const made = "ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'"
  await expect(open({ made })).rejects.toThrow('DATABASE_URL: the database cannot be used: its encoding is LATIN1')
})

test.each(['German', 'SQL, DMY', 'Postgres'])('times written as DateStyle %s does are refused', async style => {
  await expect(open({ set: [`datestyle = '${style}'`] })).rejects.toThrow(`its datestyle is "${style.split(',')[0]}`)
})

test.each(['repeatable read', 'serializable'])(
  'transactions that are %s are refused: those that meet fail',
  async level => {
    const set = [`default_transaction_isolation = '${level}'`]
    await expect(open({ set })).rejects.toThrow(`its default_transaction_isolation is "${level}"`)
  },
)

test('what is set in another way, and does not matter, is taken', async () => {
  await open({ made: "ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'" })
  await open({
    set: [
      "datestyle = 'ISO, DMY'",
      "timezone = 'Asia/Kolkata'",
      "intervalstyle = 'sql_standard'",
      "bytea_output = 'escape'",
    ],
  })
})
