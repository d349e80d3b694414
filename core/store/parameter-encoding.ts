/**
 * Values of JavaScript as parameters of a Postgres statement: as text, and bytes as they are. Arrays of bytes, which every
 * commit has, go in Postgres's binary form (`array_send` in its `arrayfuncs.c`): as text they would be twice as long, and
 * written and read digit by digit.
 */

/** Text, or the binary form of the parameter's type. */
export type EncodedParameter = string | Buffer | null

/** @throws TypeError for what is no column's value here */
export function encodeParameter(value: unknown): EncodedParameter {
  if (value === null || value === undefined) return null
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  return Array.isArray(value) ? arrayOf(value) : textOf(value)
}

const arrayOf = (values: readonly unknown[]): EncodedParameter =>
  isBytesArray(values) ? encodeBytesArray(values) : `{${values.map(elementOf).join(',')}}`

function textOf(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(value)
    default:
      if (value instanceof Date) return value.toISOString()
      throw new TypeError(`a statement takes no ${typeof value} as a parameter`)
  }
}

function elementOf(value: unknown): string {
  if (value === null || value === undefined) return 'NULL'
  return typeof value === 'string' ? `"${escaped(value)}"` : textOf(value)
}

/** As a rule there is nothing to escape: to look for it costs a fraction of what a regular expression does. */
const escaped = (value: string): string =>
  value.includes('"') || value.includes('\\') ? value.replaceAll(/["\\]/g, String.raw`\$&`) : value

type NullableBytes = Uint8Array | null | undefined

const isBytesArray = (values: readonly unknown[]): values is readonly NullableBytes[] =>
  values.some(value => value instanceof Uint8Array)

/** Object id of Postgres's type `bytea`. */
const bytea = 17
const [headerBytes, lengthBytes] = [20, 4]

function encodeBytesArray(values: readonly NullableBytes[]): Buffer {
  const bytes = values.reduce((sum, value) => sum + lengthBytes + (value?.byteLength ?? 0), headerBytes)
  const encoded = Buffer.allocUnsafe(bytes)
  const header = [1, 1, bytea, values.length, 1] // dimensions, may have nulls, type; length and first index of the dimension
  let at = 0
  for (const number of header) at = encoded.writeInt32BE(number, at)
  for (const value of values) {
    at = encoded.writeInt32BE(value?.byteLength ?? -1, at)
    if (!value) continue
    encoded.set(value, at)
    at += value.byteLength
  }
  return encoded
}
