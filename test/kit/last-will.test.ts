import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { releasing } from './releasing.ts'
import { until } from './until.ts'

const use = releasing()

const parentCode = `
  import { spawn } from 'node:child_process'
  import { endWithUs } from './test/kit/last-will.ts'
  const child = spawn('sleep', ['600'])
  endWithUs(child, { signal: 'KILL', folder: process.argv[1] })
  console.log(child.pid)
`

function startParent(folder: string): ChildProcess & { stdout: NodeJS.ReadableStream } {
  const args = ['--import', 'tsx', '--input-type=module', '-e', parentCode, folder]
  const started = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  return use(started, given => given.kill('SIGKILL'))
}

function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false // ESRCH
  }
}

test('what a killed test process had started ends with it, and its folder goes', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'boardsync-last-will-'))
  const parent = startParent(folder)
  const [line] = await once(parent.stdout, 'data')
  const child = Number(line)
  expect(lives(child)).toBe(true)

  parent.kill('SIGKILL')
  await until(() => !lives(child), { what: 'the child to end' })
  await until(() => !existsSync(folder), { what: 'its folder to go' })
})
