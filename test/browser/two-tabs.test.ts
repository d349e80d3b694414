/** Two people on one board, in two tabs: what one does the other sees, and who is there. */

import { afterAll, expect, test } from 'vitest'
import { launchChromium } from '../kit/chromium.ts'
import { startInstance } from '../kit/instance.ts'
import { releasing } from '../kit/releasing.ts'
import { until } from '../kit/until.ts'
import { openTab, report } from './tab.ts'

const use = releasing(afterAll)

test('two tabs on one board see each other’s work and each other', { timeout: 120_000 }, async () => {
  const instance = use(await startInstance())
  const browser = use(await launchChromium(), given => given.close())

  const alice = use(await openTab(browser, instance.url))
  await alice.page.getByTestId('new-board').click()
  await alice.ready()
  const boardUrl = alice.page.url()
  expect(new URL(boardUrl).pathname).toMatch(/^\/b\/[A-Za-z0-9_-]{1,128}$/)

  const bob = use(await openTab(browser, boardUrl))
  await bob.ready()
  const names = await Promise.all([alice.userName(), bob.userName()])

  // Presence shows both, in both tabs.
  for (const tab of [alice, bob]) {
    await until(async () => (await tab.avatars.count()) === 2)
    const titles = await tab.avatars.evaluateAll(avatars => avatars.map(avatar => avatar.getAttribute('title')))
    expect(titles.sort()).toEqual([...names].sort())
  }

  // Each sees where the other points, by name.
  await alice.page.mouse.move(200, 200)
  await bob.page.mouse.move(300, 640)
  for (const [tab, other] of [
    [alice, names[1]],
    [bob, names[0]],
  ] as const) {
    await tab.cursors.filter({ hasText: other }).waitFor({ state: 'visible' })
  }

  // Alice makes a sticky: Bob sees it.
  const created = bob.seenAt(`document.querySelector('.tl-shape[data-shape-type=note]')`)
  await alice.page.keyboard.press('n')
  await alice.page.mouse.click(500, 350)
  report('a sticky shows in the other tab', (await created) - (await alice.lastInputAt()))
  await alice.page.locator('[contenteditable=true]:focus').waitFor()
  await alice.page.keyboard.type('Hello, Bob', { delay: 20 })
  await alice.page.keyboard.press('Escape')
  await bob.shape('[data-shape-type=note]').getByText('Hello, Bob').waitFor()

  // Bob drags it away: Alice sees it go.
  const before = await alice.shape('[data-shape-type=note]').boundingBox()
  if (!before) throw new Error('the sticky has no place on the screen')
  const target = { x: before.x + 210, y: before.y + 90 }
  const moved = alice.seenAt(`(() => {
    const { x, y } = document.querySelector('.tl-shape[data-shape-type=note]').getBoundingClientRect()
    return Math.abs(x - ${target.x}) < 2 && Math.abs(y - ${target.y}) < 2
  })()`)
  await bob.page.mouse.move(500, 350)
  await bob.page.mouse.down()
  await bob.page.mouse.move(600, 400, { steps: 5 })
  await bob.page.mouse.move(710, 440, { steps: 5 })
  const lastMove = await bob.lastInputAt()
  await bob.page.mouse.up()
  report('a moved sticky arrives in the other tab', (await moved) - lastMove)
  // What he moved is still what she wrote.
  await alice.shape('[data-shape-type=note]').getByText('Hello, Bob').waitFor()

  // Alice deletes it: it is gone for Bob.
  const deleted = bob.seenAt(`!document.querySelector('.tl-shape')`)
  // A click on a shape that is already selected would edit its text.
  await alice.page.mouse.click(150, 650)
  await alice.page.mouse.click(710, 440)
  await alice.page.keyboard.press('Delete')
  report('a deleted sticky leaves the other tab', (await deleted) - (await alice.lastInputAt()))

  // All of it is stored, and the page has asked nobody else and complained about nothing.
  for (const tab of [alice, bob]) {
    await until(async () => (await tab.status()) === 'saved')
    expect(tab.complaints).toEqual([])
  }

  // Who leaves is gone for the other.
  await bob.stop()
  await until(async () => (await alice.avatars.count()) === 1)
  await alice.cursors.waitFor({ state: 'detached' })
})
