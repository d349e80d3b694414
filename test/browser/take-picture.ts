/** Takes the README's picture from the real thing: two people and an agent on one board. `npm run picture` */
import { fileURLToPath } from 'node:url'
import { launchChromium } from '../kit/chromium.ts'
import { startInstance } from '../kit/instance.ts'
import { openTab } from './tab.ts'

const target = fileURLToPath(new URL('../../docs/board.png', import.meta.url))

const plan = [
  { type: 'frame', id: 'plan', x: 60, y: 110, width: 760, height: 440, content: { title: 'Launch plan' } },
  note('Ship the first run', 40, 60, 'yellow'),
  note('Two tabs, one board', 270, 60, 'light-green'),
  note('Agents post over REST', 500, 60, 'light-blue'),
  { type: 'shape', parent: 'plan', x: 60, y: 300, width: 190, height: 100, content: { text: 'edit' } },
  shape('Postgres log', 'ellipse', 300, 'green'),
  shape('everyone sees it', 'cloud', 545, 'violet'),
  { type: 'text', x: 290, y: 600, content: { text: 'seen ⇒ durable' }, style: { size: 'l', color: 'red' } },
]

function note(text: string, x: number, y: number, color: string) {
  return { type: 'sticky', parent: 'plan', x, y, content: { text }, style: { color }, created_by: 'agent-7' }
}

function shape(text: string, kind: string, x: number, color: string) {
  const size = { width: 190, height: 100 }
  return { type: 'shape', parent: 'plan', x, y: 300, ...size, content: { text, kind }, style: { color, fill: 'semi' } }
}

const instance = await startInstance()
const browser = await launchChromium()
try {
  for (const item of plan) {
    const answer = await fetch(`${instance.url}/v1/boards/launch/items`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(item),
    })
    if (!answer.ok) throw new Error(await answer.text())
  }
  const alice = await openTab(browser, `${instance.url}/b/launch`)
  const bob = await openTab(browser, `${instance.url}/b/launch`)
  await alice.ready()
  await bob.ready()
  // Bob writes a sticky of his own, and points at it.
  await bob.page.keyboard.press('n')
  await bob.page.mouse.click(980, 420)
  await bob.page.locator('[contenteditable=true]:focus').waitFor()
  await bob.page.keyboard.type('Hi from Bob', { delay: 20 })
  await bob.page.keyboard.press('Escape')
  await bob.page.mouse.move(1040, 500, { steps: 5 })
  await alice.shape('[data-shape-type=note]').getByText('Hi from Bob').waitFor()
  await alice.cursors.first().waitFor({ state: 'visible' })
  await alice.page.screenshot({ path: target })
  console.log(target)
} finally {
  await browser.close()
  await instance.stop()
}
