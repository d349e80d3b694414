/**
 * y-websocket frames written by hand, apart from the server's own code, so that a fault there is not repeated here.
 * The format: https://github.com/yjs/y-protocols/blob/master/PROTOCOL.md
 */

import { inflateRawSync } from 'node:zlib'
import { Doc, encodeStateVector } from 'yjs'

/** Asks for what the sender lacks: `[0, 0, length, state vector]`. */
export const syncStep1 = (doc = new Doc()): Uint8Array => frame(0, 0, encodeStateVector(doc))
/** Answers a step 1: `[0, 1, length, update]`. */
export const syncStep2 = (update: Uint8Array): Uint8Array => frame(0, 1, update)
/** An edit: `[0, 2, length, update]`. */
export const edit = (update: Uint8Array): Uint8Array => frame(0, 2, update)
/** `[1, length, awareness update]` */
export const awareness = (update: Uint8Array): Uint8Array => Uint8Array.from([1, ...length(update), ...update])

export const isSyncStep1 = (frame: Uint8Array): boolean => frame[0] === 0 && frame[1] === 0
export const isSyncStep2 = (frame: Uint8Array): boolean => frame[0] === 0 && frame[1] === 1
export const isEdit = (frame: Uint8Array): boolean => frame[0] === 0 && frame[1] === 2
export const isAwareness = (frame: Uint8Array): boolean => frame[0] === 1

/** Only who offers this pair of subprotocols gets deflated messages: `[100, length of the message, …raw deflate]`. */
export const askingForDeflated = ['boardsync', 'boardsync.deflate']
export const isDeflated = (frame: Uint8Array): boolean => frame[0] === 100

export function inflated(frame: Uint8Array): Uint8Array {
  const end = frame.findIndex((byte, at) => at >= 1 && byte < 0x80)
  const message = Uint8Array.from(inflateRawSync(frame.subarray(end + 1)))
  if (length(message).join() !== frame.subarray(1, end + 1).join()) throw new Error('another length than was said')
  return message
}

/** What stands behind the type bytes and the length of a sync frame. */
export function payloadOf(frame: Uint8Array): Uint8Array {
  const end = frame.findIndex((byte, at) => at >= 2 && byte < 0x80)
  return frame.subarray(end + 1)
}

function frame(type: number, step: number, payload: Uint8Array): Uint8Array {
  return Uint8Array.from([type, step, ...length(payload), ...payload])
}

/** Seven bits per byte, lowest first; the eighth bit says that more follow. */
function length(payload: Uint8Array): number[] {
  const bytes: number[] = []
  let rest = payload.length
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80)
  return [...bytes, rest]
}
