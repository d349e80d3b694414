import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { keepSession, signOut } from './session.ts'

const hour = 3_600_000
let asked: string[]
/** What the server answers; undefined: nothing. */
let answers: Record<string, (() => Response) | undefined>

beforeEach(() => {
  vi.useFakeTimers()
  vi.spyOn(console, 'warn').mockReturnValue()
  asked = []
  answers = { GET: signedInAs('admin'), POST: signedInAs('admin'), DELETE: empty(204) }
  vi.stubGlobal('fetch', async (address: string, { method = 'GET' }: RequestInit = {}) => {
    asked.push(`${method} ${address}`)
    const answer = answers[method]
    if (!answer) throw new TypeError('Failed to fetch')
    return answer()
  })
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

const signedInAs = (subject: string) => () => Response.json({ subject })
const empty = (status: number) => () => new Response(null, { status })
const after = (ms: number) => vi.advanceTimersByTimeAsync(ms)
const renewals = () => asked.filter(request => request === 'POST /v1/session').length

test('a page has its cookie set anew at once, and every hour that it is open', async () => {
  keepSession()
  await after(0)
  expect(renewals()).toBe(1)
  await after(hour - 1)
  expect(renewals()).toBe(1)
  await after(11 * hour)
  expect(renewals()).toBe(12)
})

test('a machine that slept has it done soon after', async () => {
  keepSession()
  await after(0)
  vi.setSystemTime(Date.now() + 11 * hour)
  await after(60_000)
  expect(renewals()).toBe(2)
})

test('where that fails it is tried again', async () => {
  answers.POST = empty(503)
  keepSession()
  await after(0)
  answers.GET = undefined
  await after(60_000)
  answers = { GET: signedInAs('admin'), POST: signedInAs('admin') }
  await after(60_000)
  expect(asked.at(-1)).toBe('POST /v1/session')
  asked = []
  await after(hour - 1)
  expect(asked).toEqual([])
})

test.each([
  ['nobody is signed in', empty(401)],
  ['the server asks nobody who they are', signedInAs('anyone')],
])('where %s there is nothing to keep', async (_, answer) => {
  answers.GET = answer
  keepSession()
  await after(3 * hour)
  expect(asked).toEqual(['GET /v1/session'])
})

test('who cannot be signed out is told so', async () => {
  expect(await signOut()).toBeUndefined()
  answers.DELETE = empty(503)
  expect(await signOut()).toContain('still signed in')
  answers.DELETE = undefined
  expect(await signOut()).toContain('cannot be reached')
})
