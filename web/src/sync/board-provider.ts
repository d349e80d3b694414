/** The stock provider as a board uses it: it does nothing by itself, and sends none of this page's edits until it is told to. */
import { WebsocketProvider } from 'y-websocket'
import type * as Y from 'yjs'
import { tameAwareness } from './awareness-traffic.ts'
import { takeDeflated } from './deflated.ts'

export function boardProvider(wsUrl: string, boardId: string, doc: Y.Doc): WebsocketProvider {
  const provider = new WebsocketProvider(wsUrl, encodeURIComponent(boardId), doc, {
    connect: false,
    // Tabs of one browser would else share edits behind the server's back, before they are safe.
    disableBc: true,
  })
  tameAwareness(provider)
  takeDeflated(provider)
  doc.off('update', provider._updateHandler)
  return provider
}

/** From now on. What was edited before goes out in answer to the server's step 1. */
export function sendEdits({ doc, _updateHandler }: WebsocketProvider): void {
  doc.on('update', _updateHandler)
}
