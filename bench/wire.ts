/** The bytes of the load: y-protocols messages written by hand, in the dialects of the servers under test. */
import { inflateRawSync } from 'node:zlib'
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'

/** What stands around a y-protocols message. */
export interface Dialect {
  /** What a client says before anything else. */
  hello(board: string): Uint8Array[]
  wrap(board: string, message: Uint8Array): Uint8Array
  unwrap(board: string, frame: Uint8Array): Uint8Array
}

export const yWebsocket: Dialect = {
  hello: () => [],
  wrap: (_, message) => message,
  unwrap: (_, frame) => frame,
}

/** The document's name before each message (docs "Websocket protocol"); first of all a token, also where none is needed. */
export const hocuspocus: Dialect = {
  hello: board => [
    bytes(encoder => {
      string(encoder, board)
      ints(encoder, 2, 0)
      string(encoder, 'token')
    }),
  ],
  wrap: (board, message) =>
    bytes(encoder => {
      string(encoder, board)
      encoding.writeUint8Array(encoder, message)
    }),
  unwrap: (board, frame) => frame.subarray(board.length + (board.length < 128 ? 1 : 2)),
}

/** Who offers these gets deflated messages from boardsync (`core/contract/deflated.ts`). */
export const askingForDeflated = ['boardsync', 'boardsync.deflate']
const deflatedType = 100

export type Message =
  | { kind: 'step-1' }
  | { kind: 'step-2' | 'update' | 'awareness'; payload: Uint8Array }
  | { kind: 'other' }

/** Sync messages under type 4 are Hocuspocus's replies. */
export function read(message: Uint8Array): Message {
  const decoder = decoding.createDecoder(message)
  const type = decoding.readVarUint(decoder)
  if (type === 1) return { kind: 'awareness', payload: decoding.readVarUint8Array(decoder) }
  if (type === deflatedType) {
    decoding.readVarUint(decoder)
    return read(inflateRawSync(decoding.readTailAsUint8Array(decoder)))
  }
  if (type !== 0 && type !== 4) return { kind: 'other' }
  const step = decoding.readVarUint(decoder)
  if (step === 0) return { kind: 'step-1' }
  return { kind: step === 1 ? 'step-2' : 'update', payload: decoding.readVarUint8Array(decoder) }
}

const emptyStateVector = Uint8Array.of(0)
const emptyUpdate = Uint8Array.of(0, 0)

/** @param stateVector of what the client has; default: nothing */
export const step1 = (stateVector: Uint8Array = emptyStateVector): Uint8Array => sync(0, stateVector)
export const step2 = (update: Uint8Array = emptyUpdate): Uint8Array => sync(1, update)
export const edit = (update: Uint8Array): Uint8Array => sync(2, update)

export interface CursorState {
  client: number
  clock: number
  json: string
}

export const awareness = (states: readonly CursorState[]): Uint8Array =>
  bytes(encoder => {
    const inner = bytes(states_ => {
      encoding.writeVarUint(states_, states.length)
      for (const { client, clock, json } of states) {
        ints(states_, client, clock)
        string(states_, json)
      }
    })
    ints(encoder, 1)
    encoding.writeVarUint8Array(encoder, inner)
  })

export const isAwareness = ([type]: Uint8Array): boolean => type === 1 || type === deflatedType

export function readAwareness(payload: Uint8Array): CursorState[] {
  const decoder = decoding.createDecoder(payload)
  return Array.from({ length: decoding.readVarUint(decoder) }, () => ({
    client: decoding.readVarUint(decoder),
    clock: decoding.readVarUint(decoder),
    json: decoding.readVarString(decoder),
  }))
}

const sync = (step: number, payload: Uint8Array) =>
  bytes(encoder => {
    ints(encoder, 0, step)
    encoding.writeVarUint8Array(encoder, payload)
  })

function bytes(write: (encoder: encoding.Encoder) => void): Uint8Array {
  const encoder = encoding.createEncoder()
  write(encoder)
  return encoding.toUint8Array(encoder)
}

const string = encoding.writeVarString

function ints(encoder: encoding.Encoder, ...values: number[]): void {
  for (const value of values) encoding.writeVarUint(encoder, value)
}
