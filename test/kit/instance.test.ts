import { afterEach, describe, expect, test, vi } from 'vitest'
import { launchInstance, startInstance } from './instance.ts'
import { releasing } from './releasing.ts'
import { temporaryFolder } from './temporary-folder.ts'

const use = releasing()
afterEach(() => {
  vi.unstubAllEnvs()
})

describe('an instance for tests', () => {
  test('is ready, on a port and data of its own, whatever the shell it was started from has set', async () => {
    vi.stubEnv('DATABASE_URL', 'not even an address')
    vi.stubEnv('PORT', 'none')
    const instance = use(await startInstance())
    const answer = await fetch(`${instance.url}/health`)
    expect(answer.status).toBe(200)
    expect(await instance.kill('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' })
  })

  test('that cannot start shows what it had printed', async () => {
    const folder = use(temporaryFolder())
    await expect(startInstance({ PORT: 'none', DATA_DIR: folder.path })).rejects.toThrow(/ended with 1[\s\S]*PORT/)
  })

  test('that is only launched tells how it ended', async () => {
    const instance = use(launchInstance({ PORT: 'none' }))
    expect(await instance.exited).toEqual({ code: 1, signal: null })
    expect(instance.output()).toContain('PORT')
  })
})
