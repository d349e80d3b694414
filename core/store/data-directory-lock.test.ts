import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { releasing } from '../../test/kit/releasing.ts'
import { projectRoot } from '../../test/kit/sources.ts'
import { temporaryFolder } from '../../test/kit/temporary-folder.ts'
import { until } from '../../test/kit/until.ts'
import { ConfigurationError } from '../base/errors.ts'
import { lockDataDirectory } from './data-directory-lock.ts'

const use = releasing()

const freshFolder = () => use(temporaryFolder()).path
const locked = (folder: string) => lockDataDirectory(folder)
const lockOf = (folder: string) => join(folder, 'boardsync.lock')
const leave = (folder: string, text: string) => writeFileSync(lockOf(folder), text)
/** As a process in another container says who it is: the first one there, as we may be here. */
const elsewhere = { pid: process.pid, started: '1', space: 'another boot and pid namespace' }

/** Another boardsync on this folder. */
async function otherProcess(folder: string): Promise<ChildProcess> {
  const script = `
    import { lockDataDirectory } from './core/store/data-directory-lock.ts'
    await lockDataDirectory(process.argv[1])
    process.stdout.write('locked')
    process.stdin.resume()`
  const args = ['--import', 'tsx', '--input-type=module', '-e', script, folder]
  const child = spawn(process.execPath, args, { cwd: projectRoot, stdio: ['pipe', 'pipe', 'inherit'] })
  use(child, given => given.kill('SIGKILL'))
  await once(child.stdout, 'data')
  return child
}

describe('a data directory', () => {
  test('that another process has is refused, by a message that names the setting, the folder and the process', async () => {
    const folder = freshFolder()
    const other = await otherProcess(folder)
    const refused = await locked(folder).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(ConfigurationError)
    expect((refused as ConfigurationError).faults).toEqual([expect.stringMatching(/^DATA_DIR: /)])
    expect(String(refused)).toContain(folder)
    expect(String(refused)).toContain(`pid ${other.pid}`)
  })

  test('is free again at once when the process that had it was killed', async () => {
    const folder = freshFolder()
    const other = await otherProcess(folder)
    other.kill('SIGKILL')
    await once(other, 'exit')
    await (await locked(folder))()
    expect(readdirSync(folder)).toEqual([])
  })

  test('is free again when it was given back', async () => {
    const folder = freshFolder()
    const release = await locked(folder)
    await expect(locked(folder)).rejects.toThrow(`pid ${process.pid}`)
    await release()
    expect(readdirSync(folder)).toEqual([])
    await (await locked(folder))()
  })

  test.each([
    ['whose number now belongs to us', JSON.stringify({ pid: process.pid, started: '1' })],
    ['whose number now belongs to another process', JSON.stringify({ pid: process.ppid, started: '1' })],
    ['that nobody can tell, the file being torn', '{"pid":12'],
    ['that nobody can tell, the file being empty', ''],
    ['that nobody can tell, the file being something else', '[]'],
  ])('is taken over from a process %s', async (_name, text) => {
    const folder = freshFolder()
    leave(folder, text)
    await (await locked(folder))()
    expect(readdirSync(folder)).toEqual([])
  })

  test('is taken over although a process was killed while it took it over', async () => {
    const folder = freshFolder()
    const gone = JSON.stringify({ pid: process.pid, started: '1' })
    leave(folder, gone)
    writeFileSync(join(folder, 'boardsync.lock.takeover'), gone)
    await (await locked(folder))()
    expect(readdirSync(folder)).toEqual([])
  })

  test('that a process in another container has is refused, for that process touches its lock', {
    timeout: 120_000,
  }, async () => {
    const folder = freshFolder()
    await otherProcess(folder)
    leave(folder, JSON.stringify({ ...JSON.parse(readFileSync(lockOf(folder), 'utf8')), ...elsewhere }))
    await expect(locked(folder)).rejects.toThrow(`pid ${elsewhere.pid}`)
  })

  test('is taken over from a process in another container that is gone, and touched from then on', {
    timeout: 120_000,
  }, async () => {
    const folder = freshFolder()
    leave(folder, JSON.stringify(elsewhere))
    const release = await lockDataDirectory(folder, 100)
    const { mtimeMs } = statSync(lockOf(folder))
    await until(() => statSync(lockOf(folder)).mtimeMs > mtimeMs)
    await release()
    expect(readdirSync(folder)).toEqual([])
  })

  test('is not given back by one from which it was taken', async () => {
    const folder = freshFolder()
    const release = await locked(folder)
    leave(folder, JSON.stringify(elsewhere))
    await release()
    expect(readdirSync(folder)).toEqual(['boardsync.lock'])
  })

  test('is taken over by one only, however many try at once', async () => {
    const folder = freshFolder()
    for (let round = 0; round < 60; round++) {
      leave(folder, JSON.stringify({ pid: process.pid, started: `gone ${round}` }))
      const tries = await Promise.allSettled(Array.from({ length: 12 }, () => locked(folder)))
      const winners = tries.filter(({ status }) => status === 'fulfilled')
      expect(winners).toHaveLength(1)
      for (const winner of winners) if (winner.status === 'fulfilled') await winner.value()
      expect(readdirSync(folder)).toEqual([])
    }
  })
})
