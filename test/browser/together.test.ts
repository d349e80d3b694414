/** Several people, and an agent, at work on the same things at the same time. */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { launchChromium } from '../kit/chromium.ts'
import { type Instance, startInstance } from '../kit/instance.ts'
import { releasing } from '../kit/releasing.ts'
import { until } from '../kit/until.ts'
import { allShow, ask, edit, reaches, shapes } from './canvas.ts'
import { openTab, type Tab } from './tab.ts'

const use = releasing(afterAll)
let instance: Instance
let browser: Browser
beforeAll(async () => {
  instance = use(await startInstance())
  browser = use(await launchChromium(), given => given.close())
})

async function open(board: string, count: number): Promise<Tab[]> {
  const tabs: Tab[] = []
  for (let i = 0; i < count; i++) tabs.push(use(await openTab(browser, `${instance.url}/b/${board}`)))
  await Promise.all(tabs.map(tab => tab.ready()))
  return tabs
}

/** A filled rectangle of 200 × 100 that can be taken by its middle. */
const box = (id: string, x: number) =>
  `createShape({ id: 'shape:${id}', type: 'geo', x: ${x}, y: 200, props: { w: 200, h: 100, fill: 'solid' } })`

async function takeAt(tab: Tab, x: number, y: number): Promise<void> {
  await tab.page.mouse.move(x, y)
  await tab.page.mouse.down()
  await tab.page.mouse.move(x + 10, y)
}

const textOf = (tab: Tab, id: string) =>
  ask<string>(tab, `editor.getShapeUtil('geo').getText(editor.getShape('shape:${id}'))`)
/** Waits until the shape says this, there. */
async function says(tab: Tab, id: string, text: string): Promise<void> {
  let seen = ''
  try {
    await until(async () => {
      seen = await textOf(tab, id)
      return seen === text
    })
  } catch (cause) {
    const writing = await ask<string | null>(tab, 'editor.getEditingShapeId()')
    const focus = await ask<string>(tab, 'document.activeElement?.outerHTML.slice(0, 200)')
    const state = `writing in ${writing}, focus on ${focus}, complaints: ${tab.complaints.join('; ')}`
    throw new Error(`says: ${seen}\nnot:  ${text}\n${state}`, { cause })
  }
}
const colorOf = (tab: Tab, id: string) => ask<string>(tab, `editor.getShape('shape:${id}').props.color`)

test('one moves a shape, one recolours it, one writes in it, all at once: all three survive, in every tab', {
  timeout: 120_000,
}, async () => {
  const tabs = await open('three-at-once', 3)
  const [alice, bob, carol] = tabs as [Tab, Tab, Tab]
  await edit(alice, box('s', 200))
  await allShow(tabs, [['s', 200, 200, 'black']])

  await carol.page.mouse.dblclick(300, 250)
  await carol.page.locator('[contenteditable=true]:focus').waitFor()
  await takeAt(alice, 300, 250)
  const words = 'written meanwhile'
  const colors = ['red', 'green', 'blue', 'orange']
  for (const [step, letter] of [...words].entries()) {
    await Promise.all([
      alice.page.mouse.move(310 + step * 20, 250 + step * 4),
      edit(bob, `updateShape({ id: 'shape:s', type: 'geo', props: { color: '${colors[step % 4]}' } })`),
      carol.page.keyboard.type(letter),
    ])
  }
  await edit(bob, `updateShape({ id: 'shape:s', type: 'geo', props: { color: 'violet' } })`)
  await alice.page.mouse.move(700, 450)
  await alice.page.mouse.up()

  await allShow(tabs, [['s', 600, 400, 'violet']])
  for (const tab of [carol, alice, bob]) await says(tab, 's', words)
  // Carol is still writing, where she was.
  await carol.page.keyboard.type('!')
  await carol.page.keyboard.press('Escape')
  for (const tab of [carol, alice, bob]) {
    await says(tab, 's', `${words}!`)
    await reaches(tab, 'saved')
    expect(tab.complaints).toEqual([])
  }
})

test('two drag one shape: it ends where one of them left it, for both', { timeout: 120_000 }, async () => {
  const tabs = await open('two-drag', 2)
  const [alice, bob] = tabs as [Tab, Tab]
  await edit(alice, box('s', 200))
  await allShow(tabs, [['s', 200, 200, 'black']])
  await takeAt(alice, 300, 250)
  await takeAt(bob, 300, 250)
  for (let step = 1; step <= 20; step++) {
    await Promise.all([alice.page.mouse.move(310 + step * 10, 250), bob.page.mouse.move(310, 250 + step * 10)])
  }
  await Promise.all([alice.page.mouse.up(), bob.page.mouse.up()])
  for (const tab of tabs) await reaches(tab, 'saved')
  await until(async () => (await shapes(alice)) === (await shapes(bob)))
  // Never the x of one with the y of the other, which is where nobody put it. (The second hand takes it where the first
  // has brought it by then.)
  const [[, x, y]] = JSON.parse(await shapes(alice))
  expect(x > 400 ? y === 200 : x <= 220 && y === 400, `${x}, ${y}`).toBe(true)
  for (const tab of tabs) expect(tab.complaints).toEqual([])
})

