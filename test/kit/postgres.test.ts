import { existsSync } from 'node:fs'
import { Client } from 'pg'
import { describe, expect, test } from 'vitest'
import { startPostgres } from './postgres.ts'
import { releasing } from './releasing.ts'

const use = releasing()

async function ask(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = use(new Client({ connectionString: url }), given => given.end())
  client.on('error', () => {}) // the server is halted under it
  await client.connect()
  return (await client.query(sql)).rows
}

describe.each(['any', 'npm'] as const)('a Postgres for tests, programs: %s', source => {
  test('answers, keeps what was committed over a crash, and leaves nothing behind', async () => {
    const postgres = use(await startPostgres({ source }))
    if (source === 'npm') expect(postgres.programs.source).toBe('npm')

    const url = await postgres.createDatabase()
    await ask(url, 'CREATE TABLE kept (edit text)')
    await ask(url, `INSERT INTO kept VALUES ('seen')`)
    expect(await ask(url, 'SHOW fsync')).toEqual([{ fsync: 'on' }])
    const [settings] = await ask(url, 'SHOW data_directory')

    await postgres.halt('immediate')
    await expect(ask(url, 'SELECT 1')).rejects.toThrow('ECONNREFUSED')
    await postgres.start()
    expect(await ask(url, 'SELECT edit FROM kept')).toEqual([{ edit: 'seen' }])

    const { pid } = postgres
    await postgres.stop()
    expect(() => process.kill(pid, 0)).toThrow('ESRCH')
    expect(existsSync(String(settings?.data_directory))).toBe(false)
  })
})

test('two at once keep out of each other’s way', async () => {
  const [one, other] = await Promise.all([startPostgres({ fsync: false }), startPostgres({ fsync: false })])
  use(one)
  use(other)
  expect(one.url).not.toBe(other.url)
  expect(await ask(await one.createDatabase('boards'), 'SHOW fsync')).toEqual([{ fsync: 'off' }])
  await expect(ask(other.url.replace(/postgres$/, 'boards'), 'SELECT 1')).rejects.toThrow('does not exist')
})
