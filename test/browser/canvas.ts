/** What a test does on a tab's canvas, and reads from it, through the editor that the page leaves on `window`. */
import { until } from '../kit/until.ts'
import type { Tab } from './tab.ts'

/** @param expression JavaScript about `editor`, tldraw's */
export const ask = <T>({ page }: Tab, expression: string): Promise<T> =>
  page.evaluate<T>(`(editor => ${expression})(boardsync.editor)`)

export const edit = (tab: Tab, action: string): Promise<unknown> => ask(tab, `void editor.${action}`)

export const reaches = (tab: Tab, status: string) =>
  until(async () => (await tab.status()) === status, { what: `status ${status}` })

export const hasUnsaved = async ({ page }: Tab): Promise<boolean> =>
  (await page.getByTestId('connection-indicator').getAttribute('data-unsaved')) === 'true'

/** Every shape of the board as `[id, x, y, colour]`, in the order of their ids. */
export const shapes = (tab: Tab): Promise<string> =>
  ask(
    tab,
    `JSON.stringify(editor.getCurrentPageShapes()
      .map(({ id, x, y, props }) => [id.slice('shape:'.length), Math.round(x), Math.round(y), props.color]).sort())`,
  )

export async function allShow(tabs: Tab[], expected: unknown[]): Promise<void> {
  const wanted = JSON.stringify(expected)
  for (const tab of tabs) {
    let seen = ''
    try {
      await until(async () => {
        seen = await shapes(tab)
        return seen === wanted
      })
    } catch (cause) {
      throw new Error(`shown: ${seen}\nnot:   ${wanted}\ncomplaints: ${tab.complaints.join('; ')}`, { cause })
    }
  }
}

/** Complaints but those that the browser itself makes of a server that is gone. */
export const ownComplaints = ({ complaints }: Tab): string[] =>
  complaints.filter(complaint => !/^console: (WebSocket connection|Failed to load resource)/.test(complaint))
