import { afterEach, beforeEach, expect, test, vi } from 'vitest'

let answer: (() => Response) | undefined
let shown: string[]
let addresses: string[]
let page: typeof import('./ticket.ts')

beforeEach(async () => {
  shown = []
  addresses = []
  vi.stubGlobal('location', new URL('https://host/b/plan#ticket=bst_once'))
  vi.stubGlobal('history', { state: null, replaceState: (_: unknown, __: string, to: string) => addresses.push(to) })
  vi.stubGlobal('fetch', async (_: string, { headers }: { headers: Headers }) => {
    shown.push(headers.get('x-api-key') ?? '')
    if (!answer) throw new TypeError('Failed to fetch')
    return answer()
  })
  // Each page load has a module of its own.
  vi.resetModules()
  page = await import('./ticket.ts')
})
afterEach(() => vi.unstubAllGlobals())

test.each([
  ['no server', undefined, 'cannot be reached'],
  ['a server that is busy', () => new Response(null, { status: 429 }), 'asked too much'],
  ['a server without its database', () => new Response(null, { status: 503 }), 'cannot check it'],
])('%s: the link is kept, and lets in at another try', async (_, hiccup, said) => {
  answer = hiccup
  await page.takeTicket()
  expect(page.ticketFailure()).toMatchObject({ isUndecided: true, reason: expect.stringContaining(said) })
  expect(page.ticketFailure()?.reason).not.toContain('used before')
  expect(addresses).toEqual(['/b/plan'])
  answer = () => new Response(null, { status: 201 })
  expect(await page.tryTicket()).toBeUndefined()
  expect(shown).toEqual(['bst_once', 'bst_once'])
})

test('a link that was used is not tried again', async () => {
  answer = () => new Response(null, { status: 401 })
  await page.takeTicket()
  expect(page.ticketFailure()).toMatchObject({ isUndecided: false, reason: expect.stringContaining('used before') })
  expect(await page.tryTicket()).toMatchObject({ isUndecided: false })
  expect(shown).toEqual(['bst_once'])
})
