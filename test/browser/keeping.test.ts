/** What this browser keeps of a board: edits outlive a reload while the server is away, and are never pushed where they don't belong. */
import { readFile } from 'node:fs/promises'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { grantOf } from '../../core/auth/grant.ts'
import { SyncError } from '../../core/base/errors.ts'
import { everyBoard, type Role } from '../../core/contract/role.ts'
import { ensurePageBuilt } from '../../web/build.ts'
import { launchChromium } from '../kit/chromium.ts'
import { freePort } from '../kit/free-port.ts'
import { releasing } from '../kit/releasing.ts'
import { freshBoard, Site } from '../kit/site.ts'
import { until } from '../kit/until.ts'
import { allShow, ask, edit, hasUnsaved, ownComplaints, reaches } from './canvas.ts'
import { openTab, type Tab } from './tab.ts'

const use = releasing(afterAll)
let browser: Browser
let page: string
beforeAll(async () => {
  page = await ensurePageBuilt()
  browser = use(await launchChromium(), given => given.close())
})

/** A server whose answer to sockets a test changes as it goes. Pages are always served. */
async function startSite(settings: Record<string, string> = {}) {
  const sockets: { role: Role; refusal: SyncError | undefined } = { role: 'admin', refusal: undefined }
  const authenticate = async () => {
    if (sockets.refusal) throw sockets.refusal
    const rights = new Map([[everyBoard, sockets.role]])
    return grantOf({ subject: 'anyone', authenticated: false, rights, basis: { issuer: 'the test' } })
  }
  const site = use(await Site.start({ page, authenticate, settings }))
  return { site, sockets }
}

const away = new SyncError('storage-unavailable', 'away, as far as the test goes')
async function open(site: Site, board: string): Promise<Tab> {
  const tab = use(await openTab(browser, `${site.url}/b/${board}`))
  // The page may ask whether somebody with unsaved edits means to leave.
  tab.page.on('dialog', dialog => void dialog.accept())
  return tab
}
const note = (id: string, x: number) => `createShape({ id: 'shape:${id}', type: 'note', x: ${x}, y: 100 })`
const message = (tab: Tab) => tab.page.getByTestId('closed-message')

/** How many updates the browser holds of the only board it has seen. */
const keptUpdates = ({ page: tab }: Tab) =>
  tab.evaluate<number>(`indexedDB.databases().then(([{ name }]) => new Promise((resolve, reject) => {
    const opening = indexedDB.open(name)
    opening.onerror = reject
    opening.onsuccess = () => {
      const counting = opening.result.transaction('updates').objectStore('updates').count()
      counting.onsuccess = () => {
        opening.result.close()
        resolve(counting.result)
      }
    }
  }))`)

test('edits made while the server is away outlive reloads, shown as unsaved, and are merged on return', {
  timeout: 120_000,
}, async () => {
  const { site, sockets } = await startSite()
  const board = freshBoard()
  const [alice, bob] = [await open(site, board), await open(site, board)]
  await Promise.all([alice.ready(), bob.ready()])
  await edit(alice, note('one', 100))
  await edit(alice, note('two', 400))
  await allShow(
    [bob],
    [
      ['one', 100, 100, 'black'],
      ['two', 400, 100, 'black'],
    ],
  )
  await reaches(alice, 'saved')

  sockets.refusal = away
  await alice.page.reload()
  await alice.ready()
  await reaches(alice, 'reconnecting')
  expect(await hasUnsaved(alice)).toBe(false)
  await edit(alice, `updateShape({ id: 'shape:one', type: 'note', x: 150 })`)
  await edit(alice, `deleteShapes(['shape:two'])`)
  await edit(alice, note('three', 700))
  await edit(bob, `updateShape({ id: 'shape:one', type: 'note', props: { color: 'red' } })`)
  await until(() => hasUnsaved(alice))

  await alice.page.reload()
  await alice.ready()
  await allShow(
    [alice],
    [
      ['one', 150, 100, 'black'],
      ['three', 700, 100, 'black'],
    ],
  )
  expect(await alice.status()).toBe('reconnecting')
  expect(await hasUnsaved(alice)).toBe(true)

  sockets.refusal = undefined
  await reaches(alice, 'saved')
  await allShow(
    [alice, bob],
    [
      ['one', 150, 100, 'red'],
      ['three', 700, 100, 'black'],
    ],
  )
  expect(await hasUnsaved(alice)).toBe(false)
  for (const tab of [alice, bob]) expect(ownComplaints(tab)).toEqual([])
})

