/** Bytes in parts that lie one behind the other: megabytes are put together once, or not at all. */
import * as encoding from 'lib0/encoding'

export const lengthOf = (parts: readonly Uint8Array[]): number =>
  parts.reduce((sum, { byteLength }) => sum + byteLength, 0)

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(lengthOf(parts))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.byteLength
  }
  return whole
}

/** Views of what was written so far: they change with what is written next. */
export const written = ({ bufs, cbuf, cpos }: encoding.Encoder): Uint8Array[] => [...bufs, cbuf.subarray(0, cpos)]

export function varUints(...values: number[]): Uint8Array {
  const encoder = encoding.createEncoder()
  for (const value of values) encoding.writeVarUint(encoder, value)
  return encoding.toUint8Array(encoder)
}
