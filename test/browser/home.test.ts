/** Home: the boards there are, and all that can be done with one from outside. */
import type { Browser, Locator } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Role } from '../../core/contract/role.ts'
import { launchChromium } from '../kit/chromium.ts'
import { type Instance, startInstance } from '../kit/instance.ts'
import { releasing } from '../kit/releasing.ts'
import { until } from '../kit/until.ts'
import { ownComplaints } from './canvas.ts'
import { openTab, type Tab } from './tab.ts'

const use = releasing(afterAll)
const adminKey = 'the-key-of-who-runs-this'
let browser: Browser
let server: Instance
let locked: Instance
beforeAll(async () => {
  browser = use(await launchChromium(), given => given.close())
  server = use(await startInstance())
  locked = use(await startInstance({ ADMIN_KEY: adminKey }))
}, 120_000)

async function ask<T>(method: string, path: string, body?: object, at = server): Promise<T> {
  const answer = await fetch(`${at.url}/v1/boards${path}`, {
    method,
    headers: {
      ...(body && { 'content-type': 'application/json' }),
      ...(at === locked && { authorization: `Bearer ${adminKey}` }),
    },
    ...(body && { body: JSON.stringify(body) }),
  })
  expect(answer.ok, await answer.clone().text()).toBe(true)
  return (answer.status === 204 ? undefined : await answer.json()) as T
}
const create = (id: string, title?: string, at = server) => ask('POST', '', { id, ...(title && { title }) }, at)

async function keyFor(board: string, role: Role): Promise<string> {
  const { key } = await ask<{ key: string }>('POST', `/${board}/keys`, { role }, locked)
  return key
}
/** The page is not told what its credential allows: it leaves nothing out then. */
const cannotTell = ({ page }: Tab) =>
  page.route('**/v1/session', route => (route.request().method() === 'GET' ? route.abort() : route.continue()))

async function openHome(at = server): Promise<Tab> {
  const tab = use(await openTab(browser, at.url))
  await tab.page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  return tab
}
async function signIn(tab: Tab, credential: string): Promise<void> {
  await tab.page.getByLabel('Your API key or token').fill(credential)
  await tab.page.getByRole('button', { name: 'Sign in' }).click()
}
const card = ({ page }: Tab, id: string): Locator => page.locator(`[data-testid=board-card][data-board="${id}"]`)
const news = ({ page }: Tab): Locator => page.getByTestId('news')
const hasFocus = async (element: Locator): Promise<boolean> =>
  (await element.and(element.page().locator(':focus')).count()) === 1
const clipboard = ({ page }: Tab): Promise<string> => page.evaluate('navigator.clipboard.readText()')

async function choose(tab: Tab, id: string, action: string): Promise<void> {
  await card(tab, id).getByRole('button').click()
  await card(tab, id).getByRole('menuitem', { name: action }).click()
}

test('home shows each board: its name, how much is on it, who is there, a small picture; and leads there', {
  timeout: 90_000,
}, async () => {
  await create('shown', 'Launch plan')
  await ask('POST', '/shown/items', { type: 'sticky', id: 'a', x: 0, y: 0, style: { color: 'green' } })
  await ask('POST', '/shown/items', { type: 'shape', id: 'b', x: 400, y: 0, content: { kind: 'ellipse' } })
  await ask('POST', '/shown/items', { type: 'connector', content: { from: 'a', to: 'b' } })
  const alice = use(await openTab(browser, `${server.url}/b/shown`))
  await alice.ready()
  const name = await alice.userName()

  const home = await openHome()
  const shown = card(home, 'shown')
  await shown.getByText('3 items').waitFor()
  await shown.getByText('just now').waitFor()
  await shown.locator('svg rect').waitFor()
  expect(await shown.locator('svg.board-picture').locator('rect, ellipse, line').count()).toBe(3)
  await until(async () => (await shown.getByTestId('board-peers').getAttribute('title')) === name)
  await shown.getByRole('link', { name: 'Launch plan' }).click()
  await home.ready()
  expect(home.page.url()).toBe(`${server.url}/b/shown`)
  expect(home.complaints).toEqual([])
})

