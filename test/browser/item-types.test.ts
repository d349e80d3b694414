/** Every type of item shows on the real canvas as it was asked for, and connectors follow what they connect. */

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, expect, test } from 'vitest'
import { releasing } from '../kit/releasing.ts'
import { until } from '../kit/until.ts'
import { servedPages } from './served-pages.ts'
import type { Tab } from './tab.ts'

const use = releasing(afterAll)
const pages = servedPages(use)

async function ask(method: string, path: string, body?: object) {
  const answer = await fetch(`${pages.instance.url}/v1/boards/${path}`, {
    method,
    ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  })
  expect(answer.ok, await answer.clone().text()).toBe(true)
  return answer.status === 204 ? {} : ((await answer.json()) as { items?: { id: string }[] })
}
const batch = (boardId: string, items: object[]) =>
  ask('POST', `${boardId}/batch`, { operations: items.map(item => ({ action: 'create', item })) })

const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=='
const picture = `data:image/png;base64,${pixel}`

/** Beside each other on a fresh canvas, whose page coordinates are the screen's. */
const items = [
  { id: 'sticky', type: 'sticky', x: 60, y: 100, content: { text: 'A sticky' }, style: { color: 'light-green' } },
  { id: 'text', type: 'text', x: 320, y: 100, content: { text: 'A text' } },
  {
    id: 'shape',
    type: 'shape',
    x: 560,
    y: 100,
    width: 180,
    height: 100,
    content: { text: 'A shape', kind: 'ellipse' },
  },
  { id: 'document', type: 'document', x: 800, y: 100, content: { title: 'A document', text: 'and its text' } },
  { id: 'frame', type: 'frame', x: 60, y: 380, width: 400, height: 250, content: { title: 'A frame' } },
  { id: 'framed', type: 'sticky', parent: 'frame', x: 20, y: 20, content: { text: 'Framed' } },
  { id: 'image', type: 'image', x: 560, y: 380, width: 150, height: 90, content: { url: picture, title: 'A picture' } },
  { id: 'link', type: 'connector', content: { from: 'sticky', to: 'shape', text: 'leads to' } },
]

const inBrowser = <T>(tab: Tab, expression: string): Promise<T> =>
  tab.page.evaluate<T>(`boardsync.editor.${expression}`)
const shapeOf = (tab: Tab, id: string) => tab.shape(`[data-shape-id="shape:${id}"]`)
/** As tldraw has it: x, y, width, height on the page, to the pixel. */
async function boundsOf(tab: Tab, id: string): Promise<number[]> {
  const text = await inBrowser<string>(
    tab,
    `getShapePageBounds('shape:${id}') && JSON.stringify(boardsync.editor.getShapePageBounds('shape:${id}'))`,
  )
  const { x, y, w, h } = JSON.parse(text)
  return [x, y, w, h].map(Math.round)
}

/** We don't know the width of strokes, nor tldraw's every rule for short arrows. */
const near = (bounds: number[], expected: number[], by: number): boolean =>
  bounds.every((value, n) => Math.abs(value - (expected[n] ?? 0)) <= by)

test('every type of item shows as it was asked for', { timeout: 120_000 }, async () => {
  const tab = await pages.open('types')
  await batch('types', items)
  for (const [id, text] of [
    ['sticky', 'A sticky'],
    ['text', 'A text'],
    ['shape', 'A shape'],
    ['document', 'A document'],
    ['document', 'and its text'],
    ['framed', 'Framed'],
    ['link', 'leads to'],
  ] as const) {
    await shapeOf(tab, id).getByText(text, { exact: true }).waitFor({ state: 'visible' })
  }
  await tab.page.getByText('A frame', { exact: true }).first().waitFor({ state: 'visible' })
  const image = shapeOf(tab, 'image').locator('img')
  await image.first().waitFor({ state: 'visible' })
  expect(await image.first().getAttribute('alt')).toBe('A picture')
  await until(async () => (await image.first().evaluate((node: { naturalWidth: number }) => node.naturalWidth)) === 1)

  expect(await boundsOf(tab, 'sticky')).toEqual([60, 100, 200, 200])
  expect(await boundsOf(tab, 'shape')).toEqual([560, 100, 180, 100])
  expect(await boundsOf(tab, 'document')).toEqual([800, 100, 320, 200])
  expect(await boundsOf(tab, 'framed')).toEqual([80, 400, 200, 200])
  expect(await boundsOf(tab, 'image')).toEqual([560, 380, 150, 90])
  expect(await tab.shape('').count()).toBe(items.length)
  // What one finds by place over REST is what shows there.
  for (const { id } of items) {
    const [x = 0, y = 0, w = 0, h = 0] = await boundsOf(tab, id)
    const box = [x + w / 4, y + h / 4, x + w / 2, y + h / 2]
    const { items: found = [] } = await ask('GET', `types/items?bbox=${box}`)
    expect(found.map(item => item.id)).toContain(id)
  }
  expect(tab.complaints).toEqual([])
})

test('a connector follows what it connects, is drawn where we think it is, and stays when an end goes', {
  timeout: 120_000,
}, async () => {
  const box = { type: 'shape', width: 100, height: 100 }
  await batch('follows', [
    { ...box, id: 'a', x: 100, y: 300 },
    { ...box, id: 'b', x: 500, y: 300 },
    { id: 'ab', type: 'connector', content: { from: 'a', to: 'b' } },
  ])
  const tab = await pages.open('follows')
  await shapeOf(tab, 'ab').waitFor()
  await until(async () => near(await boundsOf(tab, 'ab'), [200, 350, 290, 0], 8))
  expect(await inBrowser(tab, `getShape('shape:ab').parentId`)).toBe('page:page')

  await ask('PATCH', 'follows/items/b', { x: 500, y: 100 })
  await until(async () => near(await boundsOf(tab, 'ab'), [200, 180, 290, 145], 16))
  await ask('PATCH', 'follows/items/b', { x: 900, y: 300 })
  await until(async () => near(await boundsOf(tab, 'ab'), [200, 350, 690, 0], 8))

  const before = await boundsOf(tab, 'ab')
  await ask('DELETE', 'follows/items/b')
  await until(async () => (await shapeOf(tab, 'b').count()) === 0)
  expect(await inBrowser(tab, `getBindingsFromShape('shape:ab', 'arrow').length`)).toBe(1)
  for (const seen of [tab, await pages.open('follows')]) {
    await shapeOf(seen, 'ab').waitFor()
    await until(async () => near(await boundsOf(seen, 'ab'), before, 8))
    expect(seen.complaints).toEqual([])
  }
})

test('a picture at an address of another host shows', { timeout: 120_000 }, async () => {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'image/png').end(Buffer.from(pixel, 'base64'))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  use(server, given => given.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/cat.png`
  await batch('pictures', [{ id: 'image', type: 'image', x: 100, y: 100, content: { url } }])
  const tab = await pages.open('pictures')
  const image = shapeOf(tab, 'image').locator('img').first()
  await until(async () => (await image.evaluate((node: { naturalWidth: number }) => node.naturalWidth)) === 1)
  expect(new Set(tab.complaints)).toEqual(new Set([`asked another host: ${url}`]))
})
