/** Log rows packed into one value of `board_history`: gzipped (its checksum shows damage), each with seq, actor and time. */
import { promisify } from 'node:util'
import { gunzip, gzip, gzipSync } from 'node:zlib'
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import type { Actor } from '../contract/actor.ts'
import type { LogRow } from './board-log.ts'
import { inPlace, inThreadFromBytes } from './deflating.ts'

const compressInThread = promisify(gzip)
const decompress = promisify(gunzip)

const gzippedRows = 1
const packedRowsAtMost = 500
const packedBytesAtMost = 1024 * 1024

/** @param rows contiguous by seq */
export async function packRows(rows: readonly LogRow[]): Promise<Uint8Array> {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, rows.length)
  for (const row of rows) {
    encoding.writeVarUint(encoder, row.seq)
    encoding.writeVarUint(encoder, row.at.getTime())
    encoding.writeVarString(encoder, row.actor)
    encoding.writeVarUint8Array(encoder, row.data)
  }
  const bytes = encoding.toUint8Array(encoder)
  const gzipped = bytes.byteLength < inThreadFromBytes ? gzipSync(bytes, inPlace) : await compressInThread(bytes)
  return Buffer.concat([Uint8Array.of(gzippedRows), gzipped])
}

/** @throws Error when the bytes are not what {@link packRows} wrote */
export async function unpackRows(packed: Uint8Array): Promise<LogRow[]> {
  if (packed[0] !== gzippedRows) throw new Error(`unknown history format ${packed[0]}`)
  const decoder = decoding.createDecoder(new Uint8Array(await decompress(packed.subarray(1))))
  return Array.from({ length: decoding.readVarUint(decoder) }, () => ({
    seq: decoding.readVarUint(decoder),
    at: new Date(decoding.readVarUint(decoder)),
    actor: decoding.readVarString(decoder) as Actor,
    data: decoding.readVarUint8Array(decoder).slice(),
  }))
}

/** Cuts rows into runs that are packed together: small enough to be read at once. */
export function inPacks(rows: readonly LogRow[]): LogRow[][] {
  const packs: LogRow[][] = []
  let bytes = 0
  for (const row of rows) {
    const pack = packs.at(-1)
    if (!pack || pack.length >= packedRowsAtMost || bytes + row.data.byteLength > packedBytesAtMost) {
      packs.push([row])
      bytes = row.data.byteLength
    } else {
      pack.push(row)
      bytes += row.data.byteLength
    }
  }
  return packs
}
