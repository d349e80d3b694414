/**
 * Plain values as lib0 writes them (`readAny`, `writeAny`), stepped over instead of read: most of what a tldraw board consists
 * of, and whoever only checks or copies it needs none of the objects. Yjs keeps them alike in V1 and V2. Pure.
 */
import { isUtf8 } from 'node:buffer'
import * as decoding from 'lib0/decoding'

/** Of Yjs's kinds of content (`readInfo() & 31`) the one whose values are these; others hold them beside something else. */
export const contentAny = 8

/** The byte that an object of keys and values begins with. */
export const plainObject = 118

/**
 * So many objects and lists may lie in one another on a board. Yjs reads and writes them by recursion: one level too many
 * overflows the stack, and where it is JSON that is read well and cannot be written, the board could never be sent to anybody
 * again.
 */
export const deepestValue = 500

const fixedBytes: Record<number, number> = { 127: 0, 126: 0, 124: 4, 123: 8, 122: 8, 121: 0, 120: 0 }

/**
 * The bytes of the next value, as a view; the decoder stands behind them afterwards.
 * @param levels how deep values may be nested
 * @throws Error where `readAny` would throw: unknown type, broken text, not all there; and on deeper nesting
 */
export function takeAny(decoder: decoding.Decoder, levels = Number.POSITIVE_INFINITY): Uint8Array {
  const from = decoder.pos
  skipAny(decoder, levels)
  return decoder.arr.subarray(from, decoder.pos)
}

/**
 * What a plain object has under these names, without reading the rest of it; undefined for what it has not got.
 * @param names of ASCII
 */
export function pickFromObject(bytes: Uint8Array, names: readonly string[]): unknown[] {
  const picked: unknown[] = names.map(() => undefined)
  const decoder = decoding.createDecoder(bytes)
  decoder.pos = 1 // its type
  for (let left = decoding.readVarUint(decoder); left > 0; left--) {
    const place = placeOfName(decoder, names)
    if (place === -1) skipAny(decoder, Number.POSITIVE_INFINITY)
    else picked[place] = decoding.readAny(decoder)
  }
  return picked
}

/** Of the text that is next among the names. To read a text costs more than all the rest: most have another length. */
function placeOfName(decoder: decoding.Decoder, names: readonly string[]): number {
  const from = decoder.pos
  const length = decoding.readVarUint(decoder)
  if (names.some(name => name.length === length)) {
    decoder.pos = from
    return names.indexOf(decoding.readVarString(decoder))
  }
  skipBytes(decoder, length)
  return -1
}

function skipAny(decoder: decoding.Decoder, levels: number): void {
  const type = decoder.arr[decoder.pos++] ?? 0
  switch (type) {
    case 125:
      decoding.readVarInt(decoder)
      break
    case 119:
      skipText(decoder)
      break
    case plainObject:
    case 117: {
      if (levels <= 0) throw new Error('nested too deep')
      for (let left = decoding.readVarUint(decoder); left > 0; left--) {
        if (type === plainObject) skipText(decoder)
        skipAny(decoder, levels - 1)
      }
      break
    }
    case 116:
      skipBytes(decoder, decoding.readVarUint(decoder))
      break
    default: {
      const bytes = fixedBytes[type]
      if (bytes === undefined) throw new Error(`no value has type ${type}`)
      skipBytes(decoder, bytes)
    }
  }
}

function skipBytes(decoder: decoding.Decoder, bytes: number): void {
  decoder.pos += bytes
  if (decoder.pos > decoder.arr.length) throw new Error('a value is not all there')
}

function skipText(decoder: decoding.Decoder): void {
  const bytes = decoding.readVarUint(decoder)
  const from = decoder.pos
  skipBytes(decoder, bytes)
  for (let at = from; at < decoder.pos; at++) {
    if ((decoder.arr[at] ?? 0) < 128) continue
    if (!isUtf8(decoder.arr.subarray(from, decoder.pos))) throw new Error('broken text')
    return
  }
}
