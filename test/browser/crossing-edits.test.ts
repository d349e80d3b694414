/** Two people who do not hear of each other for a while: what one puts into something that the other deletes is not lost. */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { grantOf } from '../../core/auth/grant.ts'
import { SyncError } from '../../core/base/errors.ts'
import { everyBoard } from '../../core/contract/role.ts'
import { ensurePageBuilt } from '../../web/build.ts'
import { launchChromium } from '../kit/chromium.ts'
import { releasing } from '../kit/releasing.ts'
import { freshBoard, Site } from '../kit/site.ts'
import { until } from '../kit/until.ts'
import { ask, edit, ownComplaints, reaches } from './canvas.ts'
import { openTab, type Tab } from './tab.ts'

const use = releasing(afterAll)
let browser: Browser
let site: Site
let isAway = false
beforeAll(async () => {
  const page = await ensurePageBuilt()
  browser = use(await launchChromium(), given => given.close())
  const authenticate = async () => {
    if (isAway) throw new SyncError('storage-unavailable', 'away, as far as the test goes')
    const rights = new Map([[everyBoard, 'admin' as const]])
    return grantOf({ subject: 'anyone', authenticated: false, rights, basis: { issuer: 'the test' } })
  }
  site = use(await Site.start({ page, authenticate }))
})

/** Two tabs on one board, which holds what `begin` makes. */
async function openTwo(begin: string): Promise<[Tab, Tab]> {
  const board = freshBoard()
  const open = async () => use(await openTab(browser, `${site.url}/b/${board}`))
  const tabs: [Tab, Tab] = [await open(), await open()]
  await Promise.all(tabs.map(tab => tab.ready()))
  await edit(tabs[0], begin)
  await reaches(tabs[0], 'saved')
  await agree(tabs)
  return tabs
}

/** Has them do this without hearing of each other, and returns when they have heard. */
async function apart(tabs: Tab[], act: () => Promise<void>): Promise<void> {
  isAway = true
  for (const { page } of tabs) await page.evaluate('boardsync.provider.ws.close()')
  for (const tab of tabs) await reaches(tab, 'reconnecting')
  await act()
  isAway = false
  for (const tab of tabs) await reaches(tab, 'saved')
  await agree(tabs)
}

const board = (tab: Tab) =>
  ask<string>(
    tab,
    `JSON.stringify(editor.store.allRecords()
      .filter(({ typeName }) => ['shape', 'binding', 'page'].includes(typeName))
      .sort((a, b) => (a.id < b.id ? -1 : 1)), (_, value) => typeof value === 'number' ? Math.round(value) : value)`,
  )

async function agree([alice, bob]: Tab[]): Promise<void> {
  if (!alice || !bob) throw new Error('two, to agree')
  await until(async () => (await board(alice)) === (await board(bob)), { what: 'both to show the same' })
}

/** The shapes that a canvas shows on any of its pages, and where. */
const shown = (tab: Tab) =>
  ask<unknown>(
    tab,
    `Object.fromEntries(editor.getPages()
      .flatMap(page => [...editor.getPageShapeIds(page.id)].map(id => [page.name, id]))
      .map(([page, id]) => [id, [page, ...editor.getShapePageTransform(id).point().toArray().slice(0, 2).map(Math.round)]]))`,
  )

const geo = (id: string, x: number, more = '') =>
  `{ id: 'shape:${id}', type: 'geo', x: ${x}, y: 200, props: { w: 200, h: 100, fill: 'solid' } ${more} }`

test('in a frame, in a group, on a page: what one puts there while the other deletes it is where it was, for both', {
  timeout: 120_000,
}, async () => {
  const [alice, bob] = await openTwo(`run(() => {
    editor.createShape({ id: 'shape:f', type: 'frame', x: 100, y: 100, props: { w: 300, h: 300 } })
    editor.createShapes([${geo('a', 500)}, ${geo('b', 800)}])
    editor.groupShapes(['shape:a', 'shape:b'], { groupId: 'shape:g' })
    editor.createPage({ id: 'page:two', name: 'Two' })
    editor.createShape(${geo('old', 0, `, parentId: 'page:two'`)})
  })`)
  await apart([alice, bob], async () => {
    await edit(alice, `createShape({ id: 'shape:n', type: 'note', x: 20, y: 30, parentId: 'shape:f' })`)
    await edit(alice, `updateShape({ id: 'shape:a', type: 'geo', x: 50 })`)
    await edit(alice, `createShape(${geo('new', 40, `, parentId: 'page:two'`)})`)
    await edit(bob, `deleteShape('shape:f').ungroupShapes(['shape:g']).deletePage('page:two')`)
  })
  for (const tab of [alice, bob]) {
    const { 'shape:a': a, ...others } = (await shown(tab)) as Record<string, unknown>
    expect(others).toEqual({
      'shape:n': ['Page 1', 120, 130],
      'shape:b': ['Page 1', 800, 200],
      'shape:new': ['Two', 40, 200],
    })
    // Of two who moved it one wins.
    expect([
      ['Page 1', 500, 200],
      ['Page 1', 550, 200],
    ]).toContainEqual(a)
    expect(ownComplaints(tab)).toEqual([])
  }
})