test('who signs in again over unsaved edits is told that they are kept, is not asked whether to leave, and has them saved', {
  timeout: 120_000,
}, async () => {
  const { site, sockets } = await startSite()
  const board = freshBoard()
  const alice = await open(site, board)
  const dialogs: string[] = []
  alice.page.on('dialog', dialog => dialogs.push(dialog.type()))
  await alice.ready()
  await edit(alice, note('one', 100))
  await reaches(alice, 'saved')
  sockets.refusal = away
  await alice.page.reload()
  await alice.ready()
  await alice.page.mouse.click(600, 400)
  await edit(alice, note('two', 400))
  await until(() => hasUnsaved(alice))
  sockets.refusal = new SyncError('credential-expired', 'as the test says')
  await message(alice).getByText('kept in this browser').waitFor()

  await alice.page.route('**/v1/session', route => route.fulfill({ status: 201, json: { subject: 'alice' } }))
  await message(alice).getByLabel('Your API key or token').fill('another')
  sockets.refusal = undefined
  await message(alice).getByRole('button', { name: 'Sign in' }).click()
  await message(alice).waitFor({ state: 'detached' })
  await reaches(alice, 'saved')
  await allShow(
    [alice],
    [
      ['one', 100, 100, 'black'],
      ['two', 400, 100, 'black'],
    ],
  )
  expect(dialogs).toEqual([])
  expect(ownComplaints(alice)).toEqual([])
})

test('a board that began anew gets nothing of what browsers had kept of the old one, unsaved edits are handed out', {
  timeout: 120_000,
}, async () => {
  const settings = { PORT: String(await freePort()) }
  const { site, sockets } = await startSite(settings)
  const board = freshBoard()
  const [alice, bob] = [await open(site, board), await open(site, board)]
  await Promise.all([alice.ready(), bob.ready()])
  await edit(alice, note('old', 100))
  await allShow([bob], [['old', 100, 100, 'black']])
  await reaches(alice, 'saved')
  sockets.refusal = away
  await alice.page.reload()
  await alice.ready()
  await edit(alice, note('unsaved', 300))
  await until(() => hasUnsaved(alice))
  await Promise.all([alice, bob].map(tab => tab.page.goto('about:blank')))
  await site.stop()

  // Another database under the same address: for browsers it is the same board.
  const { site: other } = await startSite(settings)
  const carol = await open(other, board)
  await carol.ready()
  await edit(carol, note('new', 500))
  await reaches(carol, 'saved')
  await Promise.all([alice, bob].map(tab => tab.page.goto(carol.page.url())))
  await allShow([bob, carol], [['new', 500, 100, 'black']])

  await message(alice).waitFor()
  expect(await message(alice).getAttribute('data-kind')).toBe('begun-anew')
  const [download] = await Promise.all([
    alice.page.waitForEvent('download'),
    message(alice).getByRole('button', { name: 'Download' }).click(),
  ])
  expect(await readFile(await download.path(), 'utf8')).toContain('shape:unsaved')
  await message(alice).getByRole('button', { name: 'Discard' }).click()
  await allShow([alice, bob, carol], [['new', 500, 100, 'black']])
  await edit(alice, note('more', 800))
  await allShow(
    [alice, bob, carol],
    [
      ['more', 800, 100, 'black'],
      ['new', 500, 100, 'black'],
    ],
  )
  for (const tab of [alice, bob, carol]) expect(ownComplaints(tab)).toEqual([])
})

test('who may only look is told, cannot edit, and can keep as a file what was refused', {
  timeout: 120_000,
}, async () => {
  const { site, sockets } = await startSite()
  const board = freshBoard()
  const alice = await open(site, board)
  await alice.ready()
  await edit(alice, note('one', 100))
  await reaches(alice, 'saved')

  sockets.role = 'read'
  const carol = await open(site, board)
  await carol.ready()
  await carol.page.getByTestId('view-only').waitFor()
  await until(() => ask(carol, 'editor.getIsReadonly()'))
  await edit(alice, `updateShape({ id: 'shape:one', type: 'note', x: 300 })`)
  await allShow([carol], [['one', 300, 100, 'black']])
  expect(await hasUnsaved(carol)).toBe(false)

  // Alice had more rights when she edited without the server.
  sockets.refusal = away
  await alice.page.reload()
  await alice.ready()
  await edit(alice, note('refused', 700))
  await until(() => hasUnsaved(alice))
  sockets.refusal = undefined
  const notice = alice.page.getByTestId('refused-edits')
  await notice.waitFor()
  const [download] = await Promise.all([
    alice.page.waitForEvent('download'),
    notice.getByRole('button', { name: 'Download' }).click(),
  ])
  const file = JSON.parse(await readFile(await download.path(), 'utf8'))
  expect(file.records.map(({ id }: { id: string }) => id)).toContain('shape:refused')
  await notice.getByRole('button', { name: 'Discard' }).click()
  await allShow([alice, carol], [['one', 300, 100, 'black']])
  await notice.waitFor({ state: 'detached' })

  // Another name is no edit, though the board knows her by the one she edited under.
  await alice.page.getByTestId('view-only').waitFor()
  await alice.page.locator('[data-self=true]').click()
  await alice.page.getByLabel('Your name').fill('Teal Heron')
  await carol.page.locator('[data-testid=presence-avatar][title="Teal Heron"]').waitFor()
  expect(await hasUnsaved(alice)).toBe(false)
  expect(await notice.count()).toBe(0)
  for (const tab of [alice, carol]) expect(ownComplaints(tab)).toEqual([])
})

