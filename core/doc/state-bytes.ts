/**
 * A document's whole state as it lies in a snapshot. As one Yjs V2 update it takes least room, of what is drawn over and over two
 * hundred times less. A big board that is mostly what one sees on it lies there cut, as it goes out to who opens it: nothing is
 * left to do for the first who comes but to unpack it.
 */
import type * as Y from 'yjs'
import { lengthOf } from '../base/byte-parts.ts'
import type { DocumentBytes } from './slices.ts'

/** One V2 update, or V1 updates in order. */
export type StateBytes = Uint8Array | DocumentBytes

export const isCut = (state: StateBytes): state is DocumentBytes => !(state instanceof Uint8Array)

/** Bytes, without what they are packed in. */
export const sizeOf = (state: StateBytes): number => (isCut(state) ? lengthOf(state.slices) : state.byteLength)

/** What is smaller is read at once, in some 50 ms, and cut when somebody opens it. */
export const cutFromBytes = 512 * 1024
/** With less for each struct more than half of it is history: 9 to 15 bytes for each in V1, and next to none in V2. A note has 450. */
const leastPerStruct = 24

/** @param bytes of its state as V1. @returns whether it is to lie in its snapshot cut */
export function isBestCut(bytes: number, { store }: Y.Doc): boolean {
  if (bytes < cutFromBytes) return false
  let structs = 0
  for (const own of store.clients.values()) structs += own.length
  return bytes >= leastPerStruct * structs
}
