/** The bytes of a snapshot at rest: a format byte, then the board's Yjs V2 state, deflated; and their checksum. */
import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { deflateRaw, inflateRaw } from 'node:zlib'

const compress = promisify(deflateRaw)
const decompress = promisify(inflateRaw)

const deflatedV2 = 1

export interface StoredState {
  state: Uint8Array
  /** SHA-256 of `state`. */
  checksum: Uint8Array
}

/** @param update the whole state as a Yjs V2 update */
export async function packState(update: Uint8Array): Promise<StoredState> {
  const state = Buffer.concat([Uint8Array.of(deflatedV2), await compress(update)])
  return { state, checksum: checksumOf(state) }
}

/** The Yjs V2 update, or undefined where the bytes are not what was written. */
export async function unpackState(stored: StoredState): Promise<Uint8Array | undefined> {
  if (!checksumOf(stored.state).equals(stored.checksum)) return undefined
  if (stored.state[0] !== deflatedV2) return undefined
  // Broken before it was sealed: the checksum fits, and still nothing can be read.
  const update = await decompress(stored.state.subarray(1)).catch(() => undefined)
  return update && new Uint8Array(update)
}

const checksumOf = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest()
