/** The page's own controls over the canvas: on screens of every size, in both directions of writing, by keyboard, in tldraw's theme. */
import type { Locator } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { releasing } from '../kit/releasing.ts'
import { connectStock } from '../kit/stock-client.ts'
import { until } from '../kit/until.ts'
import { edit } from './canvas.ts'
import { servedPages } from './served-pages.ts'

const use = releasing(afterAll)
const pages = servedPages(use)
beforeAll(async () => {
  for (let count = 0; count < 7; count++) {
    const { provider, synced } = use(connectStock(pages.instance.wsUrl, 'crowd'))
    await synced
    const type = count % 2 === 0 ? 'agent' : 'human'
    provider.awareness.setLocalState({ user: { name: `Somebody of a long name who is number ${count}`, type } })
  }
})

/** It lies on the screen. */
async function expectShown(part: Locator): Promise<void> {
  const { x = -1, y = -1, width = 0, height = 0 } = (await part.boundingBox({ timeout: 5_000 })) ?? {}
  const screen = part.page().viewportSize() ?? { width: 0, height: 0 }
  const isShown = x >= 0 && y >= 0 && x + width <= screen.width && y + height <= screen.height
  expect({ part: String(part), x, y, width, height, isShown }).toMatchObject({ isShown: true })
}

/** It lies on the screen, and nothing over it. */
async function expectReachable(part: Locator): Promise<void> {
  await expectShown(part)
  await part.click({ trial: true, timeout: 5_000 })
}

test.each([
  { width: 320, locale: 'en' },
  { width: 390, locale: 'ar' },
  { width: 768, locale: 'en' },
  { width: 1280, locale: 'ar' },
])(
  '$width px wide, in $locale: whatever can be pressed or opens is on the screen, also while offline',
  {
    timeout: 90_000,
  },
  async ({ width, locale }) => {
    const tab = await pages.open('crowd', { viewport: { width, height: 700 }, locale })
    const { page } = tab
    const share = page.getByTestId('share')
    const [more, own] = [page.getByTestId('presence-more'), page.locator('[data-self=true]')]
    await more.waitFor()
    const always = [page.getByTestId('main-menu.button'), page.locator('.tlui-page-menu__trigger'), own, more, share]
    for (const part of always) await expectReachable(part)
    const opens: [Locator, Locator][] = [
      [share, page.getByRole('menu', { name: 'Share this board' })],
      [more, page.locator('.overflow-list .peer-name').last()],
      [own, page.getByTestId('own-card')],
    ]
    for (const [button, opened] of opens) {
      await button.click()
      await expectReachable(opened)
      await button.click()
      await opened.waitFor({ state: 'detached' })
    }
    await page.context().setOffline(true)
    // The page asks the server first, and a message that was on its way is an answer too: then it asks again.
    await until(async () => {
      await page.evaluate(`void dispatchEvent(new Event('offline'))`)
      return (await tab.status()) === 'offline'
    })
    for (const part of [share, own]) await expectReachable(part)
    await expectShown(page.locator('.connection-word'))
  },
)

test('by keyboard, what opens is closed by leaving it, and by Escape, which leads back to its button', {
  timeout: 90_000,
}, async () => {
  const { page, complaints } = await pages.open('by-keys')
  const opens: [Locator, Locator][] = [
    [page.getByTestId('share'), page.getByRole('menu', { name: 'Share this board' })],
    [page.locator('[data-self=true]'), page.getByTestId('own-card')],
  ]
  const isFocused = (part: Locator) => until(async () => (await page.locator(':focus').and(part).count()) === 1)
  for (const [button, opened] of opens) {
    await button.focus()
    await page.keyboard.press('Enter')
    await opened.locator(':focus').waitFor()
    await page.keyboard.press('Escape')
    await opened.waitFor({ state: 'detached' })
    await isFocused(button)

    await page.keyboard.press('Enter')
    while ((await opened.locator(':focus').count()) > 0) await page.keyboard.press('Tab')
    await opened.waitFor({ state: 'detached' })
  }
  expect(complaints).toEqual([])
})

test('what opens over the canvas is as dark as the canvas, whatever the system is', { timeout: 90_000 }, async () => {
  const alice = await pages.open('dark', { colorScheme: 'light' })
  const menu = alice.page.getByRole('menu', { name: 'Share this board' })
  await alice.page.getByTestId('share').click()
  const look = () =>
    alice.page.evaluate<string>(`(({ color, backgroundColor }) => color + ' on ' + backgroundColor)(
    getComputedStyle(document.querySelector('.menu-actions')))`)
  const light = await look()
  expect(light).toMatch(/ on rgb\(255, 255, 255\)/)
  await edit(alice, `user.updateUserPreferences({ colorScheme: 'dark' })`)
  await until(async () => (await look()) !== light)
  expect(await look()).toBe('rgb(236, 238, 241) on rgb(28, 30, 35)')
  await menu.waitFor()
})
