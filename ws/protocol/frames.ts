/**
 * Bytes ⇄ frames of the y-websocket protocol (y-protocols PROTOCOL.md, y-websocket src/y-websocket.js). Pure.
 *
 *   0 sync: 0 step 1 (state vector) · 1 step 2 (update) · 2 update        2 auth: 0 permission denied (reason)
 *   1 awareness (states)                                                  3 query awareness
 *
 * One message per frame, both ways: stock clients up to 3.x read only the first of a frame.
 */
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { SyncError } from '../../core/base/errors.ts'
import { type AwarenessState, decodeAwareness, encodeAwareness, hasTooMany } from './awareness-codec.ts'

export type Frame =
  | { kind: 'sync-step-1'; stateVector: Map<number, number> }
  | { kind: 'sync-step-2'; update: Uint8Array }
  | { kind: 'update'; update: Uint8Array }
  | { kind: 'awareness'; states: AwarenessState[] }
  /** So many states that they were not read. */
  | { kind: 'awareness-overfull' }
  | { kind: 'query-awareness' }
  /** A message type that is not for us, or that a later version of the protocol may define: ignored. */
  | { kind: 'unknown'; type: number }

const messageType = { sync: 0, awareness: 1, auth: 2, queryAwareness: 3 } as const
const syncType = { step1: 0, step2: 1, update: 2 } as const

/**
 * @param bytes one frame in a buffer of its own: what the result holds are views into it
 * @throws SyncError `frame-malformed`
 */
export function decodeFrame(bytes: Uint8Array): Frame {
  return wellFormed(() => {
    const decoder = decoding.createDecoder(bytes)
    const type = decoding.readVarUint(decoder)
    switch (type) {
      case messageType.sync:
        return complete(decoder, readSync(decoder))
      case messageType.awareness:
        return complete(decoder, readAwareness(decoding.readVarUint8Array(decoder)))
      case messageType.queryAwareness:
        return complete(decoder, { kind: 'query-awareness' })
      default:
        return { kind: 'unknown', type }
    }
  })
}

function readSync(decoder: decoding.Decoder): Frame {
  const type = decoding.readVarUint(decoder)
  const payload = decoding.readVarUint8Array(decoder)
  switch (type) {
    case syncType.step1:
      return { kind: 'sync-step-1', stateVector: decodeStateVector(payload) }
    case syncType.step2:
      return { kind: 'sync-step-2', update: payload }
    case syncType.update:
      return { kind: 'update', update: payload }
    default:
      throw new Error(`unknown sync message ${type}`)
  }
}

const readAwareness = (bytes: Uint8Array): Frame =>
  hasTooMany(bytes) ? { kind: 'awareness-overfull' } : { kind: 'awareness', states: decodeAwareness(bytes) }

/** A Yjs state vector: pairs of client id and clock. */
function decodeStateVector(bytes: Uint8Array): Map<number, number> {
  const decoder = decoding.createDecoder(bytes)
  const vector = new Map<number, number>()
  for (let left = decoding.readVarUint(decoder); left > 0; left--) {
    vector.set(decoding.readVarUint(decoder), decoding.readVarUint(decoder))
  }
  return complete(decoder, vector)
}

export const encodeSyncStep1 = (stateVector: Uint8Array): Uint8Array => encodeSync(syncType.step1, stateVector)
export const encodeSyncStep2 = (update: Uint8Array): Uint8Array => encodeSync(syncType.step2, update)
export const encodeUpdate = (update: Uint8Array): Uint8Array => encodeSync(syncType.update, update)

export function encodeAwarenessFrame(states: readonly AwarenessState[]): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, messageType.awareness)
  encoding.writeVarUint8Array(encoder, encodeAwareness(states))
  return encoding.toUint8Array(encoder)
}

/** Three bytes that say nothing: what a stock client, which hangs up after 30 s of silence, is kept with. */
export const keepAliveFrame: Uint8Array = encodeAwarenessFrame([])

/** y-protocols auth.js: the client learns that its edits are refused and stays connected. */
export function encodePermissionDenied(reason: string): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, messageType.auth)
  encoding.writeVarUint(encoder, 0)
  encoding.writeVarString(encoder, reason)
  return encoding.toUint8Array(encoder)
}

/** Written by hand: every edit passes here, and a big board's megabytes are to be copied once. */
function encodeSync(type: number, payload: Uint8Array): Uint8Array {
  const header = [messageType.sync, type]
  let length = payload.byteLength
  for (; length > 127; length >>>= 7) header.push((length & 127) | 128)
  header.push(length)
  const frame = new Uint8Array(header.length + payload.byteLength)
  frame.set(header)
  frame.set(payload, header.length)
  return frame
}

function complete<T>(decoder: decoding.Decoder, value: T): T {
  if (decoder.pos !== decoder.arr.length) throw new Error('bytes left over')
  return value
}

function wellFormed<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw new SyncError('frame-malformed', 'malformed frame', { cause: error })
  }
}
