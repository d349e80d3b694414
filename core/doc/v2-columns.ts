/**
 * The columns that Yjs's V2 encoder gathers, in parts. What it does with them itself, at the end and at once, takes a tenth of a
 * second for 100,000 shapes: it puts all their strings together, and copies each column three times.
 */
import * as encoding from 'lib0/encoding'
import type * as Y from 'yjs'
import { lengthOf, varUints, written } from '../base/byte-parts.ts'

/** Takes over what strings the encoder has gathered so far. */
export function takeStrings({ stringEncoder }: Y.UpdateEncoderV2, into: encoding.Encoder): void {
  const text = stringEncoder.sarr.join('')
  // The first half of a character (UTF-16) waits for the other one: only together are they encoded.
  const cut = endsInHalf(text) ? text.length - 1 : text.length
  encoding.writeUint8Array(into, Buffer.from(text.slice(0, cut)))
  stringEncoder.sarr = cut < text.length ? [text.slice(cut)] : []
}

/**
 * As `encoder.toUint8Array()` puts them before the rest.
 * @param strings what {@link takeStrings} took
 */
export function columnsOf(encoder: Y.UpdateEncoderV2, strings: encoding.Encoder): Uint8Array[] {
  const { sarr, s, lensE } = encoder.stringEncoder
  return [
    varUints(0), // reserved by Yjs
    ...column(encoder.keyClockEncoder.toUint8Array()),
    ...column(encoder.clientEncoder.toUint8Array()),
    ...column(encoder.leftClockEncoder.toUint8Array()),
    ...column(encoder.rightClockEncoder.toUint8Array()),
    ...column(...written(encoder.infoEncoder)),
    ...column(...column(...written(strings), Buffer.from([...sarr, s].join(''))), lensE.toUint8Array()),
    ...column(...written(encoder.parentInfoEncoder)),
    ...column(encoder.typeRefEncoder.toUint8Array()),
    ...column(encoder.lenEncoder.toUint8Array()),
  ]
}

const column = (...parts: Uint8Array[]): Uint8Array[] => [varUints(lengthOf(parts)), ...parts]

function endsInHalf(text: string): boolean {
  const last = text.charCodeAt(text.length - 1)
  return last >= 0xd800 && last < 0xdc00
}
