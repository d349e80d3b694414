import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { type Said, shareActions } from './share-actions.ts'

/** As Safari has it: whoever copies has to begin while the button is pressed, though the text may come later. */
class SafariClipboard {
  isPressed = false
  text = ''

  async write([item]: [Item]): Promise<void> {
    this.#checkPress()
    this.text = await (await item.data['text/plain']).text()
  }

  async writeText(text: string): Promise<void> {
    this.#checkPress()
    this.text = text
  }

  #checkPress(): void {
    if (!this.isPressed) throw new Error('NotAllowedError')
  }
}

class Item {
  readonly data: { 'text/plain': Promise<Blob> }

  constructor(data: Item['data']) {
    this.data = data
  }
}

let clipboard: SafariClipboard
let answer: () => Response
beforeEach(() => {
  clipboard = new SafariClipboard()
  answer = () => Response.json({ subject: 'somebody', key: 'bs_new' })
  vi.stubGlobal('navigator', { clipboard })
  vi.stubGlobal('ClipboardItem', Item)
  vi.stubGlobal('location', new URL('https://host/b/plan'))
  vi.stubGlobal('fetch', async () => answer())
})
afterEach(() => vi.unstubAllGlobals())

async function press(label: string): Promise<Said> {
  return new Promise(resolve => {
    clipboard.isPressed = true
    shareActions('plan', resolve)
      .find(action => action.label === label)
      ?.act()
    clipboard.isPressed = false
  })
}

it.each(['Copy link', 'Copy curl command', 'Copy agent briefing'])(
  '“%s” copies also where a browser lets a press alone copy, however long the server takes',
  async label => {
    expect(await press(label)).toMatchObject({ isFailure: false })
    expect(clipboard.text).toContain(label === 'Copy link' ? 'https://host/b/plan' : 'bs_new')
  },
)

it('says what the server said, where it gives no access', async () => {
  answer = () => new Response('', { status: 503 })
  expect(await press('Copy curl command')).toEqual({
    isFailure: true,
    text: 'Command could not be copied: The server answered 503.',
  })
})

it('copies in the older way where a browser does not know the newer one', async () => {
  vi.stubGlobal('ClipboardItem', undefined)
  const copied = press('Copy curl command')
  clipboard.isPressed = true
  expect(await copied).toMatchObject({ isFailure: false })
  expect(clipboard.text).toContain('bs_new')
})
