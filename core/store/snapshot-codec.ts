/** The bytes of a snapshot at rest: a format byte, then the board's Yjs V2 state, deflated; and their checksum. */
import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { createInflateRaw, deflateRaw, deflateRawSync } from 'node:zlib'
import { fillInSlices } from '../base/slices.ts'
import { inPlace, inThreadFromBytes } from './deflating.ts'

const deflateInThread = promisify(deflateRaw)

const deflatedV2 = 1

/** Megabytes come out: in pieces of the usual 16 KiB they take five times as long. */
const inflating = { chunkSize: 256 * 1024 }

/** What is longer lies in memory that threads share: one of them cuts it (`core/doc/slicer.ts`), and to copy it took 60 ms for 8 MB. */
const sharedFromBytes = 512 * 1024

export interface StoredState {
  state: Uint8Array
  /** SHA-256 of `state`. */
  checksum: Uint8Array
}

/** @param update the whole state as a Yjs V2 update */
export async function packState(update: Uint8Array): Promise<StoredState> {
  const deflated =
    update.byteLength < inThreadFromBytes ? deflateRawSync(update, inPlace) : await deflateInThread(update)
  const state = Buffer.concat([Uint8Array.of(deflatedV2), deflated])
  return { state, checksum: checksumOf(state) }
}

export type UnpackedState =
  /** A Yjs V2 update. */
  | { update: Uint8Array }
  | { damage: string }
  /** Sound, and written by a version newer than this one: no damage. */
  | 'format-unknown'

export async function unpackState({ state, checksum }: StoredState): Promise<UnpackedState> {
  if (!checksumOf(state).equals(checksum)) return { damage: 'the checksum does not fit' }
  if (state.byteLength === 0) return { damage: 'nothing was written' }
  if (state[0] !== deflatedV2) return 'format-unknown'
  try {
    return { update: await decompress(state.subarray(1)) }
  } catch (error) {
    // Broken before it was sealed.
    return { damage: `the checksum fits, and it cannot be unpacked: ${error}` }
  }
}

/** zlib's own way to one piece stops everything else while it puts megabytes together. */
async function decompress(bytes: Uint8Array): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  let length = 0
  for await (const piece of createInflateRaw(inflating).end(bytes) as AsyncIterable<Uint8Array>) {
    pieces.push(piece)
    length += piece.byteLength
  }
  const whole = length < sharedFromBytes ? new Uint8Array(length) : new Uint8Array(new SharedArrayBuffer(length))
  return fillInSlices(whole, pieces)
}

export const checksumOf = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest()
