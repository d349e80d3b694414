/** An agent posts over REST: what it makes shows on open canvases, and on those opened later. */

import { afterAll, expect, test } from 'vitest'
import { decided } from '../kit/decided.ts'
import { releasing } from '../kit/releasing.ts'
import { servedPages } from './served-pages.ts'
import { report, type Tab } from './tab.ts'

const use = releasing(afterAll)
const pages = servedPages(use)

const sticky = {
  id: 'from-agent',
  type: 'sticky',
  x: 100,
  y: 200,
  content: { text: 'From Agent' },
  style: { color: 'light-blue' },
  created_by: 'agent-7',
}

async function post(boardId: string): Promise<void> {
  const answer = await decided(() =>
    fetch(`${pages.instance.url}/v1/boards/${boardId}/items`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': boardId },
      body: JSON.stringify(sticky),
    }),
  )
  expect(answer.status, await answer.clone().text()).toBe(201)
}

/** The camera of a fresh canvas stands at 0, 0: page coordinates are the screen's. */
async function expectSticky(tab: Tab): Promise<void> {
  const shape = tab.shape('[data-shape-id="shape:from-agent"][data-shape-type=note]')
  await shape.getByText('From Agent', { exact: true }).waitFor({ state: 'visible' })
  const box = await shape.boundingBox()
  // tldraw draws an eighth of a pixel off the grid.
  const place = box && [box.x, box.y, box.width, box.height].map(Math.round)
  expect(place).toEqual([100, 200, 200, 200])
  expect(await tab.page.evaluate(`boardsync.editor.getShape('shape:from-agent').props.color`)).toBe('light-blue')
}

test('an item posted over REST appears on an open canvas, as it was asked for', { timeout: 120_000 }, async () => {
  const tab = await pages.open('agent-live')
  const seen = tab.seenAt(`document.querySelector('[data-shape-id="shape:from-agent"]')`)
  const posted = Date.now()
  await post('agent-live')
  report('an item posted over REST shows on the canvas', (await seen) - posted)
  await expectSticky(tab)
  expect(tab.complaints).toEqual([])
})

test('an item posted while nobody looked is there when somebody does', { timeout: 120_000 }, async () => {
  await post('agent-early')
  const tab = await pages.open('agent-early')
  await expectSticky(tab)
  expect(await tab.status()).toBe('connected')
  expect(tab.complaints).toEqual([])
})
