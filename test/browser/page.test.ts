/** The page itself: what home loads, who somebody is to the others, and records that are not for this page. */
import { afterAll, expect, test } from 'vitest'
import { metaOf, putRecord, recordsOf } from '../../core/doc/record-layout.ts'
import { serializedSchema } from '../../core/doc/tldraw-schema.ts'
import { releasing } from '../kit/releasing.ts'
import { connectStock } from '../kit/stock-client.ts'
import { until } from '../kit/until.ts'
import { ask, edit, reaches } from './canvas.ts'
import { servedPages } from './served-pages.ts'
import { openTab } from './tab.ts'

const use = releasing(afterAll)
const pages = servedPages(use)

test('home loads without the canvas', { timeout: 120_000 }, async () => {
  const tab = use(await openTab(pages.browser, 'about:blank'))
  const loaded: Promise<[string, number]>[] = []
  tab.page.on('response', answer =>
    loaded.push(answer.body().then(body => [new URL(answer.url()).pathname, body.byteLength])),
  )
  await tab.page.goto(pages.instance.url, { waitUntil: 'networkidle' })
  await tab.page.getByTestId('new-board').waitFor()
  const files = await Promise.all(loaded)
  expect(files.filter(([path]) => path.includes('board-page'))).toEqual([])
  expect(files.reduce((sum, [, bytes]) => sum + bytes, 0)).toBeLessThan(300_000)
})

test('somebody’s name and colour are theirs to choose: the others see them, and the next visit too', {
  timeout: 120_000,
}, async () => {
  const [alice, bob] = [await pages.open('names'), await pages.open('names')]
  await edit(alice, `createShape({ id: 'shape:a', type: 'note', x: 300, y: 300 })`)
  await alice.page.mouse.move(500, 500)
  await alice.page.locator('[data-self=true]').click()
  const card = alice.page.getByTestId('own-card')
  await card.getByRole('textbox').fill('Zoë from Zürich')
  await card.getByRole('radio', { name: '#c92a2a' }).check()
  await alice.page.keyboard.press('Enter')
  await card.waitFor({ state: 'detached' })

  const shown = bob.page.locator('[data-testid=presence-avatar][title="Zoë from Zürich"]')
  await shown.waitFor()
  // The name was there first: it was chosen first.
  await until(async () => (await shown.getAttribute('style'))?.includes('rgb(201, 42, 42)'))
  await alice.page.mouse.move(520, 520)
  await bob.cursors.filter({ hasText: 'Zoë from Zürich' }).waitFor()
  // It is still the same canvas: what was done before can be undone.
  expect(await ask(alice, 'editor.getCanUndo()')).toBe(true)
  expect(await ask(alice, 'editor.user.getName()')).toBe('Zoë from Zürich')

  await alice.page.reload()
  await alice.ready()
  await until(async () => (await alice.userName()) === 'Zoë from Zürich')
  for (const tab of [alice, bob]) expect(tab.complaints).toEqual([])
})

test('a tab is named after its board, whose menu leads to all boards and hands it out as a file', {
  timeout: 90_000,
}, async () => {
  const body = JSON.stringify({ id: 'named', title: 'Plans for May' })
  const headers = { 'content-type': 'application/json' }
  expect((await fetch(`${pages.instance.url}/v1/boards`, { method: 'POST', headers, body })).status).toBe(201)
  const [alice, bob] = [await pages.open('named'), await pages.open('nameless')]
  const asked: string[] = []
  alice.page.on('request', request => asked.push(new URL(request.url()).pathname))
  await alice.page.reload()
  await until(async () => (await alice.page.title()) === 'Plans for May · boardsync')
  await until(async () => (await bob.page.title()) === 'nameless · boardsync')
  // For that the server would count what is on the board.
  expect(asked).not.toContain('/v1/boards/named')

  const choose = async (name: string) => {
    await alice.page.getByTestId('main-menu.button').click()
    await alice.page.getByRole('menuitem', { name }).click()
  }
  const download = alice.page.waitForEvent('download')
  await choose('Download board')
  expect((await download).suggestedFilename()).toBe('named.tldr')
  await choose('All boards')
  await alice.page.waitForURL(`${pages.instance.url}/`)
  for (const tab of [alice, bob]) expect(tab.complaints).toEqual([])
})

test('records that tldraw cannot show are set aside, and said to be; everything else is shown and goes on', {
  timeout: 120_000,
}, async () => {
  const alice = await pages.open('broken')
  await edit(alice, `createShape({ id: 'shape:good', type: 'geo', x: 300, y: 300 })`)
  await reaches(alice, 'saved')
  const { doc, synced } = use(connectStock(pages.instance.wsUrl, 'broken'))
  await synced
  const good = await ask<{ id: string; typeName: string; props: object }>(alice, `editor.getShape('shape:good')`)
  doc.transact(() => {
    putRecord(doc, { ...good, id: 'shape:colour', props: { ...good.props, color: 'no colour' } })
    putRecord(doc, { ...good, id: 'shape:future', type: 'hologram' })
    putRecord(doc, { ...good, id: 'shape:itself', parentId: 'shape:itself' })
    putRecord(doc, { ...good, id: 'shape:later', x: 700 })
    recordsOf(doc).set('junk', 42)
  })
  await alice.shape('[data-shape-id="shape:later"]').waitFor()
  await until(async () => (await alice.page.getByTestId('set-aside').textContent())?.startsWith('3 things'))
  await alice.shape('[data-shape-id="shape:itself"]').waitFor()
  await edit(alice, `updateShape({ id: 'shape:later', type: 'geo', x: 800 })`)
  await reaches(alice, 'saved')
  await alice.page.reload()
  await alice.ready()
  expect(await ask(alice, 'editor.getCurrentPageShapes().length')).toBe(3)
  expect(alice.complaints).toEqual([])
})

test('a board that a newer page has written to asks for a reload, and is not written to', {
  timeout: 120_000,
}, async () => {
  const alice = await pages.open('newer')
  await edit(alice, `createShape({ id: 'shape:good', type: 'geo', x: 300, y: 300 })`)
  await reaches(alice, 'saved')
  const { doc, synced } = use(connectStock(pages.instance.wsUrl, 'newer'))
  await synced
  const { sequences } = serializedSchema as { sequences: Record<string, number> }
  metaOf(doc).set('schema', { schemaVersion: 2, sequences: { ...sequences, 'com.tldraw.shape.geo': 99 } })
  const message = alice.page.getByTestId('closed-message')
  await message.waitFor()
  expect(await message.getAttribute('data-kind')).toBe('outdated')
  await message.getByRole('button', { name: 'Reload' }).waitFor()
  await until(() => ask(alice, 'editor.getIsReadonly()'))
  // What arrives is still shown.
  const good = await ask<{ id: string; typeName: string }>(alice, `editor.getShape('shape:good')`)
  putRecord(doc, { ...good, id: 'shape:later', x: 700 })
  await alice.shape('[data-shape-id="shape:later"]').waitFor()
  expect(alice.complaints).toEqual([])
})