test('what a peer writes into a text does not disturb who is writing there; it shows when they are done', {
  timeout: 120_000,
}, async () => {
  const tabs = await open('one-text', 2)
  const [alice, bob] = tabs as [Tab, Tab]
  await edit(alice, box('s', 200))
  await allShow(tabs, [['s', 200, 200, 'black']])
  await alice.page.mouse.dblclick(300, 250)
  await alice.page.locator('[contenteditable=true]:focus').waitFor()
  await alice.page.keyboard.type('Alice')
  await until(async () => (await textOf(bob, 's')) === 'Alice')
  await ask(
    bob,
    `void editor.updateShape({ id: 'shape:s', type: 'geo', props: { color: 'red', richText: {
      type: 'doc', content: [{ type: 'paragraph', content: [{ type: 'text', text: 'Bob' }] }] } } })`,
  )
  await until(async () => (await colorOf(alice, 's')) === 'red')
  expect(await alice.page.locator('[contenteditable=true]:focus').textContent()).toBe('Alice')
  await alice.page.keyboard.press('Escape')
  for (const tab of tabs) await until(async () => (await textOf(tab, 's')) === 'Bob')
  for (const tab of tabs) expect(tab.complaints).toEqual([])
})

test('undo and redo after a peer has deleted: nothing comes back, and the canvas goes on', {
  timeout: 120_000,
}, async () => {
  const tabs = await open('undo-deleted', 2)
  const [alice, bob] = tabs as [Tab, Tab]
  await alice.page.keyboard.press('n')
  await alice.page.mouse.click(500, 350)
  await alice.page.keyboard.press('Escape')
  await until(() => ask(bob, 'editor.getCurrentPageShapes().length === 1'))
  await edit(alice, 'markHistoryStoppingPoint()')
  await edit(alice, 'nudgeShapes(editor.getCurrentPageShapes(), { x: 50, y: 0 })')
  await ask(bob, 'void editor.deleteShapes(editor.getCurrentPageShapes())')
  await allShow(tabs, [])
  for (const key of ['z', 'z', 'Shift+z', 'Shift+z', 'z', 'Shift+z']) await alice.page.keyboard.press(`Control+${key}`)
  // Whatever undo wrote would be ahead of this.
  await edit(alice, box('after', 200))
  await allShow(tabs, [['after', 200, 200, 'black']])
  for (const tab of tabs) {
    expect(tab.complaints).toEqual([])
    expect(await tab.page.locator('.tl-canvas').count()).toBe(1)
  }
})

const arrow = `createShape({ id: 'shape:held', type: 'arrow', x: 200, y: 450, props: { end: { x: 300, y: 0 } } })`
async function deleteItem(board: string, id: string): Promise<void> {
  const { status } = await fetch(`${instance.url}/v1/boards/${board}/items/${id}`, { method: 'DELETE' })
  expect(status).toBe(204)
}

test.each([
  { board: 'pressed', state: 'select.pointing_shape', selection: 'selectNone()', from: [350, 450], by: 0 },
  { board: 'dragged', state: 'select.translating', selection: 'selectAll()', from: [300, 250], by: 60 },
] as const)(
  'an arrow is $board while an agent deletes it: the canvas goes on, and what is held beside it stays where it was brought',
  { timeout: 120_000 },
  async ({ board, state, selection, from: [x, y], by }) => {
    const [alice] = (await open(board, 1)) as [Tab]
    await edit(alice, box('beside', 200))
    await edit(alice, arrow)
    await reaches(alice, 'saved')
    await edit(alice, selection)
    await alice.page.mouse.move(x, y)
    await alice.page.mouse.down()
    if (by > 0) await alice.page.mouse.move(x + by, y)
    await until(() => ask(alice, `editor.isIn('${state}')`), { what: state })
    const beside = ['beside', 200 + by, 200, 'black']
    await allShow([alice], [beside, ['held', 200 + by, 450, 'black']])
    await deleteItem(board, 'held')
    await allShow([alice], [beside])
    await alice.page.mouse.move(x + by + 90, y)
    const isThere = `editor.inputs.getCurrentScreenPoint().x === ${x + by + 90}`
    await until(async () => alice.complaints.length > 0 || (await ask(alice, isThere)), { what: 'the move' })
    await alice.page.mouse.up()
    await edit(alice, box('later', 600))
    await allShow([alice], [beside, ['later', 600, 200, 'black']])
    await reaches(alice, 'saved')
    expect(alice.complaints).toEqual([])
    expect(await alice.page.locator('.tl-canvas').count()).toBe(1)
  },
)

