import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeSyncMessage, encodeSyncMessage, inlineBytesAtMost, type SyncMessage } from './sync-message.ts'

const message: SyncMessage = { instance: 'one', epoch: 3, firstSeq: 7, lastSeq: 9, update: Uint8Array.of(1, 2, 3) }

test('a message comes out as it went in', () => {
  const messages = fc.record({
    instance: fc.string(),
    epoch: fc.nat(),
    firstSeq: fc.integer({ min: 1, max: 2 ** 40 }),
    rows: fc.integer({ min: 1, max: 500 }),
    update: fc.option(fc.uint8Array({ minLength: 1 }), { nil: undefined }),
  })
  fc.assert(
    fc.property(messages, ({ rows, ...rest }) => {
      const given = { ...rest, lastSeq: rest.firstSeq + rows - 1 }
      expect(decodeSyncMessage(encodeSyncMessage(given))).toEqual(given)
    }),
  )
})

test('an update over 64 KiB stays in the log', () => {
  const sent = (bytes: number) =>
    decodeSyncMessage(encodeSyncMessage({ ...message, update: new Uint8Array(bytes) }))?.update?.byteLength
  expect(sent(inlineBytesAtMost)).toBe(64 * 1024)
  expect(sent(inlineBytesAtMost + 1)).toBeUndefined()
})

test('what is cut short, too long or of another version is no message', () => {
  const bytes = encodeSyncMessage(message)
  for (let length = 0; length < bytes.length; length++) {
    expect(decodeSyncMessage(bytes.subarray(0, length))).toBeUndefined()
  }
  expect(decodeSyncMessage(Uint8Array.of(...bytes, 0))).toBeUndefined()
  expect(decodeSyncMessage(Uint8Array.of(2, ...bytes.subarray(1)))).toBeUndefined()
})

test('seqs that no commit has are no message', () => {
  const sent = (firstSeq: number, lastSeq: number) =>
    decodeSyncMessage(encodeSyncMessage({ ...message, firstSeq, lastSeq }))
  expect(sent(0, 1)).toBeUndefined()
  expect(sent(5, 4)).toBeUndefined()
  expect(sent(1, 100_000)).toBeUndefined()
})

test('no bytes make it throw', () => {
  fc.assert(fc.property(fc.uint8Array(), bytes => void decodeSyncMessage(bytes)))
})
