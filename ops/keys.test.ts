import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readConfig } from '../core/base/config.ts'
import { parseBoardId } from '../core/contract/board-id.ts'
import { openStorage } from '../core/store/storage.ts'
import { startPostgres } from '../test/kit/postgres.ts'
import { releasing } from '../test/kit/releasing.ts'
import { Site, silent } from '../test/kit/site.ts'
import { projectRoot } from '../test/kit/sources.ts'
import { temporaryFolder } from '../test/kit/temporary-folder.ts'

const use = releasing(afterAll)
let settings: Record<string, string>
let site: Site

async function keys(args: string, env = settings): Promise<{ code: number; said: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'ops/keys.ts', ...args.split(' ')], {
    cwd: projectRoot,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', text => {
      said += text
    })
  }
  const [code] = await once(child, 'close')
  return { code, said }
}

/** Each command starts a process, which a busy machine takes long to. */
describe('npm run keys', { timeout: 120_000 }, () => {
  beforeAll(async () => {
    const postgres = use(await startPostgres({ fsync: false }))
    settings = { DATABASE_URL: postgres.url }
    const storage = use(await openStorage(readConfig(settings), silent), opened => opened.close())
    site = use(await Site.start({ storage, settings: { ADMIN_KEY: 'nobody-uses-this-one' } }))
    for (const board of ['any', 'one', 'other']) await storage.boards.create(parseBoardId(board))
  })

  const statusWith = async (key: string, board: string) =>
    (await site.ask('GET', `/v1/boards/${board}/keys`, undefined, { 'x-api-key': key })).statusCode

  test('makes a key for every board, which a running server takes, lists it, and revokes it', async () => {
    const made = await keys('create --role admin --expires 2099-01-31')
    expect(made.code).toBe(0)
    const [id] = made.said.split(' ')
    const key = /bs_[\w-]{43}/.exec(made.said)?.[0] ?? ''
    expect(await statusWith(key, 'any')).toBe(200)
    const listed = await keys('list')
    expect(listed.said).toMatch(new RegExp(`^${id} .*admin .*every board .*expires 2099-01-31`))
    expect(listed.said).not.toContain(key)

    expect(await keys(`revoke ${id}`)).toMatchObject({ code: 0 })
    await expect.poll(() => statusWith(key, 'any'), { timeout: 10_000 }).toBe(401)
    expect(await keys(`revoke ${id}`)).toMatchObject({ code: 1, said: `boardsync: there is no key ${id}\n` })
    expect((await keys('list')).said).toBe('')
  })

  test('makes a key for one board', async () => {
    const made = await keys('create --role admin --board one')
    const key = /bs_[\w-]{43}/.exec(made.said)?.[0] ?? ''
    expect([await statusWith(key, 'one'), await statusWith(key, 'other')]).toEqual([200, 404])
    expect((await keys('list --board one')).said).toContain('one')
    expect((await keys('list --board other')).said).toBe('')
  })

  test.each([
    ['', 'not a command'],
    ['create', '--role must be'],
    ['create --role owner', '--role must be'],
    ['create --role read --expires yesterday', '--expires must be'],
    ['create --role read --board a.b', 'invalid board id'],
    ['create --role read --key mine', '--key'],
    ['revoke', 'not a command'],
    ['revoke 1 2', 'not a command'],
  ])('refuses %j with the reason, and opens no database', async (args, reason) => {
    const { path } = use(temporaryFolder())
    const { code, said } = await keys(args, { DATA_DIR: `${path}/none` })
    expect(code).toBe(1)
    expect(said).toContain(reason)
    expect(said).not.toMatch(/\n {4}at /)
  })
})