test('somebody drags a shape in a frame, and a peer takes the frame away: it stays where it was brought, for both', {
  timeout: 120_000,
}, async () => {
  const tabs = await open('frame-gone', 2)
  const [alice, bob] = tabs as [Tab, Tab]
  const place = (tab: Tab) =>
    ask<string>(
      tab,
      `(({ x, y }) => [editor.getShape('shape:s')?.parentId, x, y].join(' '))(editor.getShapePageBounds('shape:s') ?? {})`,
    )
  await edit(alice, `createShape({ id: 'shape:f', type: 'frame', x: 150, y: 150, props: { w: 600, h: 400 } })`)
  await edit(alice, box('s', 200))
  await edit(alice, `reparentShapes(['shape:s'], 'shape:f').selectNone()`)
  for (const tab of tabs) await until(async () => (await place(tab)) === 'shape:f 200 200')
  await takeAt(alice, 300, 250)
  await alice.page.mouse.move(360, 250)
  await until(async () => (await place(alice)) === 'shape:f 260 200')
  await ask(bob, `editor.run(() => void editor.reparentShapes(['shape:s'], 'page:page').deleteShapes(['shape:f']))`)
  await until(() => ask(alice, `!editor.getShape('shape:f')`))
  await alice.page.mouse.move(500, 250)
  await alice.page.mouse.up()
  for (const tab of tabs) await until(async () => (await place(tab)) === 'page:page 260 200')
  await reaches(alice, 'saved')
  for (const tab of tabs) {
    expect(tab.complaints).toEqual([])
    expect(await tab.page.locator('.tl-canvas').count()).toBe(1)
  }
})

test('undo and redo of a creation: what a peer painted comes back, and what a peer wrote does not even go', {
  timeout: 120_000,
}, async () => {
  const tabs = await open('redo-of-a-creation', 2)
  const [alice, bob] = tabs as [Tab, Tab]
  await edit(alice, 'markHistoryStoppingPoint()')
  await edit(alice, box('s', 200))
  await allShow([bob], [['s', 200, 200, 'black']])
  await edit(bob, `updateShape({ id: 'shape:s', type: 'geo', x: 400, props: { color: 'red' } })`)
  await allShow([alice], [['s', 400, 200, 'red']])
  await alice.page.keyboard.press('Control+z')
  await allShow(tabs, [])
  await alice.page.keyboard.press('Control+Shift+z')
  await allShow(tabs, [['s', 400, 200, 'red']])

  await bob.page.mouse.dblclick(500, 250)
  await bob.page.locator('[contenteditable=true]:focus').waitFor()
  await bob.page.keyboard.type('Bob')
  await says(alice, 's', 'Bob')
  await alice.page.keyboard.press('Control+z')
  await edit(alice, box('after', 800))
  await allShow(tabs, [
    ['after', 800, 200, 'black'],
    ['s', 400, 200, 'red'],
  ])
  for (const tab of tabs) await says(tab, 's', 'Bob')
})

test('an agent posts 200 items while somebody drags: all are shown, and the drag ends where the hand left it', {
  timeout: 180_000,
}, async () => {
  const tabs = await open('busy-agent', 2)
  const [alice] = tabs as [Tab, Tab]
  await edit(alice, box('mine', 200))
  await allShow(tabs, [['mine', 200, 200, 'black']])
  await takeAt(alice, 300, 250)
  let dragging = true
  const drag = (async () => {
    for (let step = 0; dragging; step++) await alice.page.mouse.move(320 + (step % 50) * 8, 250 + (step % 30) * 5)
  })()
  for (let batch = 0; batch < 20; batch++) {
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, i) => {
        const item = { type: 'sticky', x: 100 + batch * 220, y: 700 + i * 220, content: { text: `${batch}/${i}` } }
        return fetch(`${instance.url}/v1/boards/busy-agent/items`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(item),
        })
      }),
    )
    expect(answers.map(answer => answer.status)).toEqual(answers.map(() => 201))
  }
  dragging = false
  await drag
  await alice.page.mouse.move(700, 450)
  await alice.page.mouse.up()
  for (const tab of tabs) {
    await until(() => ask(tab, 'editor.getCurrentPageShapes().length === 201'))
    await until(
      async () =>
        (await ask(tab, `editor.getShape('shape:mine').x + ' ' + editor.getShape('shape:mine').y`)) === '600 400',
    )
  }
  await reaches(alice, 'saved')
  for (const tab of tabs) expect(tab.complaints).toEqual([])
})
