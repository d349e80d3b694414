/** One person's browser tab, as a test sees it: what it shows, what it asks for, and what it complains about. */

import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core'

export interface Tab {
  readonly page: Page
  readonly avatars: Locator
  /** The names on the cursors of the others. */
  readonly cursors: Locator
  /** Console errors, uncaught errors and requests to any host but the server's: nothing, in a healthy page. */
  readonly complaints: string[]
  shape(selector: string): Locator
  /** The connection indicator's word, once the canvas is there. */
  status(): Promise<string | null>
  /** The name this tab's user goes by. */
  userName(): Promise<string>
  /** Resolves when the canvas can be used. */
  ready(): Promise<void>
  /**
   * Milliseconds since 1970 at which `fact`, an expression evaluated in the page, first held on a drawn frame. Ask before
   * acting, await after.
   */
  seenAt(fact: string): Promise<number>
  /** When the user last pressed, moved or released something, in the same clock. */
  lastInputAt(): Promise<number>
  stop(): Promise<void>
}

const seenWithinMs = 15_000

/**
 * A tab in a browser context of its own: another person, who shares no storage with the others.
 *
 * @param theirs what is special about this person's browser: its size, language or theme
 */
export async function openTab(browser: Browser, url: string, theirs: BrowserContextOptions = {}): Promise<Tab> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...theirs })
  const page = await context.newPage()
  const complaints: string[] = []
  const { host } = new URL(url)

  const checkHost = (asked: string) => {
    const { protocol, host: other } = new URL(asked)
    if (protocol !== 'data:' && protocol !== 'blob:' && other !== host) complaints.push(`asked another host: ${asked}`)
  }
  context.on('request', request => checkHost(request.url()))
  page.on('websocket', socket => checkHost(socket.url()))
  page.on('pageerror', error => complaints.push(`uncaught: ${error}`))
  page.on('console', message => {
    if (message.type() === 'error') complaints.push(`console: ${message.text()}`)
  })

  await context.addInitScript(noteInputs)
  await page.goto(url)

  const avatars = page.getByTestId('presence-avatar')
  return {
    page,
    complaints,
    avatars,
    cursors: page.locator('.tl-collaborators .tl-nametag'),
    shape: selector => page.locator(`.tl-shape${selector}`),
    status: () => page.getByTestId('connection-indicator').getAttribute('data-status'),
    userName: async () => (await page.locator('[data-self=true]').getAttribute('title')) ?? '',
    ready: () => page.locator('.tl-canvas').waitFor(),
    seenAt: fact => {
      const seen = page.evaluate<number>(firstFrameWith(fact))
      // Awaited after the act; if that fails first, this must not count as an error of its own.
      seen.catch(() => {})
      return seen
    },
    lastInputAt: () => page.evaluate<number>('lastInputAt'),
    stop: () => context.close(),
  }
}

const noteInputs = `
  for (const kind of ['pointerdown', 'pointermove', 'pointerup', 'keydown']) {
    addEventListener(kind, () => { globalThis.lastInputAt = Date.now() }, true)
  }
`

/** Plain JavaScript, since the page's content security policy lets no test hand it functions to compile. */
const firstFrameWith = (fact: string): string => `new Promise((resolve, reject) => {
  const giveUp = Date.now() + ${seenWithinMs}
  const look = () => {
    if (${fact}) resolve(Date.now())
    else if (Date.now() > giveUp) reject(new Error('never seen: ' + ${JSON.stringify(fact)}))
    else requestAnimationFrame(look)
  }
  look()
})`

/** The budget of the product for what others do to be seen. Reported, not asserted: machines that test are busy ones. */
const budgetMs = 200

export function report(what: string, ms: number): void {
  console.info(`${what}: ${ms} ms of ${budgetMs} ms${ms > budgetMs ? ' (OVER BUDGET)' : ''}`)
}
