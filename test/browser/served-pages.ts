/** What most tests of the page begin with: an instance, a browser, and people's tabs on the instance's boards. */
import type { Browser, BrowserContextOptions } from 'playwright-core'
import { beforeAll } from 'vitest'
import { launchChromium } from '../kit/chromium.ts'
import { type Instance, startInstance } from '../kit/instance.ts'
import type { Use } from '../kit/releasing.ts'
import { openTab, type Tab } from './tab.ts'

export interface ServedPages {
  /** Both are there once the first test begins. */
  readonly instance: Instance
  readonly browser: Browser
  /** Another person's tab, its canvas ready. */
  open(board: string, theirs?: BrowserContextOptions): Promise<Tab>
}

/**
 * Call at the top of a test file, which shares them.
 *
 * @param use releases after all tests
 */
export function servedPages(use: Use): ServedPages {
  let instance: Instance
  let browser: Browser
  beforeAll(async () => {
    instance = use(await startInstance())
    browser = use(await launchChromium(), given => given.close())
  }, 120_000)
  return {
    get instance() {
      return instance
    },
    get browser() {
      return browser
    },
    async open(board, theirs) {
      const tab = use(await openTab(browser, `${instance.url}/b/${board}`, theirs))
      await tab.ready()
      return tab
    },
  }
}
