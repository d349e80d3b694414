/** Signing in on the page: by a field, by a link that is good once; and what pages of others can do with it: nothing. */

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { launchChromium } from '../kit/chromium.ts'
import { type Instance, startInstance } from '../kit/instance.ts'
import { releasing } from '../kit/releasing.ts'
import { until } from '../kit/until.ts'
import { openTab, type Tab } from './tab.ts'

const use = releasing(afterAll)
const key = 'the-key-that-people-type-in'
let browser: Browser
let server: Instance
beforeAll(async () => {
  browser = use(await launchChromium(), given => given.close())
  server = use(await startInstance({ ADMIN_KEY: key }))
}, 120_000)

const open = async (path: string) => use(await openTab(browser, server.url + path))
const field = (tab: Tab) => tab.page.getByLabel('Your API key or token')
async function signIn(tab: Tab, credential: string): Promise<void> {
  await field(tab).fill(credential)
  await tab.page.getByRole('button', { name: 'Sign in' }).click()
}
async function ticketFor(board: string): Promise<string> {
  const answer = await fetch(`${server.url}/v1/boards/${board}/tickets`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}` },
  })
  return ((await answer.json()) as { ticket: string }).ticket
}

/** An empty page of another origin, and the cookies that browsers sent there. */
async function serve(): Promise<{ url: string; cookies: string[] }> {
  const cookies: string[] = []
  const answering = createServer((request, answer) => {
    cookies.push(request.headers.cookie ?? '')
    answer.setHeader('content-type', 'text/html').end('<!doctype html>')
  })
  use(answering, given => given.close())
  await new Promise<void>(resolve => answering.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(answering.address() as AddressInfo).port}/`, cookies }
}

test('a board that needs a credential asks for one, says when it is wrong, and opens with the right one', {
  timeout: 90_000,
}, async () => {
  const tab = await open('/b/private')
  await signIn(tab, 'not-the-key')
  await until(async () => (await tab.page.getByRole('alert').textContent())?.includes('not valid'))
  await signIn(tab, key)
  await tab.ready()
  const renewed = tab.page.waitForResponse(
    answer => answer.url() === `${server.url}/v1/session` && answer.request().method() === 'POST',
  )
  await tab.page.reload()
  await tab.ready()
  expect(await (await renewed).headerValue('set-cookie')).toMatch(/^boardsync_session=bss_.*Max-Age=43200/)

  const kept = await tab.page.evaluate<string>(
    'document.cookie + JSON.stringify({ ...localStorage, ...sessionStorage })',
  )
  expect(kept).not.toMatch(/boardsync_session|bss_/)
  expect(kept + tab.page.url() + (await tab.page.content())).not.toContain(key)
  const cookies = await tab.page.context().cookies()
  expect(cookies).toMatchObject([{ name: 'boardsync_session', httpOnly: true, sameSite: 'Strict', path: '/' }])
})

test('a link with a ticket opens the board once, and the ticket leaves the address at once', {
  timeout: 90_000,
}, async () => {
  const link = `/b/by-link#ticket=${await ticketFor('by-link')}`
  const tab = await open(link)
  await tab.ready()
  expect(tab.page.url()).toBe(`${server.url}/b/by-link`)
  expect(tab.complaints).toEqual([])

  const late = await open(link)
  await field(late).waitFor()
  expect(await late.page.getByRole('alert').textContent()).toContain('used before')
  expect(late.page.url()).toBe(`${server.url}/b/by-link`)
})

test('a link that the server could not check says so, and is tried again', {
  timeout: 90_000,
}, async () => {
  const ticket = await ticketFor('by-patience')
  const tab = await open('/')
  await tab.page.route('**/v1/session', route =>
    route.request().method() === 'POST' ? route.fulfill({ status: 503 }) : route.continue(),
  )
  await tab.page.goto(`${server.url}/b/by-patience#ticket=${ticket}`)
  const alert = tab.page.getByRole('alert')
  await alert.getByText('could not be checked').waitFor()
  const retry = alert.getByRole('button', { name: 'Try again' })
  await retry.click()
  await alert.getByText('could not be checked').waitFor()
  await tab.page.unroute('**/v1/session')
  await retry.click()
  await tab.ready()
  expect(tab.page.url()).toBe(`${server.url}/b/by-patience`)
})