test('of all boards the one that changed last comes first; the others are a press or a word away', {
  timeout: 120_000,
}, async () => {
  const at = use(await startInstance())
  await Promise.all(Array.from({ length: 100 }, (_, i) => create(`many-${i}`, `Plan number ${i}`, at)))
  // In a later millisecond: finer than that nobody is told when a board changed.
  const madeAt = Date.now()
  await until(() => Date.now() > madeAt)
  await create('z-newest', undefined, at)
  const home = await openHome(at)
  const cards = home.page.getByTestId('board-card')
  await cards.first().waitFor()
  expect(await cards.first().getAttribute('data-board')).toBe('z-newest')
  expect(await cards.count()).toBe(60)
  await home.page.getByRole('button', { name: 'More boards' }).click()
  await until(async () => (await cards.count()) === 101)
  expect(await cards.first().getAttribute('data-board')).toBe('z-newest')
  expect(await home.page.getByRole('button', { name: 'More boards' }).count()).toBe(0)
  const search = home.page.getByRole('searchbox')
  await search.fill('number 7')
  await until(async () => (await cards.count()) === 19)
  await search.fill('z-new')
  await until(async () => (await cards.count()) === 1)
  expect(home.complaints).toEqual([])
})

test('home that is come back to shows the boards there are by now', { timeout: 120_000 }, async () => {
  await create('gone-meanwhile')
  const home = await openHome()
  await card(home, 'gone-meanwhile').waitFor()
  await create('made-meanwhile')
  await ask('DELETE', '/gone-meanwhile')
  await home.page.evaluate(`dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))`)
  await card(home, 'made-meanwhile').waitFor()
  expect(await card(home, 'gone-meanwhile').count()).toBe(0)
  await create('made-later')
  await home.page.evaluate(`document.dispatchEvent(new Event('visibilitychange'))`)
  await card(home, 'made-later').waitFor()
  expect(ownComplaints(home)).toEqual([])
})

test('a card says what others called its board, and goes when they delete it', { timeout: 120_000 }, async () => {
  await create('called')
  const home = await openHome()
  await home.page.clock.install()
  await home.page.reload()
  await card(home, 'called').getByText('0 items').waitFor()
  await ask('PATCH', '/called', { title: 'Called by others' })
  await home.page.clock.runFor(10_000)
  await card(home, 'called').getByRole('link', { name: 'Called by others' }).waitFor()
  await ask('DELETE', '/called')
  await home.page.clock.runFor(10_000)
  await card(home, 'called').waitFor({ state: 'detached' })
  expect(ownComplaints(home)).toEqual([])
})

test('a board is renamed in its place, with the keyboard alone', { timeout: 120_000 }, async () => {
  await create('renamed')
  const home = await openHome()
  const { keyboard } = home.page
  await card(home, 'renamed').getByRole('button').focus()
  await keyboard.press('Enter')
  await keyboard.press('Enter')
  const field = card(home, 'renamed').getByRole('textbox')
  await field.waitFor()
  await home.page.route('**/v1/boards/renamed', route => route.abort('connectionrefused'))
  await keyboard.type('Retrospective')
  await keyboard.press('Enter')
  await news(home).getByText('The server cannot be reached').waitFor()
  expect(await field.inputValue()).toBe('Retrospective')
  await home.page.unroute('**/v1/boards/renamed')
  await keyboard.press('Enter')
  const name = card(home, 'renamed').getByRole('link', { name: 'Retrospective' })
  await name.waitFor()
  expect(await ask('GET', '/renamed')).toMatchObject({ title: 'Retrospective' })
  await until(() => hasFocus(name))

  await choose(home, 'renamed', 'Rename')
  await keyboard.type('Never mind')
  await keyboard.press('Escape')
  await name.waitFor()
  await until(() => hasFocus(name))
  expect(await ask('GET', '/renamed')).toMatchObject({ title: 'Retrospective' })
  expect(ownComplaints(home)).toEqual([])
})

