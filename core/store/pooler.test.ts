import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startPooler } from '../../test/kit/pooler.ts'
import { type Postgres, startPostgres } from '../../test/kit/postgres.ts'
import { releasing } from '../../test/kit/releasing.ts'
import { silent } from '../../test/storage/site.ts'
import { Secret } from '../base/secret.ts'
import type { Sql } from './database.ts'
import { connectPostgres } from './postgres.ts'

const use = releasing(afterAll)
let postgres: Postgres

beforeAll(async () => {
  postgres = use(await startPostgres({ fsync: false }))
})

const connect = (url = postgres.url, connections = 10) =>
  use(connectPostgres(new Secret(url), silent, { connections }), given => given.close())

const limitsOf = async (sql: Sql) => {
  const [row] = await sql.query(
    `SELECT current_setting('statement_timeout') AS statement,
       current_setting('idle_in_transaction_session_timeout') AS idle`,
  )
  return row
}
const limited = { statement: '8s', idle: '5s' }

describe('time limits of the server', () => {
  test('hold for single statements and in transactions', async () => {
    expect(await limitsOf(connect())).toEqual(limited)
    expect(await connect().transaction(limitsOf)).toEqual(limited)
  })

  test('hold in transactions behind a pooler that refuses them from a session, and leave nothing in the session', async () => {
    const pooler = use(await startPooler(postgres.url))
    const database = connect(pooler.url, 1)
    expect(await database.transaction(limitsOf)).toEqual(limited)
    expect(await limitsOf(database)).toEqual({ statement: '0', idle: '0' })
    expect(pooler.refused).toBe(1)
  })

  test('are no obstacle when many connect at once through such a pooler', async () => {
    const pooler = use(await startPooler(postgres.url))
    const database = connect(pooler.url)
    const asked = Array.from({ length: 20 }, (_, index) =>
      index % 2 ? database.query('SELECT 1 AS one') : database.transaction(sql => sql.query('SELECT 1 AS one')),
    )
    expect(await Promise.all(asked)).toEqual(asked.map(() => [{ one: 1 }]))
  })
})

describe('a prepared statement', () => {
  const text = 'SELECT 1 AS one'
  const prepared = 'SELECT name FROM pg_prepared_statements'

  test('is prepared where the session is ours', async () => {
    const database = connect(postgres.url, 1)
    await database.query(text, [], 'one')
    expect(await database.query(prepared)).toHaveLength(1)
  })

  test('that the session no longer has is done without', async () => {
    const database = connect(postgres.url, 1)
    await database.query('SELECT $1::int AS one', [1], 'one')
    await database.query('DEALLOCATE ALL')
    expect(await database.query('SELECT $1::int AS one', [1], 'one')).toEqual([{ one: 1 }])
  })

  test('that another client left in the session is done without', async () => {
    const database = connect(postgres.url, 1)
    await database.query(text, [], 'one')
    const [given] = await database.query<{ name: string }>(prepared)
    const other = connect(postgres.url, 1)
    await other.query(`PREPARE "${given?.name}" AS SELECT 2 AS one`)
    expect(await other.query(text, [], 'one')).toEqual([{ one: 1 }])
  })

  test('is told from another version’s of the same name by its text', async () => {
    const database = connect(postgres.url, 1)
    expect(await database.query('SELECT 1 AS one', [], 'one')).toEqual([{ one: 1 }])
    expect(await database.query('SELECT 2 AS one', [], 'one')).toEqual([{ one: 2 }])
  })

  test('is none in a transaction, which its failure would end', async () => {
    const database = connect(postgres.url, 1)
    await database.transaction(sql => sql.query('SELECT $1::int AS one', [1], 'one'))
    expect(await database.query(prepared)).toEqual([])
  })
})