test('who has no right to a board can sign in with another credential', { timeout: 90_000 }, async () => {
  const tab = await open(`/b/theirs#ticket=${await ticketFor('theirs')}`)
  await tab.ready()
  await tab.page.goto(`${server.url}/b/not-theirs`)
  await tab.page.getByText('This board is not open to you').waitFor()
  await signIn(tab, key)
  await tab.ready()
})

test('the home page lets people in and out; who is out is shown no board', { timeout: 90_000 }, async () => {
  const tab = await open('/')
  await field(tab).waitFor()
  expect(await tab.page.getByText('no account').count()).toBe(0)
  await signIn(tab, key)
  await tab.page.getByText('Signed in as admin').waitFor()
  await tab.page.getByText('they need a key').waitFor()
  const board = use(await tab.page.context().newPage(), page => page.close())
  await board.goto(`${server.url}/b/mine`)
  await board.locator('.tl-canvas').waitFor()
  await tab.page.getByRole('button', { name: 'Sign out' }).click()
  await field(tab).waitFor()
  // Also where it was open already.
  await board.getByLabel('Your API key or token').waitFor()
})

test('who cannot be signed out is told so, and stays signed in', { timeout: 90_000 }, async () => {
  const tab = await open('/')
  await signIn(tab, key)
  await tab.page.getByText('Signed in as admin').waitFor()
  const signOut = tab.page.getByRole('button', { name: 'Sign out' })
  await tab.page.route('**/v1/session', route =>
    route.request().method() === 'DELETE' ? route.abort() : route.continue(),
  )
  await signOut.click()
  await tab.page.getByRole('alert').getByText('still signed in').waitFor()
  expect(await signOut.isVisible()).toBe(true)
  await tab.page.unroute('**/v1/session')
  await signOut.click()
  await field(tab).waitFor()
})

test('an open server asks nobody', { timeout: 90_000 }, async () => {
  const own = use(await startInstance())
  const tab = use(await openTab(browser, own.url))
  const answer = tab.page.waitForResponse(`${own.url}/v1/session`)
  await tab.page.reload()
  expect((await answer).status()).toBe(200)
  await tab.page.getByText('no account').waitFor()
  expect(await field(tab).count()).toBe(0)
  expect(tab.complaints).toEqual([])
})

test('a page of another origin can neither connect nor use the cookie, though the browser sends it along', {
  timeout: 90_000,
}, async () => {
  const tab = await open('/b/target')
  await signIn(tab, key)
  await tab.ready()

  // Other ports of the same machine: other origins, but the same site, so that SameSite holds nothing back.
  const [evil, witness] = [await serve(), await serve()]
  const page = use(await tab.page.context().newPage(), given => given.close())
  await page.goto(evil.url)
  const outcome = await page.evaluate<string[]>(`(async () => {
    const url = ${JSON.stringify(server.url)}
    const socket = new WebSocket(url.replace('http', 'ws') + '/target')
    const connected = await new Promise(resolve => {
      socket.onopen = () => resolve('open')
      socket.onerror = () => resolve('refused')
    })
    const ask = (path, init) => fetch(url + path, { credentials: 'include', ...init }).then(() => 'read', () => 'refused')
    return [
      connected,
      await ask('/v1/boards/target/items'),
      await ask('/v1/session', { method: 'DELETE' }),
      await ask('/v1/session', { method: 'POST' }),
      await fetch(${JSON.stringify(witness.url)}, { credentials: 'include', mode: 'no-cors' }).then(() => 'sent'),
    ]
  })()`)
  expect(outcome).toEqual(['refused', 'refused', 'refused', 'refused', 'sent'])
  expect(witness.cookies.at(-1)).toContain('boardsync_session=')
  await tab.page.reload()
  await tab.ready()
})

test('where one signs in fits on a small phone', { timeout: 120_000 }, async () => {
  const width = 320
  const tab = use(await openTab(browser, `${server.url}/b/small`, { viewport: { width, height: 640 } }))
  await field(tab).waitFor()
  const { x, width: taken } = (await tab.page.locator('.ending-card').boundingBox()) ?? { x: -1, width: 0 }
  expect([x >= 0, x + taken <= width]).toEqual([true, true])
})
