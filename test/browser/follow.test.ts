/** Following somebody's view from the presence bar, and finding everybody there, agents among them. */
import type { Locator } from 'playwright-core'
import { afterAll, expect, test } from 'vitest'
import { releasing } from '../kit/releasing.ts'
import { connectStock } from '../kit/stock-client.ts'
import { until } from '../kit/until.ts'
import { ask, edit } from './canvas.ts'
import { servedPages } from './served-pages.ts'
import type { Tab } from './tab.ts'

const use = releasing(afterAll)
const pages = servedPages(use)

/** Where the middle of the screen is on the page, and how large things are. */
const view = (tab: Tab): Promise<string> =>
  ask(
    tab,
    `(({ center: { x, y } }) => [x, y, editor.getZoomLevel() * 100].map(Math.round).join())(editor.getViewportPageBounds())`,
  )
const sameView = (one: Tab, other: Tab) =>
  until(async () => (await view(one)) === (await view(other)), { what: 'one view for both' })
const lookAt = (tab: Tab, x: number, y: number) => edit(tab, `setCamera({ x: ${x}, y: ${y}, z: 0.5 })`)
const others = ({ page }: Tab): Locator => page.locator('[data-testid=presence-avatar]:not([data-self])')

async function join(board: string, user: object, cursor: object): Promise<void> {
  const { provider, synced } = use(connectStock(pages.instance.wsUrl, board))
  await synced
  provider.awareness.setLocalState({ user, cursor })
}

test('a press on somebody follows their view, until one moves one’s own', { timeout: 90_000 }, async () => {
  const [alice, bob] = [await pages.open('followed'), await pages.open('followed')]
  await lookAt(bob, -900, -700)
  const avatar = others(alice)
  await avatar.click()
  await until(async () => (await avatar.getAttribute('aria-pressed')) === 'true')
  await sameView(alice, bob)
  await lookAt(bob, 500, 300)
  await sameView(alice, bob)

  await alice.page.mouse.move(600, 400)
  await alice.page.mouse.wheel(0, 120)
  await until(async () => (await avatar.getAttribute('aria-pressed')) === 'false')
  const own = await view(alice)
  await lookAt(bob, -2000, -2000)
  // What Bob does next arrives after his move: by then Alice would have been taken along.
  await edit(bob, `createShape({ id: 'shape:later', type: 'note', x: 2100, y: 2100 })`)
  await until(() => ask(alice, `editor.getShape('shape:later') !== undefined`))
  expect(await view(alice)).toBe(own)
  for (const tab of [alice, bob]) expect(tab.complaints).toEqual([])
})

test('another press ends it, and the keyboard does both', { timeout: 120_000 }, async () => {
  const [alice] = [await pages.open('by-keys'), await pages.open('by-keys')]
  const avatar = others(alice)
  await avatar.focus()
  for (const pressed of ['true', 'false']) {
    await alice.page.keyboard.press('Enter')
    await until(async () => (await avatar.getAttribute('aria-pressed')) === pressed)
  }
  expect(alice.complaints).toEqual([])
})

test('agents are marked as such; a press takes one to where an agent is', { timeout: 120_000 }, async () => {
  const alice = await pages.open('agents')
  await join('agents', { name: 'Agent Seven', color: '#2f9e44', type: 'agent' }, { x: 4000, y: 3000 })
  const avatar = others(alice)
  await until(async () => (await avatar.getAttribute('data-type')) === 'agent')
  expect(await avatar.getAttribute('aria-label')).toContain('Agent Seven (agent)')
  await avatar.click()
  await until(() => ask(alice, 'editor.getViewportPageBounds().containsPoint({ x: 4000, y: 3000 })'))
  expect(alice.complaints).toEqual([])
})

test('those for whom the bar has no room are behind “+n”, by name, and can be followed as well', {
  timeout: 120_000,
}, async () => {
  const alice = await pages.open('crowd')
  const people = Array.from({ length: 7 }, (_, index) => `Person ${index}`)
  for (const [index, name] of people.entries()) await join('crowd', { name }, { x: 3000 * index, y: 3000 })
  const more = alice.page.getByTestId('presence-more')
  await until(async () => (await more.textContent()) === '+3')
  await more.click()
  const listed = alice.page.locator('.overflow-list .peer')
  expect(await listed.count()).toBe(3)
  const name = (await listed.last().textContent()) ?? ''
  const person = people.findIndex(given => name.endsWith(given))
  await listed.last().getByRole('button').click()
  await until(() => ask(alice, `editor.getViewportPageBounds().containsPoint({ x: ${3000 * person}, y: 3000 })`))
  await alice.page.keyboard.press('Escape')
  await listed.first().waitFor({ state: 'detached' })
  expect(alice.complaints).toEqual([])
})
