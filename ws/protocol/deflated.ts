/** A message → the same deflated, for peers that asked for it (`core/contract/deflated.ts`). Pure. */
import { deflateRawSync } from 'node:zlib'
import * as encoding from 'lib0/encoding'
import { deflatedType, inflatedBytesAtMost } from '../../core/contract/deflated.ts'

/** The cursors of two; below it a frame is one packet either way. */
const worthItFromBytes = 1024
/**
 * What is longer than the bound goes as it is: 1 MiB takes 5 ms. Of the cursors of a hundred (42 kB) level 1 leaves 16.1 %
 * in 0.14 ms, level 6 15.1 % in 0.32 ms.
 */
const level = 1

/** @returns the very same frame where deflating would bring nothing */
export function deflated(frame: Uint8Array): Uint8Array {
  if (frame.byteLength < worthItFromBytes || frame.byteLength > inflatedBytesAtMost) return frame
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, deflatedType)
  encoding.writeVarUint(encoder, frame.byteLength)
  encoding.writeUint8Array(encoder, deflateRawSync(frame, { level }))
  return encoding.length(encoder) < frame.byteLength ? encoding.toUint8Array(encoder) : frame
}
