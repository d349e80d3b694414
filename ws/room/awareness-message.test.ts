import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type AwarenessMessage, decodeAwarenessMessage, encodeAwarenessMessage } from './awareness-message.ts'

const json = (text: string) => new TextEncoder().encode(text)
const message: AwarenessMessage = {
  kind: 'changed',
  instance: 'one',
  order: 7,
  states: [{ clientId: 1, clock: 2, json: json('{"a":1}'), subject: 'alice', since: 5 }],
}

test.each(['who', 'changed', 'everybody', 'outdated', 'claim', 'held'] as const)(
  'a message "%s" comes out as it went in',
  kind => {
    const state = fc.record({
      clientId: fc.nat(),
      clock: fc.nat(),
      json: fc.string().map(json),
      subject: fc.string(),
      since: fc.maxSafeNat(),
    })
    const messages = fc.record({ instance: fc.string(), order: fc.maxSafeNat(), states: fc.array(state) })
    fc.assert(
      fc.property(messages, rest => {
        expect(decodeAwarenessMessage(encodeAwarenessMessage({ kind, ...rest }))).toEqual({ kind, ...rest })
      }),
    )
  },
)

test('what is cut short, too long, or of another version or kind is no message', () => {
  const bytes = encodeAwarenessMessage(message)
  for (let length = 0; length < bytes.length; length++) {
    expect(decodeAwarenessMessage(bytes.subarray(0, length))).toBeUndefined()
  }
  expect(decodeAwarenessMessage(Uint8Array.of(...bytes, 0))).toBeUndefined()
  expect(decodeAwarenessMessage(Uint8Array.of(1, ...bytes.subarray(1)))).toBeUndefined()
  expect(decodeAwarenessMessage(Uint8Array.of(2, 9, ...bytes.subarray(2)))).toBeUndefined()
})

test('no bytes make it throw', () => {
  fc.assert(fc.property(fc.uint8Array(), bytes => void decodeAwarenessMessage(bytes)))
})
