/** What people drop or paste: pictures are uploaded under their hash and kept until they are, boards come in, the rest is refused. */
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { launchChromium } from '../kit/chromium.ts'
import { type Instance, startInstance } from '../kit/instance.ts'
import { releasing } from '../kit/releasing.ts'
import { until } from '../kit/until.ts'
import { pixel, sha256 } from '../rest/pictures.ts'
import { ask, edit, ownComplaints, reaches } from './canvas.ts'
import { openTab, type Tab } from './tab.ts'

const use = releasing(afterAll)
const key = 'the-key-of-these-people'
let browser: Browser
let server: Instance
beforeAll(async () => {
  browser = use(await launchChromium(), given => given.close())
  server = use(await startInstance())
}, 120_000)

async function open(board: string, { url } = server): Promise<Tab> {
  const tab = use(await openTab(browser, `${url}/b/${board}`))
  // The page may ask whether somebody with unsaved edits means to leave.
  tab.page.on('dialog', dialog => void dialog.accept())
  return tab
}

interface Given {
  name: string
  type: string
  bytes: Uint8Array
}
const png: Given = { name: 'dot.png', type: 'image/png', bytes: pixel }

const fileOf = ({ name, type, bytes }: Given) =>
  `new File([new Uint8Array(${JSON.stringify([...bytes])})], '${name}', { type: '${type}' })`

/** As a browser does it when files are let go over the canvas. */
const drop = ({ page }: Tab, given: Given) =>
  page.evaluate(`(() => {
    const dataTransfer = new DataTransfer()
    dataTransfer.items.add(${fileOf(given)})
    const place = { clientX: 600, clientY: 400, bubbles: true, cancelable: true, dataTransfer }
    document.querySelector('.tl-canvas').dispatchEvent(new DragEvent('drop', place))
  })()`)

const paste = (tab: Tab, given: Given) => edit(tab, `putExternalContent({ type: 'files', files: [${fileOf(given)}] })`)

const sources = (tab: Tab): Promise<(string | null)[]> => ask(tab, 'editor.getAssets().map(({ props }) => props.src)')
const addressOn = (board: string) => `/v1/boards/${board}/assets/${sha256(pixel)}`

async function shows(tab: Tab, board: string): Promise<void> {
  await until(async () => (await sources(tab)).join() === addressOn(board), { what: `the address on ${board}` })
  const isDrawn = `[...document.querySelectorAll('.tl-image')].some(image =>
    image.src.endsWith('${addressOn(board)}') && image.complete && image.naturalWidth === 1)`
  await until(() => tab.page.evaluate<boolean>(isDrawn), { what: 'the picture to be drawn' })
}

const failing = ({ page }: Tab) => page.getByTestId('failing-pictures')
const toast = ({ page }: Tab) => page.locator('.tlui-toast__title')
const uploads = '**/v1/boards/*/assets/*'
const refuseUploads = (page: Page) => page.route(uploads, route => route.abort('connectionrefused'))

test('a picture that is dropped is uploaded under its hash; the record holds its address, and everybody sees it', {
  timeout: 90_000,
}, async () => {
  const [alice, bob] = [await open('dropped'), await open('dropped')]
  await Promise.all([alice.ready(), bob.ready()])
  await drop(alice, png)
  await Promise.all([shows(alice, 'dropped'), shows(bob, 'dropped')])
  await reaches(alice, 'saved')
  const kept = await fetch(server.url + addressOn('dropped'))
  expect(Buffer.from(await kept.arrayBuffer())).toEqual(pixel)
  expect(await ask<string>(bob, 'JSON.stringify(editor.store.serialize())')).not.toContain('data:')
  for (const tab of [alice, bob]) expect(tab.complaints).toEqual([])
})

test('the cookie of who is signed in is enough to put a picture and to see it', { timeout: 90_000 }, async () => {
  const locked = use(await startInstance({ ADMIN_KEY: key }))
  const alice = await open('signed-in', locked)
  await alice.page.getByLabel('Your API key or token').fill(key)
  await alice.page.getByRole('button', { name: 'Sign in' }).click()
  await alice.ready()
  await paste(alice, png)
  await shows(alice, 'signed-in')
  expect((await fetch(locked.url + addressOn('signed-in'))).status).toBe(401)
})

/** Asks for another try, unless the page's own came first. */
async function tryNow(person: Parameters<typeof failing>[0]): Promise<void> {
  const gone = failing(person).waitFor({ state: 'detached' })
  const asked = failing(person).getByRole('button', { name: 'Try now' }).click()
  await Promise.race([asked, gone])
}

test('an upload that fails is said to, counts as unsaved, and is tried until the server has the picture', {
  timeout: 90_000,
}, async () => {
  const [alice, bob] = [await open('failing'), await open('failing')]
  await Promise.all([alice.ready(), bob.ready()])
  await refuseUploads(alice.page)
  await paste(alice, png)
  await failing(alice).waitFor()
  await reaches(alice, 'saving')
  await until(async () => (await sources(bob)).length === 1)
  expect(await sources(bob)).not.toContain(addressOn('failing'))

  await alice.page.unroute(uploads)
  await tryNow(alice)
  await shows(bob, 'failing')
  await failing(alice).waitFor({ state: 'detached' })
  await reaches(alice, 'saved')
  expect(ownComplaints(alice)).toEqual([])
})

