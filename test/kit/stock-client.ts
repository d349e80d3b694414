/** A stock client: y-websocket's own provider, unmodified, over `ws`. What it does, every user's client does. */

import { WebSocket } from 'ws'
import type { Awareness } from 'y-protocols/awareness'
import { WebsocketProvider } from 'y-websocket'
import { Doc } from 'yjs'

export interface StockOptions {
  params?: Record<string, string>
  protocols?: string[]
  /** Sent with the upgrade, as a browser sends `Origin` and cookies. */
  headers?: Record<string, string>
  /** With edits made before it connects. */
  doc?: Doc
  awareness?: Awareness
  /** `false` waits for `provider.connect()`. */
  connect?: boolean
}

export interface StockClient {
  readonly doc: Doc
  readonly provider: WebsocketProvider
  readonly awareness: Awareness
  /** The first sync step 2 has been applied. Never rejects: wait for it with a fact of your own where it may not come. */
  readonly synced: Promise<void>
  /** Close codes in order, one for every connection that the server or the network ended. */
  readonly codes: readonly number[]
  /** What it says when it gives up for good (4400–4499). */
  readonly gaveUp: Promise<{ code: number; reason: string }>
  /** Leaves as a closed tab does: its awareness goes first. */
  stop(): void
}

/** @param server as in `instance.wsUrl`; the client appends `/` and the board's id */
export function connectStock(server: string, boardId: string, options: StockOptions = {}): StockClient {
  const { doc = new Doc(), headers, ...given } = options
  const provider = new WebsocketProvider(server, boardId, doc, {
    ...given,
    WebSocketPolyfill: (headers ? withHeaders(headers) : WebSocket) as unknown as typeof globalThis.WebSocket,
    disableBc: true,
  })
  const codes: number[] = []
  provider.on('connection-close', event => {
    if (event) codes.push(event.code) // null: the client itself ended it
  })
  const synced = new Promise<void>(resolve => provider.on('sync', state => state && resolve()))
  const gaveUp = new Promise<{ code: number; reason: string }>(resolve => provider.once('closed', resolve))
  const stop = () => {
    provider.destroy()
    provider.awareness.destroy()
    doc.destroy()
  }
  return { doc, provider, awareness: provider.awareness, synced, codes, gaveUp, stop }
}

function withHeaders(headers: Record<string, string>): typeof WebSocket {
  return class extends WebSocket {
    constructor(address: string | URL, protocols?: string | string[]) {
      super(address, protocols, { headers })
    }
  } as typeof WebSocket
}
