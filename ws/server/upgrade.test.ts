import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { refuseUpgrade } from './upgrade.ts'

test.each([
  [503, 'Retry-After: 2'],
  [403, undefined],
])('who is refused with %i is told when to come back: %s', async (status, told) => {
  const stream = new PassThrough()
  const sent = text(stream)
  refuseUpgrade(stream, status, 'this instance is going away')
  const [head = '', body] = (await sent).split('\r\n\r\n')
  expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
  expect(/^Retry-After.*$/im.exec(head)?.[0]).toBe(told)
  expect(body).toBe('this instance is going away')
})
