/**
 * What an instance tells the others of a commit on `board:{id}:sync`. Pure.
 *
 *   version 1 · instance (string) · epoch · first seq · rows · update (V1, with its length; empty: read the log)
 *
 * All numbers are lib0's variable-length unsigned integers.
 */
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import type { Committed } from '../../core/store/board-log.ts'

const version = 1
/** What is longer is read from the log: a bus that holds it for many subscribers would run out of memory first. */
export const inlineBytesAtMost = 64 * 1024
/** More than any batch or drain writes. */
const rowsAtMost = 10_000

export interface SyncMessage extends Committed {
  instance: string
  /** All rows from `firstSeq` to `lastSeq`, merged; undefined: the log has them. */
  update: Uint8Array | undefined
}

export function encodeSyncMessage({ instance, epoch, firstSeq, lastSeq, update }: SyncMessage): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, version)
  encoding.writeVarString(encoder, instance)
  encoding.writeVarUint(encoder, epoch)
  encoding.writeVarUint(encoder, firstSeq)
  encoding.writeVarUint(encoder, lastSeq - firstSeq + 1)
  const inline = update && update.byteLength <= inlineBytesAtMost ? update : new Uint8Array()
  encoding.writeVarUint8Array(encoder, inline)
  return encoding.toUint8Array(encoder)
}

/** @returns undefined for what is no such message, and for one of another version */
export function decodeSyncMessage(bytes: Uint8Array): SyncMessage | undefined {
  try {
    const decoder = decoding.createDecoder(bytes)
    if (decoding.readVarUint(decoder) !== version) return undefined
    const instance = decoding.readVarString(decoder)
    const epoch = decoding.readVarUint(decoder)
    const firstSeq = decoding.readVarUint(decoder)
    const rows = decoding.readVarUint(decoder)
    // Of its own: the bytes that came may be a slice of a buffer that is used again.
    const update = decoding.readVarUint8Array(decoder).slice()
    const lastSeq = firstSeq + rows - 1
    const fits = firstSeq > 0 && rows > 0 && rows <= rowsAtMost && Number.isSafeInteger(lastSeq)
    if (!fits || decoder.pos !== bytes.length) return undefined
    return { instance, epoch, firstSeq, lastSeq, update: update.byteLength > 0 ? update : undefined }
  } catch {
    return undefined // cut short
  }
}
