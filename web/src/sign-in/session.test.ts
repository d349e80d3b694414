import { afterEach, expect, test, vi } from 'vitest'
import { signOut } from './session.ts'

afterEach(() => void vi.unstubAllGlobals())

test('who cannot be signed out is told so', async () => {
  const outcome = (answer: () => Promise<Response>) => {
    vi.stubGlobal('fetch', answer)
    return signOut()
  }
  expect(await outcome(async () => new Response(null, { status: 204 }))).toBeUndefined()
  expect(await outcome(async () => new Response(null, { status: 503 }))).toContain('still signed in')
  expect(await outcome(() => Promise.reject(new TypeError('Failed to fetch')))).toContain('cannot be reached')
})
