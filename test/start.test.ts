/**
 * A start that cannot succeed says which setting is behind it, in words, and exits 1; it leaves nothing running. One that
 * succeeds says where to go, and where it listens.
 */

import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { freePort } from './kit/free-port.ts'
import { launchInstance, launchThroughNpm, startInstance } from './kit/instance.ts'
import { releasing } from './kit/releasing.ts'
import { temporaryFolder } from './kit/temporary-folder.ts'
import { until } from './kit/until.ts'

const use = releasing()

async function failedStart(settings: Record<string, string>): Promise<string> {
  const instance = use(launchInstance(settings))
  expect(await instance.exited).toEqual({ code: 1, signal: null })
  return instance.output()
}

test('on a port that is taken', { timeout: 120_000 }, async () => {
  const first = use(await startInstance())
  const output = await failedStart({ PORT: new URL(first.url).port })
  expect(output).toContain('PORT, HOST: cannot listen on 127.0.0.1:')
  expect(output).not.toContain('    at ')
})

test('with short secrets is warned of in the log, by name, and begins', { timeout: 120_000 }, async () => {
  const instance = use(await startInstance({ ADMIN_KEY: 'hunter2', JWT_SECRET: 'hunter3' }))
  for (const name of ['ADMIN_KEY', 'JWT_SECRET']) expect(instance.output()).toContain(`${name}: is short enough`)
  expect(instance.output()).not.toMatch(/hunter/)
  const answer = await fetch(`${instance.url}/v1/boards`, { headers: { 'x-api-key': 'hunter2' } })
  expect(answer.status).toBe(200)
})

test('on a database that is not there, without telling its password', { timeout: 120_000 }, async () => {
  const output = await failedStart({
    DATABASE_URL: 'postgres://me:hunter2secret@localhost:1/boards',
    LOG_LEVEL: 'fatal',
  })
  expect(output).toContain('DATABASE_URL: the database cannot be used: ')
  expect(output).not.toContain('hunter2secret')
  expect(output).not.toContain('    at ')
})

test('on a database for migrations that is not there, or says nothing of why', { timeout: 120_000 }, async () => {
  const DATABASE_URL = 'postgres://me@localhost:1/boards'
  const silent = use(
    createServer(socket => socket.end('?')),
    given => given.close(),
  )
  const port = await new Promise<number>(resolve => {
    silent.listen(0, '127.0.0.1', () => resolve((silent.address() as { port: number }).port))
  })
  for (const to of [await freePort(), port]) {
    const output = await failedStart({ DATABASE_URL, MIGRATION_DATABASE_URL: `postgres://me@127.0.0.1:${to}/boards` })
    expect(output).toContain('MIGRATION_DATABASE_URL: the database cannot be used: ')
    expect(output).not.toContain('    at ')
  }
})

test('that a signal overtakes was no failure, and the next finds what it needs', {
  timeout: 120_000,
}, async () => {
  const { path } = use(temporaryFolder())
  // From within: from here it could come when the start is over.
  const overtaking = `data:text/javascript,
    import { existsSync } from 'node:fs'
    const timer = setInterval(() => {
      if (!existsSync(process.env.DATA_DIR + '/boardsync.lock')) return
      clearInterval(timer)
      process.kill(process.pid, 'SIGTERM')
    }, 1)`
  const instance = use(launchInstance({ DATA_DIR: path, NODE_OPTIONS: `--import="${encodeURI(overtaking)}"` }))
  expect(await instance.exited).toEqual({ code: 0, signal: null })
  expect(instance.output()).not.toContain('ready')
  use(await startInstance({ DATA_DIR: path }))
})

test('through npm ends with npm, in good order', { timeout: 120_000 }, async () => {
  const npm = use(launchThroughNpm({ LOG_LEVEL: 'info' }))
  await until(() => npm.output().includes('is ready'), { timeout: 90_000 })
  const [, url = ''] = /(http:\S+)/.exec(npm.output()) ?? []
  expect((await fetch(`${url}/health`)).status).toBe(200)
  expect(await npm.kill('SIGTERM')).toEqual({ code: 0, signal: null })
  expect(npm.output()).toContain('"msg":"stopping"')
  await expect(fetch(`${url}/health`)).rejects.toThrow('fetch failed')
})

test('behind a public address, the port that was picked is printed all the same', { timeout: 120_000 }, async () => {
  const instance = use(await startInstance({ PORT: '0', PUBLIC_URL: 'https://boards.example' }))
  expect(instance.output()).toContain('Draw together at https://boards.example\n')
  expect(instance.output()).toContain(`Listening at ${instance.url.replace('127.0.0.1', 'localhost')}\n`)
})

test('a fault that nobody foresaw is in the log, and ends the process', { timeout: 120_000 }, async () => {
  const faulty = `data:text/javascript,process.on('SIGUSR2', () => { throw new Error('unforeseen') })`
  const NODE_OPTIONS = `--import="${faulty}"`
  const instance = use(await startInstance({ NODE_OPTIONS }))
  expect(await instance.kill('SIGUSR2')).toEqual({ code: 1, signal: null })
  const line =
    instance
      .output()
      .split('\n')
      .find(text => text.includes('unforeseen')) ?? ''
  expect(JSON.parse(line)).toMatchObject({ level: 60, err: { message: 'unforeseen' } })
})
