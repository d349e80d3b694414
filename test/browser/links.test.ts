/** Links that people paste: cards that say where they lead, made without asking anybody. */
import { afterAll, expect, test } from 'vitest'
import { releasing } from '../kit/releasing.ts'
import { until } from '../kit/until.ts'
import { ask, edit, reaches } from './canvas.ts'
import { servedPages } from './served-pages.ts'
import type { Tab } from './tab.ts'

const use = releasing(afterAll)
const pages = servedPages(use)

/** Each shape's kind and link, and what is written on cards. */
const links = (tab: Tab) =>
  ask<unknown[][]>(tab, 'editor.getCurrentPageShapes().map(({ type, props }) => [type, props.url])')
const titles = ({ page }: Tab) => page.locator('.tl-bookmark__heading').allTextContents()
const shows = (tab: Tab, title: string) => until(async () => (await titles(tab)).includes(title), { what: title })

test.each([
  ['plain', 'https://example.com/a/page?of=it', 'example.com/a/page?of=it'],
  ['film', 'https://www.youtube.com/watch?v=dQw4w9WgXcQ', 'www.youtube.com/watch?v=dQw4w9WgXcQ'],
  ['design', 'https://www.figma.com/file/abc/Plan', 'www.figma.com/file/abc/Plan'],
])(
  'a link is pasted as a card, for everybody, and nobody is asked for what is behind it: %s',
  { timeout: 90_000 },
  async (board, url, title) => {
    const [alice, bob] = [await pages.open(`link-${board}`), await pages.open(`link-${board}`)]
    await edit(alice, `putExternalContent({ type: 'url', url: '${url}', point: { x: 400, y: 300 } })`)
    for (const tab of [alice, bob]) {
      await shows(tab, title)
      expect(await links(tab)).toEqual([['bookmark', url]])
    }
    await reaches(alice, 'saved')
    expect(await alice.page.locator('.tlui-toast__container').count()).toBe(0)
    for (const tab of [alice, bob]) {
      expect(await tab.page.locator('iframe').count()).toBe(0)
      expect(tab.complaints).toEqual([])
    }
  },
)

test('what sites give out to be embedded is pasted as a link, and what is embedded already is shown as one', {
  timeout: 90_000,
}, async () => {
  const alice = await pages.open('embedded')
  const url = 'https://www.youtube.com/embed/dQw4w9WgXcQ'
  await edit(alice, `putExternalContent({ type: 'embed', url: '${url}', embed: { width: 560, height: 315 } })`)
  await shows(alice, 'www.youtube.com/embed/dQw4w9WgXcQ')
  expect(await links(alice)).toEqual([['bookmark', url]])
  await edit(
    alice,
    `createShape({ type: 'embed', x: 900, y: 0, props: { url: 'https://example.com/old', w: 300, h: 300 } })`,
  )
  await alice.page.locator('.tl-bookmark__link[href="https://example.com/old"]').waitFor()
  expect(await alice.page.locator('iframe').count()).toBe(0)
  expect(alice.complaints).toEqual([])
})

test('no menu offers to embed anything', { timeout: 120_000 }, async () => {
  const alice = await pages.open('menu')
  await alice.page.getByTestId('main-menu.button').click()
  await alice.page.getByTestId('main-menu.insert-media').waitFor()
  expect(await alice.page.getByTestId('main-menu.insert-embed').count()).toBe(0)
  await alice.page.keyboard.press('Escape')
  await alice.page.getByTestId('main-menu.insert-media').waitFor({ state: 'detached' })
  // The key for it, and after that one that opens a dialog for sure.
  await alice.page.keyboard.press('Control+i')
  await alice.page.keyboard.press('Control+Alt+/')
  await alice.page.locator('.tlui-dialog__content').waitFor()
  expect(await alice.page.locator('.tlui-dialog__content').count()).toBe(1)
  expect(await alice.page.locator('.tlui-dialog__content').textContent()).not.toContain('embed')
  expect(alice.complaints).toEqual([])
})
