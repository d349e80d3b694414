/** How what is stored is deflated: megabytes in a thread, what is small in place. */
import type { ZlibOptions } from 'node:zlib'

/** Less takes a quarter of a millisecond; to hand it to a thread and back costs about as much. */
export const inThreadFromBytes = 32 * 1024

/**
 * Tables for the usual window have 256 KiB, and to get them takes up to ten times as long as to deflate a kilobyte. To look for
 * longer matches takes twice as long, and of rows and small boards saves a twentieth.
 */
export const inPlace: ZlibOptions = { windowBits: 13, memLevel: 6, level: 3 }