test('two frames that are put into each other are there for both, with all that lies in them', {
  timeout: 120_000,
}, async () => {
  const frame = (id: string, x: number) =>
    `{ id: 'shape:${id}', type: 'frame', x: ${x}, y: 0, props: { w: 300, h: 300 } }`
  const [alice, bob] = await openTwo(`createShapes([${frame('f', 100)}, ${frame('g', 1000)}])
    .createShapes([${geo('in-f', 10, `, parentId: 'shape:f'`)}, ${geo('in-g', 20, `, parentId: 'shape:g'`)}])`)
  await apart([alice, bob], async () => {
    await edit(alice, 'markHistoryStoppingPoint()')
    await edit(alice, `reparentShapes(['shape:f'], 'shape:g')`)
    await edit(bob, `reparentShapes(['shape:g'], 'shape:f')`)
  })
  const parents = `['f', 'g', 'in-f', 'in-g'].map(id => editor.getShape('shape:' + id).parentId)`
  const everything = {
    'shape:f': ['Page 1', 100, 0],
    'shape:in-f': ['Page 1', 110, 200],
    'shape:g': ['Page 1', 1000, 0],
    'shape:in-g': ['Page 1', 1020, 200],
  }
  const expectAll = async () => {
    for (const tab of [alice, bob]) {
      expect(await shown(tab)).toEqual(everything)
      expect(await ask(tab, parents)).toEqual(['page:page', 'shape:f', 'shape:f', 'shape:g'])
    }
  }
  await expectAll()
  // The place that it has now is not of who would take the move back.
  await edit(alice, 'undo()')
  await reaches(alice, 'saved')
  await agree([alice, bob])
  await expectAll()
  for (const tab of [alice, bob]) expect(ownComplaints(tab)).toEqual([])
})

test('an arrow to a shape that the other deletes points where the shape was, for both', {
  timeout: 120_000,
}, async () => {
  const [alice, bob] = await openTwo(`createShapes([${geo('from', 200)}, ${geo('to', 800)}])`)
  await apart([alice, bob], async () => {
    await edit(alice, `setCurrentTool('arrow')`)
    await alice.page.mouse.move(300, 250)
    await alice.page.mouse.down()
    await alice.page.mouse.move(600, 250)
    await alice.page.mouse.move(900, 250, { steps: 5 })
    await alice.page.mouse.up()
    await edit(bob, `deleteShape('shape:to')`)
  })
  const ends = `(() => {
    const arrow = editor.getCurrentPageShapes().find(({ type }) => type === 'arrow')
    const { minX, maxX } = editor.getShapePageBounds(arrow)
    return [minX, maxX].map(Math.round).concat(editor.getBindingsFromShape(arrow, 'arrow').length)
  })()`
  for (const tab of [alice, bob]) {
    const [left, right, bindings] = await ask<number[]>(tab, ends)
    expect(bindings).toBe(1)
    // From the right edge of the one to the left edge that the other had.
    expect(left).toBe(400)
    expect(right).toBeGreaterThan(770)
    expect(ownComplaints(tab)).toEqual([])
  }
})

test('who looks at an empty board goes along to the pages that another program brings', {
  timeout: 120_000,
}, async () => {
  const id = freshBoard()
  const tab = use(await openTab(browser, `${site.url}/b/${id}`))
  await tab.ready()
  const pages = (tab: Tab) =>
    ask<string[]>(tab, `[...editor.getPages().map(({ id }) => id), editor.getCurrentPageId()]`)
  expect(await pages(tab)).toEqual(['page:page', 'page:page'])
  const schema = await ask<object>(tab, 'editor.store.schema.serialize()')
  const records = [
    { id: 'document:document', typeName: 'document', gridSize: 10, name: '', meta: {} },
    { id: 'page:theirs', typeName: 'page', name: 'Theirs', index: 'a1', meta: {} },
  ]
  const response = await fetch(`${site.url}/v1/boards/${id}/import`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ tldrawFileFormatVersion: 1, schema, records }),
  })
  expect(response.status, await response.text()).toBeLessThan(300)
  await until(async () => String(await pages(tab)) === 'page:theirs,page:theirs', { what: 'the page of the file' })
  expect(tab.complaints).toEqual([])
})
