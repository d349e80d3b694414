/**
 * A document's whole state as it lies in a snapshot. As one Yjs V2 update it takes least room, of what is drawn over and over two
 * hundred times less. A big board that is mostly what one sees on it lies there cut, as it goes out to who opens it: nothing is
 * left to do for the first who comes but to unpack it.
 */
import { lengthOf } from '../base/byte-parts.ts'

/** One V2 update, or cut. */
export type StateBytes = Uint8Array | DocumentBytes

/** A document as bytes. */
export interface DocumentBytes {
  /** V1 updates, in order. */
  slices: Uint8Array[]
  stateVector: Uint8Array
}

export const isCut = (state: StateBytes): state is DocumentBytes => !(state instanceof Uint8Array)

/** Bytes, without what they are packed in. */
export const sizeOf = (state: StateBytes): number => (isCut(state) ? lengthOf(state.slices) : state.byteLength)
