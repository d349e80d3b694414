import fc from 'fast-check'
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { describe, expect, test } from 'vitest'
import { pickFromObject, takeAny } from './any-bytes.ts'

const encoded = (value: unknown): Uint8Array => {
  const encoder = encoding.createEncoder()
  encoding.writeAny(encoder, value as encoding.AnyEncodable)
  return encoding.toUint8Array(encoder)
}

/** Where a reader stands afterwards; undefined when it throws. */
const endOf = (bytes: Uint8Array, read: (decoder: decoding.Decoder) => unknown): number | undefined => {
  const decoder = decoding.createDecoder(bytes)
  try {
    read(decoder)
    // lib0 looks for some missing bytes only in what lies behind the array.
    return decoder.pos <= bytes.length ? decoder.pos : undefined
  } catch {
    return undefined
  }
}

const plain = fc.letrec(tie => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(null, undefined, true, false, 0, -1, 63, 64, 2 ** 31, -(2 ** 40), 0.5, 1.1, Number.NaN),
    fc.double(),
    fc.integer(),
    fc.string({ unit: 'binary' }),
    fc.uint8Array({ maxLength: 200 }),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(fc.string({ unit: 'grapheme' }), tie('value'), { maxKeys: 5 }),
  ),
})).value

describe('a plain value', () => {
  test('is stepped over to where reading it ends', () => {
    fc.assert(
      fc.property(plain, value => {
        const bytes = encoded(value)
        const twice = new Uint8Array([...bytes, ...bytes])
        expect(takeAny(decoding.createDecoder(twice))).toEqual(bytes)
      }),
      { numRuns: 500 },
    )
  })

  test('that is damaged anywhere is refused exactly when it cannot be read', () => {
    fc.assert(
      fc.property(plain, fc.nat(), fc.nat(255), fc.nat(), (value, at, byte, cut) => {
        const bytes = encoded(value)
        bytes[at % bytes.length] = byte
        const damaged = bytes.slice(0, bytes.length - (cut % 3))
        expect(endOf(damaged, takeAny)).toBe(endOf(damaged, decoding.readAny))
      }),
      { numRuns: 5_000 },
    )
  })

  test('may be nested as deep as is said', () => {
    const nested = encoded([[{ a: [1] }]])
    expect(takeAny(decoding.createDecoder(nested), 4)).toEqual(nested)
    expect(() => takeAny(decoding.createDecoder(nested), 3)).toThrow('nested too deep')
  })
})

test('what is picked from an object is what it has under these names', () => {
  const names = ['parentId', 'index', '']
  const object = fc.dictionary(fc.oneof(fc.constantFrom(...names), fc.string({ unit: 'grapheme' })), plain)
  fc.assert(
    fc.property(object, value => {
      const whole = decoding.readAny(decoding.createDecoder(encoded(value)))
      expect(pickFromObject(encoded(value), names)).toEqual(
        names.map(name => Object.entries(whole).find(([key]) => key === name)?.[1]),
      )
    }),
    { numRuns: 500 },
  )
})
