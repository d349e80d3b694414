/**
 * What a page sends while somebody drags or draws, in bytes per second on the wire; how soon it can be used; and how many
 * frames a second it draws while others move. `npm run bench:page`
 */

import * as Y from 'yjs'
import { openTab, type Tab } from '../test/browser/tab.ts'
import { launchChromium } from '../test/kit/chromium.ts'
import { startInstance } from '../test/kit/instance.ts'
import { connectStock } from '../test/kit/stock-client.ts'

const seconds = 11
const movesPerSecond = 60
const others = 30
const othersMovesPerSecond = 20

interface Sent {
  document: number
  awareness: number
}

const instance = await startInstance()
const browser = await launchChromium()
try {
  const tab = await openTab(browser, instance.url)
  const sent = countSent(tab)
  const begun = Date.now()
  await tab.page.goto(`${instance.url}/b/traffic`)
  await tab.ready()
  console.log(`an empty board can be used after ${Date.now() - begun} ms`)
  await tab.page.evaluate(
    `void boardsync.editor.createShape({ id: 'shape:box', type: 'geo', x: 200, y: 200, props: { fill: 'solid' } })`,
  )

  await gesture(tab, sent, 'dragging a shape', { x: 250, y: 250 })
  console.log(`  a binding of whole records would send ${await wholeRecords(tab)} bytes a move for its edits`)
  await tab.page.keyboard.press('d')
  await gesture(tab, sent, 'drawing a line', { x: 640, y: 400 })
  await tab.page.keyboard.press('v')
  await amongOthers(tab)
  await whileManyAreDragged(tab)
} finally {
  await browser.close()
  await instance.stop()
}

function countSent(tab: Tab): Sent {
  const sent: Sent = { document: 0, awareness: 0 }
  tab.page.on('websocket', socket =>
    socket.on('framesent', ({ payload }) => {
      if (typeof payload === 'string') return
      if (payload[0] === 0) sent.document += payload.length
      else sent.awareness += payload.length
    }),
  )
  return sent
}

/** What one move of the shape takes where a record is one value: the update that Yjs makes of setting it anew. */
async function wholeRecords(tab: Tab): Promise<number> {
  const record = await tab.page.evaluate(`boardsync.editor.getShape('shape:box')`)
  const doc = new Y.Doc()
  let bytes = 0
  doc.on('update', (update: Uint8Array) => {
    bytes = update.byteLength
  })
  for (let move = 0; move < 100; move++)
    doc.getMap('records').set('shape:box', { ...(record as object), x: move + 0.5 })
  return bytes
}

/** Frames a second in one page while fifty shapes are dragged in another, which shares the machine with it. */
async function whileManyAreDragged(tab: Tab): Promise<void> {
  const other = await openTab(browser, instance.url)
  const sent = countSent(other)
  await other.page.goto(`${instance.url}/b/traffic`)
  await other.ready()
  await other.page.evaluate(`void (() => {
    const ids = Array.from({ length: 50 }, (_, at) => 'shape:many' + at)
    boardsync.editor.createShapes(ids.map((id, at) =>
      ({ id, type: 'geo', x: 150 + (at % 10) * 40, y: 150 + Math.floor(at / 10) * 40, props: { w: 30, h: 30, fill: 'solid' } })))
    boardsync.editor.select(...ids)
  })()`)
  await other.page.keyboard.press('v')
  const dragged = gesture(other, sent, 'dragging fifty shapes', { x: 160, y: 160 })
  const frames = await framesPerSecond(tab)
  await dragged
  console.log(`frames a second in another page meanwhile: ${frames.toFixed(1)}`)
}

async function gesture(tab: Tab, sent: Sent, name: string, { x, y }: { x: number; y: number }): Promise<void> {
  const { mouse } = tab.page
  await mouse.move(x, y)
  await mouse.down()
  const before = { ...sent }
  const begun = performance.now()
  let moves = 0
  for (; performance.now() - begun < seconds * 1000; moves++) {
    const angle = moves / 12
    await mouse.move(x + 100 + Math.cos(angle) * (80 + moves / 6), y + 100 + Math.sin(angle) * (60 + moves / 8))
    await new Promise(resolve => setTimeout(resolve, begun + ((moves + 1) * 1000) / movesPerSecond - performance.now()))
  }
  await mouse.up()
  const took = (performance.now() - begun) / 1000
  const perSecond = (bytes: number) => `${(bytes / took / 1000).toFixed(1)} kB/s`
  console.log(
    `${name}, ${moves} moves in ${took.toFixed(1)} s: edits ${perSecond(sent.document - before.document)}` +
      `, awareness ${perSecond(sent.awareness - before.awareness)}`,
  )
}

/** Frames a second with nobody else, and with others whose cursors go round. A headless browser draws without a GPU. */
async function amongOthers(tab: Tab): Promise<void> {
  const alone = await framesPerSecond(tab)
  const people = Array.from({ length: others }, () => connectStock(instance.wsUrl, 'traffic'))
  let step = 0
  const moving = setInterval(() => {
    step++
    for (const [index, { awareness }] of people.entries()) {
      const angle = step / 15 + index
      const cursor = { x: 400 + Math.cos(angle) * 8 * index, y: 300 + Math.sin(angle) * 8 * index }
      awareness.setLocalState({ user: { name: `Person ${index}`, color: '#4263eb' }, cursor })
    }
  }, 1000 / othersMovesPerSecond)
  try {
    await tab.cursors.nth(others - 1).waitFor()
    const together = await framesPerSecond(tab)
    console.log(`frames a second: alone ${alone.toFixed(1)}, while ${others} others move ${together.toFixed(1)}`)
  } finally {
    clearInterval(moving)
    for (const person of people) person.stop()
  }
}

function framesPerSecond(tab: Tab): Promise<number> {
  return tab.page.evaluate(`(async () => {
    const begun = performance.now()
    let frames = 0
    while (performance.now() - begun < 5000) {
      await new Promise(resolve => requestAnimationFrame(resolve))
      frames++
    }
    return (frames * 1000) / (performance.now() - begun)
  })()`)
}
