import pg from 'pg'
import { afterAll, expect, test } from 'vitest'
import { startPostgres } from '../../test/kit/postgres.ts'
import { releasing } from '../../test/kit/releasing.ts'
import { PreparedStatement } from './prepared-statement.ts'

const use = releasing(afterAll)

test('a value that cannot be read fails its statement, not the connection', async () => {
  const postgres = use(await startPostgres({ fsync: false }))
  const pool = use(new pg.Pool({ connectionString: postgres.url, max: 1 }), given => given.end())
  const read = (text: string) => {
    if (text === '2') throw new Error('two is unreadable')
    return text
  }
  const types = { getTypeParser: () => read } as unknown as pg.CustomTypesConfig
  const upTo = (last: number) =>
    new PreparedStatement('up-to', 'SELECT n FROM generate_series(1, $1::int) AS n', [last], types).run(pool)
  expect(await upTo(1)).toEqual([{ n: '1' }])
  await expect(upTo(3)).rejects.toThrow('two is unreadable')
  expect(await upTo(1)).toEqual([{ n: '1' }])
})