test('deleted boards leave the list, and each comes back by its Undo with all that was on it', {
  timeout: 120_000,
}, async () => {
  await create('deleted', 'By mistake')
  await ask('POST', '/deleted/items', { type: 'sticky', x: 0, y: 0 })
  await create('also-deleted', 'Not wanted')
  const home = await openHome()
  const undo = (name: string) => home.page.getByRole('button', { name: `Undo: ${name} is deleted` })
  await choose(home, 'deleted', 'Delete')
  await news(home).getByText('By mistake is deleted.').waitFor()
  await until(() => hasFocus(undo('By mistake')))
  await choose(home, 'also-deleted', 'Delete')
  await until(() => hasFocus(undo('Not wanted')))
  expect(await card(home, 'deleted').count()).toBe(0)
  expect((await fetch(`${server.url}/v1/boards/deleted`)).status).toBe(404)
  await undo('By mistake').press('Enter')
  await card(home, 'deleted').getByText('1 item').waitFor()
  await until(() => hasFocus(card(home, 'deleted').getByRole('link')))
  expect(await ask('GET', '/deleted')).toMatchObject({ title: 'By mistake', item_count: 1 })
  expect(await card(home, 'also-deleted').count()).toBe(0)
  await undo('Not wanted').click()
  await card(home, 'also-deleted').waitFor()
  expect(ownComplaints(home)).toEqual([])
})

test('a deleted board can be restored from its own page too, by who may', { timeout: 90_000 }, async () => {
  await create('restored', undefined, locked)
  const key = await keyFor('restored', 'write')
  const tab = use(await openTab(browser, `${locked.url}/b/restored`))
  await signIn(tab, key)
  await tab.ready()
  await ask('DELETE', '/restored', undefined, locked)
  const restore = tab.page.getByRole('button', { name: 'Restore it' })
  await tab.page.getByText('This board was deleted').waitFor()
  await restore.waitFor({ state: 'detached' })

  await cannotTell(tab)
  await tab.page.reload()
  await restore.click()
  await tab.page.getByText('It was not restored: You have no right').waitFor()
  await tab.page.evaluate(
    `fetch('/v1/session', { method: 'POST', headers: { 'x-api-key': ${JSON.stringify(adminKey)} } }).then(() => {})`,
  )
  await restore.click()
  await restore.waitFor({ state: 'detached' })
  await tab.ready()
  expect(ownComplaints(tab)).toEqual([])
})

test('what a credential does not allow is not offered', { timeout: 90_000 }, async () => {
  await create('offered', 'Ours', locked)
  const offeredTo = async (credential: string) => {
    const home = await openHome(locked)
    await signIn(home, credential)
    await home.page.getByText(/^Signed in/).waitFor()
    await card(home, 'offered').getByRole('button').click()
    const actions = await card(home, 'offered').getByRole('menuitem').allTextContents()
    const newBoards = await home.page.getByTestId('new-board').count()
    expect(ownComplaints(home)).toEqual([])
    return [newBoards, ...actions.filter(action => !action.startsWith('Copy'))]
  }
  expect(await offeredTo(await keyFor('offered', 'read'))).toEqual([0])
  expect(await offeredTo(await keyFor('offered', 'write'))).toEqual([0, 'Rename'])
  expect(await offeredTo(await keyFor('offered', 'admin'))).toEqual([0, 'Rename', 'Delete'])
  expect(await offeredTo(adminKey)).toEqual([1, 'Rename', 'Delete'])
})

test('what is tried without the right is said, and the list stays as it is', { timeout: 120_000 }, async () => {
  await create('writable', 'Theirs', locked)
  const key = await keyFor('writable', 'write')
  const home = await openHome(locked)
  await signIn(home, key)
  await card(home, 'writable').waitFor()
  await cannotTell(home)
  await home.page.reload()
  await choose(home, 'writable', 'Delete')
  await news(home).getByText('Theirs was not deleted: You have no right to do that').waitFor()
  await card(home, 'writable').waitFor()
  await home.page.unroute('**/v1/session')
  // Nor can it make keys: what it copies has a place for one.
  await choose(home, 'writable', 'Copy curl command')
  await news(home).getByText('Put an API key in the place of $BOARDSYNC_KEY').waitFor()
  expect(await clipboard(home)).toContain('"Authorization: Bearer $BOARDSYNC_KEY"')
  expect(ownComplaints(home)).toEqual([])
})

