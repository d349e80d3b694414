import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { inflated, isDeflated } from '../../test/kit/frames.ts'
import { deflated } from './deflated.ts'

const oneMiB = 1024 * 1024

test.each([1024, 25_000, oneMiB])('a message of %i bytes is sent smaller, and is the same again', length => {
  const message = new Uint8Array(length).map((_, at) => at % 7)
  const frame = deflated(message)
  expect(isDeflated(frame)).toBe(true)
  expect(frame.length).toBeLessThan(length / 5)
  expect(Buffer.compare(inflated(frame), message)).toBe(0)
})

test.each([
  ['it is small', new Uint8Array(1023)],
  ['it is longer than anybody inflates', new Uint8Array(oneMiB + 1)],
  ['there is nothing to be gained', randomBytes(5_000)],
])('a message stays as it is where %s', (_, message) => {
  // The very same; and no megabyte is compared byte for byte where it is not.
  expect(deflated(message) === message).toBe(true)
})
