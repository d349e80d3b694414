/** The checksum of a log row: shows a flipped bit that still decodes as an update. */
import { crc32 } from 'node:zlib'

/** CRC-32 as the signed integer that Postgres stores. */
export const checksumOfRow = (data: Uint8Array): number => crc32(data) | 0
