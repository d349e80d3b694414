/** Freehand lines: they grow for the others while they are drawn, cost little, and outlive a server that dies meanwhile. */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { launchChromium } from '../kit/chromium.ts'
import { freePort } from '../kit/free-port.ts'
import { startInstance } from '../kit/instance.ts'
import { releasing } from '../kit/releasing.ts'
import { temporaryFolder } from '../kit/temporary-folder.ts'
import { until } from '../kit/until.ts'
import { ask, ownComplaints, reaches } from './canvas.ts'
import { openTab, type Tab } from './tab.ts'

const use = releasing(afterAll)
let browser: Browser
beforeAll(async () => {
  browser = use(await launchChromium(), given => given.close())
})

/** The whole of all lines: how long their paths are, and what they are. */
const lines = (tab: Tab) =>
  ask<string>(
    tab,
    `JSON.stringify(editor.getCurrentPageShapes().filter(({ type }) => type === 'draw')
      .map(({ id, props }) => [id, props.isComplete, props.segments]).sort())`,
  )

const drawnChars = async (tab: Tab) => (await lines(tab)).length

async function draw(tab: Tab, steps: number, from = 0): Promise<void> {
  for (let step = from; step < from + steps; step++) {
    const angle = step / 12
    await tab.page.mouse.move(640 + Math.cos(angle) * (80 + step / 4), 400 + Math.sin(angle) * (60 + step / 5))
  }
}

test('a line grows for the others while it is drawn, and is theirs whole when the pen is lifted', {
  timeout: 120_000,
}, async () => {
  const instance = use(await startInstance())
  const [alice, bob] = [
    use(await openTab(browser, `${instance.url}/b/line`)),
    use(await openTab(browser, `${instance.url}/b/line`)),
  ]
  await Promise.all([alice.ready(), bob.ready()])
  await alice.page.keyboard.press('d')
  await draw(alice, 1)
  await alice.page.mouse.down()
  let seen = 0
  let step = 1
  for (let growths = 0; growths < 4; ) {
    await draw(alice, 10, step)
    step += 10
    const now = await drawnChars(bob)
    if (now > seen) growths++
    seen = now
  }
  expect(await lines(bob)).toContain('false')
  await alice.page.mouse.up()
  await until(async () => (await lines(bob)) === (await lines(alice)))
  expect(await lines(alice)).not.toContain('false')
  await reaches(alice, 'saved')
  for (const tab of [alice, bob]) expect(tab.complaints).toEqual([])
})

test('the server dies while a long line is drawn: the line goes on, and is whole for everybody afterwards', {
  timeout: 180_000,
}, async () => {
  const folder = use(temporaryFolder())
  const settings = { PORT: String(await freePort()), DATA_DIR: folder.path }
  const first = use(await startInstance(settings))
  const [alice, bob] = [
    use(await openTab(browser, `${first.url}/b/line`)),
    use(await openTab(browser, `${first.url}/b/line`)),
  ]
  await Promise.all([alice.ready(), bob.ready()])
  await alice.page.keyboard.press('d')
  await draw(alice, 1)
  await alice.page.mouse.down()
  await draw(alice, 120, 1)
  await until(async () => (await drawnChars(bob)) > 200)
  const seenByBob = await lines(bob)

  await first.kill('SIGKILL')
  await reaches(bob, 'reconnecting')
  await draw(alice, 120, 121)
  use(await startInstance(settings))
  await draw(alice, 60, 241)
  await alice.page.mouse.up()

  await reaches(alice, 'saved')
  await until(async () => (await lines(bob)) === (await lines(alice)))
  expect((await lines(bob)).length).toBeGreaterThan(seenByBob.length)
  const carol = use(await openTab(browser, alice.page.url()))
  await carol.ready()
  await until(async () => (await lines(carol)) === (await lines(alice)))
  for (const tab of [alice, bob, carol]) expect(ownComplaints(tab)).toEqual([])
})