test('a browser that can note nothing any more shows the board all the same, and edits are saved', {
  timeout: 120_000,
}, async () => {
  const { site } = await startSite()
  const board = freshBoard()
  const [alice, bob] = [await open(site, board), await open(site, board)]
  await Promise.all([alice.ready(), bob.ready()])
  await edit(alice, note('one', 100))
  await reaches(alice, 'saved')
  await alice.page.addInitScript(`
    const { put } = IDBObjectStore.prototype
    IDBObjectStore.prototype.put = function (...given) {
      if (this.name === 'custom') throw new DOMException('the disk is full', 'QuotaExceededError')
      return put.apply(this, given)
    }`)
  await alice.page.reload()
  await alice.ready()
  await edit(alice, note('two', 400))
  await allShow(
    [alice, bob],
    [
      ['one', 100, 100, 'black'],
      ['two', 400, 100, 'black'],
    ],
  )
  await reaches(alice, 'saved')
  for (const tab of [alice, bob]) expect(ownComplaints(tab)).toEqual([])
})

test('a board that is full: the edits can be kept as a file, and given up', { timeout: 120_000 }, async () => {
  const { site } = await startSite({ MAX_BOARD_BYTES: '40000' })
  const board = freshBoard()
  const alice = await open(site, board)
  await alice.ready()
  await edit(alice, note('small', 100))
  await reaches(alice, 'saved')
  await edit(
    alice,
    `createShape({ id: 'shape:large', type: 'note', x: 500, y: 100, meta: { filling: 'x'.repeat(60000) } })`,
  )
  await message(alice).waitFor()
  expect(await message(alice).getAttribute('data-code')).toBe('4413')
  const [download] = await Promise.all([
    alice.page.waitForEvent('download'),
    message(alice).getByRole('button', { name: 'Download' }).click(),
  ])
  expect(await readFile(await download.path(), 'utf8')).toContain('shape:large')

  // A reload does not lose them, and does not get past the limit either.
  await alice.page.reload()
  await message(alice).waitFor()
  await message(alice).getByRole('button', { name: 'Discard' }).click()
  await message(alice).waitFor({ state: 'detached' })
  await allShow([alice], [['small', 100, 100, 'black']])
  await edit(alice, `updateShape({ id: 'shape:small', type: 'note', x: 200 })`)
  await reaches(alice, 'saved')
  expect(ownComplaints(alice)).toEqual([])
})

test.each([
  ['board-deleted', '4404'],
  ['board-forbidden', '4403'],
  ['credential-invalid', '4401'],
] as const)(
  '%s is said in words, once and for all, and what the browser had kept is not shown',
  {
    timeout: 120_000,
  },
  async (code, shown) => {
    const { site, sockets } = await startSite()
    const board = freshBoard()
    const alice = await open(site, board)
    await alice.ready()
    await edit(alice, note('one', 100))
    await reaches(alice, 'saved')
    sockets.refusal = new SyncError(code, 'as the test says')
    await alice.page.reload()
    await message(alice).waitFor()
    expect(await message(alice).getAttribute('data-code')).toBe(shown)
    expect(await alice.page.locator('.tl-canvas').count()).toBe(0)
    expect(await message(alice).getByRole('button', { name: 'Discard' }).count()).toBe(0)

    // What is gone for good is not kept either; the rest is, for when the server is away.
    if (code === 'board-deleted') {
      await until(async () => (await keptUpdates(alice)) === 0)
    } else {
      sockets.refusal = away
      await alice.page.reload()
      await allShow([alice], [['one', 100, 100, 'black']])
    }
    expect(ownComplaints(alice)).toEqual([])
  },
)
