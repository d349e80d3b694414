/** What the server says beside the stock protocol's own business: what is committed, and that somebody may only look. */
import * as decoding from 'lib0/decoding'
import { messageYjsSyncStep1, messageYjsUpdate } from 'y-protocols/sync'
import type { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'

const messageType = { sync: 0, auth: 2 } as const

export interface ServerMessages {
  /** The body of a sync message, before the provider reads it. False: it is not read at all. */
  onSync: (message: decoding.Decoder) => boolean
  /** What the server has, by client id: the state vector it opens with. */
  onStateVector: (clocks: Map<number, number>) => void
  /** An edit was refused (or there is no access, in which case the connection ends next). */
  onDenied: (reason: string) => void
  /** The probe came back as an edit does: this user may edit. */
  onAllowed: () => void
}

/** Hears these messages out before the provider does what it does with them. */
export function hearServer(
  provider: WebsocketProvider,
  { onSync, onStateVector, onDenied, onAllowed }: ServerMessages,
) {
  const handlers = provider.messageHandlers
  const handleSync = handlers[messageType.sync]
  handlers[messageType.sync] = (encoder, decoder, ...rest) => {
    const body = decoding.clone(decoder)
    const kind = decoding.readVarUint(body)
    const payload = decoding.readVarUint8Array(body)
    if (kind === messageYjsSyncStep1) onStateVector(Y.decodeStateVector(payload))
    if (kind === messageYjsUpdate && isNothing(payload)) onAllowed()
    if (onSync(decoder)) handleSync?.(encoder, decoder, ...rest)
  }
  // The stock handler prints the whole address, the credential in it.
  handlers[messageType.auth] = (_, decoder) => {
    decoding.readVarUint(decoder)
    onDenied(decoding.readVarString(decoder))
  }
}

/** An update of nothing: no structs, no deletions. */
const nothing = [0, 0]

const isNothing = (update: Uint8Array): boolean => update.length === nothing.length && update.every(byte => byte === 0)

/**
 * Writes nothing, to learn whether this user may write: the server sends an edit back to its author, and answers one it
 * refuses with an auth message. The protocol has no other way to ask, and a board that refuses the first real edit is
 * worse than one that says so beforehand.
 */
export function probe(provider: WebsocketProvider): void {
  const { ws } = provider
  if (ws?.readyState === WebSocket.OPEN)
    ws.send(Uint8Array.of(messageType.sync, messageYjsUpdate, nothing.length, ...nothing))
}
