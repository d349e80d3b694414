/** Has a stock WebsocketProvider take deflated messages (`core/contract/deflated.ts`): other people's cursors come so. */
import { inflateSync } from 'fflate'
import * as decoding from 'lib0/decoding'
import { messageAwareness, type WebsocketProvider } from 'y-websocket'
import { deflatedType, inflatedBytesAtMost } from '../../../core/contract/deflated.ts'

/** What cannot be read throws, as in the stock handlers: it costs this one message, and the console says so. */
export function takeDeflated({ messageHandlers }: Pick<WebsocketProvider, 'messageHandlers'>): void {
  messageHandlers[deflatedType] = (encoder, decoder, provider, emitSynced) => {
    const length = decoding.readVarUint(decoder)
    if (length > inflatedBytesAtMost) throw new Error(`a deflated message of ${length} bytes`)
    // Given a place to write to, fflate takes no more than that, however much the bytes inflate to.
    const message = inflateSync(decoding.readTailAsUint8Array(decoder), { out: new Uint8Array(length) })
    const inner = decoding.createDecoder(message)
    const type = decoding.readVarUint(inner)
    if (type !== messageAwareness) throw new Error(`a deflated message of type ${type}`)
    messageHandlers[messageAwareness]?.(encoder, inner, provider, emitSynced, type)
  }
}
