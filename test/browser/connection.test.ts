/** What a page does when its connection is lost, and when it is refused for good. */

import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { launchChromium } from '../kit/chromium.ts'
import { freePort } from '../kit/free-port.ts'
import { startInstance } from '../kit/instance.ts'
import { startProxy } from '../kit/proxy.ts'
import { releasing } from '../kit/releasing.ts'
import { temporaryFolder } from '../kit/temporary-folder.ts'
import { until } from '../kit/until.ts'
import { edit, hasUnsaved, reaches } from './canvas.ts'
import { openTab, type Tab } from './tab.ts'

const use = releasing(afterAll)
let browser: Browser
beforeAll(async () => {
  browser = use(await launchChromium(), given => given.close())
})

const shapes = (tab: Tab) =>
  tab.page.evaluate<string>(`JSON.stringify(boardsync.editor.getCurrentPageShapes().map(
    ({ id, x, props }) => [id, x, props.color]).sort())`)

test('two tabs outlive a killed server: what they did meanwhile meets, and is saved', {
  timeout: 120_000,
}, async () => {
  const folder = use(temporaryFolder())
  const settings = { PORT: String(await freePort()), DATA_DIR: folder.path }
  const first = use(await startInstance(settings))
  const [alice, bob] = [
    use(await openTab(browser, `${first.url}/b/outage`)),
    use(await openTab(browser, `${first.url}/b/outage`)),
  ]
  await Promise.all([alice.ready(), bob.ready()])
  await edit(alice, `createShape({ id: 'shape:one', type: 'note', x: 100, y: 100 })`)
  await bob.shape('[data-shape-id="shape:one"]').waitFor()
  await reaches(alice, 'saved')

  await first.kill('SIGKILL')
  await Promise.all([reaches(alice, 'reconnecting'), reaches(bob, 'reconnecting')])
  await edit(alice, `updateShape({ id: 'shape:one', type: 'note', x: 300 })`)
  await edit(alice, `createShape({ id: 'shape:two', type: 'geo', x: 600, y: 100 })`)
  await edit(bob, `updateShape({ id: 'shape:one', type: 'note', props: { color: 'red' } })`)
  await reaches(alice, 'reconnecting')

  use(await startInstance(settings))
  await Promise.all([reaches(alice, 'saved'), reaches(bob, 'saved')])
  const expected = JSON.stringify([
    ['shape:one', 300, 'red'],
    ['shape:two', 600, 'black'],
  ])
  for (const tab of [alice, bob]) {
    await until(async () => (await shapes(tab)) === expected)
    await until(async () => (await tab.avatars.count()) === 2)
    // What the browser itself says on the console, of a server that is gone, is right.
    expect(tab.complaints.filter(complaint => !complaint.startsWith('console: '))).toEqual([])
  }
})

test('a page whose browser has lost its network says at once that it is offline, not that it saves', {
  timeout: 120_000,
}, async () => {
  const instance = use(await startInstance())
  const proxy = use(await startProxy({ host: '127.0.0.1', port: Number(new URL(instance.url).port) }))
  const tab = use(await openTab(browser, proxy.through(`${instance.url}/b/silence`)))
  await tab.ready()
  await edit(tab, `createShape({ id: 'shape:one', type: 'note', x: 100, y: 100 })`)
  await reaches(tab, 'saved')
  proxy.stall()
  // The socket stays open, as it does where a cable is pulled.
  await tab.page.evaluate(`{
    const indicator = document.querySelector('.connection-indicator')
    globalThis.statuses = []
    new MutationObserver(() => statuses.push(indicator.dataset.status)).observe(indicator, { attributes: true })
    Object.defineProperty(navigator, 'onLine', { configurable: true, value: false })
    dispatchEvent(new Event('offline'))
  }`)
  await edit(tab, `createShape({ id: 'shape:two', type: 'note', x: 400, y: 100 })`)
  await until(async () => (await tab.status()) === 'offline' && (await hasUnsaved(tab)))
  expect(await tab.page.evaluate<string[]>('statuses')).not.toContain('saving')
  await tab.page.evaluate(`delete navigator.onLine, dispatchEvent(new Event('online'))`)
  proxy.resume()
  await reaches(tab, 'saved')
})

test('an address that is no board says so, and the page does not try on', { timeout: 120_000 }, async () => {
  const instance = use(await startInstance())
  for (const id of ['v1', 'no%20board']) {
    const tab = use(await openTab(browser, `${instance.url}/b/${id}`))
    const message = tab.page.getByTestId('closed-message')
    await message.waitFor()
    expect(await message.getAttribute('data-code')).toBe('4400')
    expect(await tab.page.getByTestId('board-skeleton').count()).toBe(0)
  }
})
