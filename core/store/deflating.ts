/** How what is stored is deflated: megabytes in a thread, what is small in place. */
import type { ZlibOptions } from 'node:zlib'

/** Less takes a fraction of a millisecond; to hand it to a thread and back costs more than that. */
export const inThreadFromBytes = 16 * 1024

/** Tables for the usual window have 256 KiB, and to get them takes up to ten times as long as to deflate a kilobyte. */
export const inPlace: ZlibOptions = { windowBits: 12, memLevel: 4 }
