/** A page on a board where many move: their cursors reach it deflated, and are shown like any others. */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { launchChromium } from '../kit/chromium.ts'
import { inflated, isAwareness, isDeflated } from '../kit/frames.ts'
import { type Instance, startInstance } from '../kit/instance.ts'
import { releasing } from '../kit/releasing.ts'
import { connectStock } from '../kit/stock-client.ts'
import { until } from '../kit/until.ts'
import { ask } from './canvas.ts'
import { openTab } from './tab.ts'

const use = releasing(afterAll)
let instance: Instance
let browser: Browser
beforeAll(async () => {
  instance = use(await startInstance())
  browser = use(await launchChromium(), given => given.close())
})

test('the cursors of a crowd come deflated, and each is shown where it is until it leaves', {
  timeout: 120_000,
}, async () => {
  const tab = use(await openTab(browser, instance.url))
  const deflated: Buffer[] = []
  tab.page.on('websocket', socket =>
    socket.on('framereceived', ({ payload }) => {
      if (typeof payload !== 'string' && isDeflated(payload)) deflated.push(payload)
    }),
  )
  await tab.page.goto(`${instance.url}/b/crowd`)
  await tab.ready()

  const names = Array.from({ length: 9 }, (_, index) => `Person ${String.fromCharCode(65 + index)}`)
  const crowd = names.map(() => use(connectStock(instance.wsUrl, 'crowd')))
  await Promise.all(crowd.map(({ synced }) => synced))
  const selection = Array.from({ length: 10 }, (_, index) => `shape:${index}`)
  const placeAt = (step: number, index: number) => ({ x: 100 + index * 80, y: 150 + ((step * 37) % 400) })
  let step = 0
  await until(
    () => {
      step++
      for (const [index, { awareness }] of crowd.entries()) {
        const user = { name: names[index], color: '#1971c2', type: 'human' }
        awareness.setLocalState({ user, cursor: placeAt(step, index), selection })
      }
      return deflated.length >= 3
    },
    { what: 'deflated frames' },
  )
  expect(deflated.every(frame => isAwareness(inflated(frame)))).toBe(true)
  const places = JSON.stringify(names.map((name, index) => [name, placeAt(step, index)]))
  await until(
    async () =>
      places ===
      (await ask(
        tab,
        'JSON.stringify(editor.getCollaborators().map(({ userName, cursor: { x, y } }) => [userName, { x, y }]).sort())',
      )),
  )
  expect((await tab.cursors.allTextContents()).sort()).toEqual(names)
  for (const { stop } of crowd.slice(1)) stop()
  await until(async () => (await tab.cursors.allTextContents()).join() === names[0])
  expect(tab.complaints).toEqual([])
})
