/** Bytes ⇄ awareness states (y-protocols awareness.js). A state stays the bytes of its JSON: most are only passed on. */
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'

export interface AwarenessState {
  clientId: number
  clock: number
  /** UTF-8 JSON; `null` (four bytes) says that the client is gone. */
  json: Uint8Array
}

/** More than a thousand people with eight clients each, which is what stock clients send back when they hear it. */
const statesAtMost = 10_000
/** A state of nothing: client id, clock and length. */
const stateBytesAtLeast = 3

const gone = new TextEncoder().encode('null')

/**
 * Whether this says more states than anybody has reason to send: then nobody is to read them, which takes seconds for a few megabytes.
 * @throws Error when so many are not in there
 */
export function hasTooMany(bytes: Uint8Array): boolean {
  const decoder = decoding.createDecoder(bytes)
  const states = decoding.readVarUint(decoder)
  if (states * stateBytesAtLeast > bytes.length - decoder.pos) throw new Error('states cut short')
  return states > statesAtMost
}

/** @throws Error when the bytes are malformed or left over */
export function decodeAwareness(bytes: Uint8Array): AwarenessState[] {
  const decoder = decoding.createDecoder(bytes)
  const states: AwarenessState[] = []
  for (let left = decoding.readVarUint(decoder); left > 0; left--) {
    states.push({
      clientId: decoding.readVarUint(decoder),
      clock: decoding.readVarUint(decoder),
      json: decoding.readVarUint8Array(decoder),
    })
  }
  if (decoder.pos !== bytes.length) throw new Error('bytes left over')
  return states
}

export function encodeAwareness(states: readonly AwarenessState[]): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, states.length)
  for (const state of states) {
    encoding.writeVarUint(encoder, state.clientId)
    encoding.writeVarUint(encoder, state.clock)
    encoding.writeVarUint8Array(encoder, state.json)
  }
  return encoding.toUint8Array(encoder)
}

/** The state that says a client is gone. With the clock it was last seen with, stock clients take it away. */
export const goneState = (clientId: number, clock: number): AwarenessState => ({ clientId, clock, json: gone })

export const isGone = (state: AwarenessState): boolean =>
  state.json.length === gone.length && gone.every((byte, index) => state.json[index] === byte)