/** Does what a shell would with the command. */
async function run(command: string): Promise<Response> {
  const url = /^curl -X POST '([^']+)'/.exec(command)?.[1] ?? ''
  const headers = [...command.matchAll(/-H (['"])(.+?): (.+?)\1/g)].map(([, , name, value]) => [
    name ?? '',
    value ?? '',
  ])
  const body = /-d '([^']+)'/.exec(command)?.[1] ?? ''
  return fetch(url, { method: 'POST', headers: Object.fromEntries(headers), body })
}

test('the first post of an agent is one paste away, on an open server and on one that asks for a key', {
  timeout: 90_000,
}, async () => {
  for (const at of [server, locked]) {
    await create('pasted', undefined, at)
    const home = await openHome(at)
    if (at === locked) await signIn(home, adminKey)
    await choose(home, 'pasted', 'Copy curl command')
    await news(home).getByText('Command copied.').waitFor()
    const command = await clipboard(home)
    expect(command.includes('Bearer bs_')).toBe(at === locked)
    expect(command).not.toContain(adminKey)
    expect((await run(command)).status).toBe(201)

    await choose(home, 'pasted', 'Copy agent briefing')
    await news(home).getByText('Briefing copied.').waitFor()
    const briefing = await clipboard(home)
    expect(briefing).toContain(`POST ${at.url}/v1/boards/pasted/items`)
    expect(briefing.includes('Bearer bs_')).toBe(at === locked)
    await choose(home, 'pasted', 'Copy link')
    await news(home).getByText('Link copied.').waitFor()
    expect(await clipboard(home)).toBe(`${at.url}/b/pasted`)
    expect(ownComplaints(home)).toEqual([])
  }
})

test('the board’s own page has them too', { timeout: 120_000 }, async () => {
  const alice = use(await openTab(browser, `${server.url}/b/own-menu`))
  await alice.page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  await alice.ready()
  await alice.page.getByTestId('share').click()
  await alice.page.getByRole('menuitem', { name: 'Copy curl command' }).click()
  await alice.page.locator('.tlui-toast__title').filter({ hasText: 'Command copied.' }).waitFor()
  expect((await run(await clipboard(alice))).status).toBe(201)
  await alice.shape('[data-shape-type=note]').getByText('Hello from an agent').waitFor()
  expect(alice.complaints).toEqual([])
})

test('who is not signed in sees the boards that this browser remembers, and no others', {
  timeout: 90_000,
}, async () => {
  await create('theirs', 'Not for everybody', locked)
  const tab = use(await openTab(browser, `${locked.url}/b/remembered`))
  await signIn(tab, adminKey)
  await tab.ready()
  await until(() => tab.page.evaluate<boolean>(`localStorage.getItem('boardsync:recent boards') !== null`))
  // What the board's page has asked for may bring the cookie anew.
  await tab.page.goto('about:blank')
  await tab.page.context().clearCookies()
  await tab.page.goto(locked.url)
  await tab.page.getByRole('link', { name: 'remembered' }).waitFor()
  expect(await tab.page.getByText('Not for everybody').count()).toBe(0)
  expect(await tab.page.getByTestId('list-failure').count()).toBe(0)
  expect(ownComplaints(tab)).toEqual([])
})

test('a list that cannot be read is said to be, and can be tried again', { timeout: 120_000 }, async () => {
  await create('listed')
  const home = await openHome()
  await home.page.route('**/v1/boards?*', route => route.abort('connectionrefused'))
  await home.page.reload()
  const failure = home.page.getByTestId('list-failure')
  await failure.getByText('The server cannot be reached').waitFor()
  await home.page.unroute('**/v1/boards?*')
  await failure.getByRole('button', { name: 'Try again' }).click()
  await card(home, 'listed').waitFor()
  expect(await failure.count()).toBe(0)
  expect(ownComplaints(home)).toEqual([])
})
