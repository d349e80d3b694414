/** The bytes of a snapshot at rest: a format byte, then the board's state in one of its forms, deflated; and their checksum. */
import { createHash } from 'node:crypto'
import { Readable, type Transform } from 'node:stream'
import { createDeflateRaw, createInflateRaw, deflateRawSync } from 'node:zlib'
import * as decoding from 'lib0/decoding'
import { lengthOf, varUints } from '../base/byte-parts.ts'
import { fillInSlices } from '../base/slices.ts'
import { inPlace, inThreadFromBytes } from './deflating.ts'
import { type DocumentBytes, isCut, type StateBytes } from './state-bytes.ts'

/** A Yjs V2 update. */
const deflatedV2 = 1
/** Each behind its length: the state vector, then the slices. */
const deflatedCut = 2

/** Megabytes come out: in pieces of the usual 16 KiB they take five times as long. */
const pieces = { chunkSize: 256 * 1024 }

/** What is longer lies in memory that threads share: one of them cuts it (`core/doc/slicer.ts`), and to copy it took 60 ms for 8 MB. */
const sharedFromBytes = 512 * 1024

export interface StoredState {
  state: Uint8Array
  /** SHA-256 of `state`. */
  checksum: Uint8Array
}

export async function packState(whole: StateBytes): Promise<StoredState> {
  const state = Buffer.concat(
    isCut(whole)
      ? [Uint8Array.of(deflatedCut), ...(await deflated(partsOf(whole)))]
      : [Uint8Array.of(deflatedV2), ...(await deflated([whole]))],
  )
  return { state, checksum: checksumOf(state) }
}

export type UnpackedState =
  | { state: StateBytes }
  | { damage: string }
  /** Sound, and written by a version newer than this one: no damage. */
  | 'format-unknown'

export async function unpackState({ state, checksum }: StoredState): Promise<UnpackedState> {
  if (!checksumOf(state).equals(checksum)) return { damage: 'the checksum does not fit' }
  if (state.byteLength === 0) return { damage: 'nothing was written' }
  const [format] = state
  if (format !== deflatedV2 && format !== deflatedCut) return 'format-unknown'
  try {
    const bytes = await inflated(state.subarray(1), format === deflatedV2)
    return { state: format === deflatedV2 ? bytes : cutIn(bytes) }
  } catch (error) {
    // Broken before it was sealed.
    return { damage: `the checksum fits, and it cannot be unpacked: ${error}` }
  }
}

const partsOf = ({ stateVector, slices }: DocumentBytes): Uint8Array[] =>
  [stateVector, ...slices].flatMap(part => [varUints(part.byteLength), part])

/** Views of `bytes`. @throws Error when they are not what {@link partsOf} makes */
function cutIn(bytes: Uint8Array): DocumentBytes {
  const decoder = decoding.createDecoder(bytes)
  const stateVector = decoding.readVarUint8Array(decoder)
  const slices: Uint8Array[] = []
  while (decoding.hasContent(decoder)) slices.push(decoding.readVarUint8Array(decoder))
  return { stateVector, slices }
}

/** What is small in place, megabytes in a thread, part by part. */
async function deflated(parts: readonly Uint8Array[]): Promise<Uint8Array[]> {
  const [first] = parts
  if (first && parts.length === 1 && first.byteLength < inThreadFromBytes) return [deflateRawSync(first, inPlace)]
  return through(createDeflateRaw(pieces), parts)
}

/**
 * zlib's own way to one piece stops everything else while it puts megabytes together.
 * @param shared from a size on they lie in memory that threads share
 */
async function inflated(bytes: Uint8Array, shared: boolean): Promise<Uint8Array> {
  const parts = await through(createInflateRaw(pieces), [bytes])
  const length = lengthOf(parts)
  const whole =
    shared && length >= sharedFromBytes ? new Uint8Array(new SharedArrayBuffer(length)) : new Uint8Array(length)
  return fillInSlices(whole, parts)
}

/** @throws Error of the stream's */
async function through(stream: Transform, parts: readonly Uint8Array[]): Promise<Uint8Array[]> {
  const result: Uint8Array[] = []
  for await (const piece of Readable.from(parts).pipe(stream) as AsyncIterable<Uint8Array>) result.push(piece)
  return result
}

export const checksumOf = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest()
