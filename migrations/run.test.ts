import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { allMigrations } from '../test/kit/migrations.ts'
import { startPostgres } from '../test/kit/postgres.ts'
import { releasing } from '../test/kit/releasing.ts'
import { projectRoot } from '../test/kit/sources.ts'
import { temporaryFolder } from '../test/kit/temporary-folder.ts'

const use = releasing()

async function migrate(env: Record<string, string>): Promise<{ code: number; said: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'migrations/run.ts'], {
    cwd: projectRoot,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  use(child, given => given.kill('SIGKILL'))
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', text => {
      said += text
    })
  }
  const [code] = await once(child, 'close')
  return { code, said }
}

/** It starts a process and with it a new embedded database, which a busy machine takes long to. */
const timeout = 120_000

describe('npm run migrate', { timeout }, () => {
  test('migrates the database that the settings name, and says what it did', async () => {
    const postgres = use(await startPostgres({ fsync: false }))
    const first = await migrate({ DATABASE_URL: postgres.url })
    expect(first).toEqual({
      code: 0,
      said: `boardsync: migrated the database: ${allMigrations.join(', ')}\n`,
    })
    const second = await migrate({ DATABASE_URL: postgres.url })
    expect(second).toEqual({ code: 0, said: 'boardsync: the database is up to date\n' })
  })

  test('migrates the embedded database where none is named', async () => {
    const { path } = use(temporaryFolder())
    const { code, said } = await migrate({ DATA_DIR: path })
    expect(code).toBe(0)
    expect(said).toBe(`boardsync: migrated the embedded database in ${path}: ${allMigrations.join(', ')}\n`)
  })

  test.each([
    ['a server that is not there', { DATABASE_URL: 'postgres://u:hunter2@127.0.0.1:1/boards' }, /ECONNREFUSED/],
    ['a host with several addresses', { DATABASE_URL: 'postgres://u:hunter2@localhost:1/boards' }, /ECONNREFUSED/],
    [
      'settings that are wrong',
      { DATABASE_URL: 'mysql://u:hunter2@db', LOG_LEVEL: 'loud' },
      /DATABASE_URL.*\n.*LOG_LEVEL/,
    ],
  ])('fails with a message for %s', async (_name, env, message) => {
    const { code, said } = await migrate(env)
    expect(code).toBe(1)
    expect(said).toMatch(message)
    expect(said).not.toContain('hunter2')
  })
})