test('a picture that could not be uploaded outlives a reload, and is uploaded then', { timeout: 90_000 }, async () => {
  const alice = await open('reloaded')
  await alice.ready()
  await refuseUploads(alice.page)
  await paste(alice, png)
  await failing(alice).waitFor()
  await alice.page.reload()
  await alice.ready()
  await failing(alice).waitFor()
  // It is shown all the while to whoever put it there.
  await alice.page.locator('.tl-image[src^="blob:"]').waitFor()
  await alice.page.unroute(uploads)
  await tryNow(alice)
  await shows(alice, 'reloaded')

  await alice.page.reload()
  await alice.ready()
  await shows(alice, 'reloaded')
  expect(await failing(alice).count()).toBe(0)
  expect(ownComplaints(alice)).toEqual([])
})

test('a picture that could not be uploaded outlives also a board of which the browser’s copy cannot be read', {
  timeout: 90_000,
}, async () => {
  const alice = await open('unreadable')
  await alice.ready()
  await refuseUploads(alice.page)
  await paste(alice, png)
  await failing(alice).waitFor()
  await alice.page.addInitScript(`
    const { getAllKeys } = IDBObjectStore.prototype
    IDBObjectStore.prototype.getAllKeys = function (...given) {
      const isFirst = this.name === 'custom' && !sessionStorage.getItem('damaged')
      if (!isFirst) return getAllKeys.apply(this, given)
      sessionStorage.setItem('damaged', 'yes')
      throw new DOMException('the disk is damaged', 'UnknownError')
    }`)
  await alice.page.reload()
  await failing(alice).waitFor()
  expect(await alice.page.evaluate('sessionStorage.getItem("damaged")')).toBe('yes')
  await alice.page.unroute(uploads)
  await tryNow(alice)
  await shows(alice, 'unreadable')
  expect(ownComplaints(alice)).toEqual([])
})

test('a picture that is pasted twice while it is being uploaded is on the board twice', {
  timeout: 90_000,
}, async () => {
  const alice = await open('twice')
  await alice.ready()
  let release = () => {}
  const given = new Promise<void>(resolve => {
    release = resolve
  })
  let asked = 0
  await alice.page.route(uploads, async route => {
    asked++
    await given
    await route.fallback()
  })
  await paste(alice, png)
  await until(() => asked > 0)
  await paste(alice, png)
  await until(() => ask(alice, 'editor.getCurrentPageShapes().length === 2'))
  release()
  await shows(alice, 'twice')
  await reaches(alice, 'saved')
  expect(await ask(alice, 'editor.getCurrentPageShapes().length')).toBe(2)
  expect(await alice.page.locator('.tl-image').count()).toBe(2)
  expect(await toast(alice).count()).toBe(0)
  expect(alice.complaints).toEqual([])
})

test('a picture that cannot be uploaded can be given up: it leaves the board, and nothing is tried any more', {
  timeout: 90_000,
}, async () => {
  const alice = await open('given-up')
  await alice.ready()
  await refuseUploads(alice.page)
  await paste(alice, png)
  await failing(alice).getByRole('button', { name: 'Remove' }).click()
  await reaches(alice, 'saved')
  expect(await ask(alice, '[editor.getCurrentPageShapes().length, editor.getAssets().length]')).toEqual([0, 0])
  await alice.page.reload()
  await alice.ready()
  expect(await alice.status()).toBe('connected')
})

test.each<Given>([
  { name: 'drawing.svg', type: 'image/svg+xml', bytes: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>') },
  { name: 'film.mp4', type: 'video/mp4', bytes: Buffer.from('ftyp') },
])(
  '$name is no picture for a board: it is refused in words, and nothing is left of it',
  {
    timeout: 120_000,
  },
  async given => {
    const alice = await open(`refused-${given.name.split('.')[0]}`)
    await alice.ready()
    await drop(alice, given)
    await toast(alice).filter({ hasText: 'A board takes PNG, JPEG, WebP and GIF pictures' }).waitFor()
    expect(await ask(alice, 'editor.getCurrentPageShapes().length + editor.getAssets().length')).toBe(0)
    expect(alice.complaints).toEqual([])
  },
)

test('a .tldr file that is dropped comes onto the board, or is refused in words', { timeout: 120_000 }, async () => {
  const alice = await open('imported')
  await alice.ready()
  const taken = await fetch(`${server.url}/v1/boards/taken/items`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ type: 'sticky', id: 'kept', x: 300, y: 300, content: { text: 'Kept' } }),
  })
  expect(taken.ok).toBe(true)
  const exported = await fetch(`${server.url}/v1/boards/taken/export`)
  const bytes = Buffer.from(await exported.arrayBuffer())
  const says = (text: string) => toast(alice).filter({ hasText: text }).waitFor()

  await drop(alice, { name: 'taken.tldr', type: '', bytes })
  await says('taken.tldr: 1 thing came onto this board')
  await alice.shape('[data-shape-type=note]').getByText('Kept').waitFor()
  await drop(alice, { name: 'broken.tldr', type: '', bytes: bytes.subarray(9) })
  await says('broken.tldr could not be put on this board: ')
  await edit(alice, 'updateInstanceState({ isReadonly: true })')
  await drop(alice, { name: 'again.tldr', type: '', bytes })
  await says('You may only look at this board')
  expect(await ask(alice, 'editor.getCurrentPageShapes().length')).toBe(1)
  expect(ownComplaints(alice)).toEqual([])
})

test('SVG pasted as text is refused in the same words', { timeout: 120_000 }, async () => {
  const alice = await open('refused-text')
  await alice.ready()
  await edit(alice, `putExternalContent({ type: 'svg-text', text: '<svg xmlns="http://www.w3.org/2000/svg"/>' })`)
  await toast(alice).filter({ hasText: 'A board takes PNG, JPEG, WebP and GIF pictures' }).waitFor()
  expect(alice.complaints).toEqual([])
})
