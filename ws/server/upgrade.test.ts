import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { boardNameOf, refuseUpgrade } from './upgrade.ts'

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

test.each([
  '/board',
  '/boards/board?token=http://x/y',
  'http://host:8080/board',
  'HTTPS://host/boards/board?token=x',
  'ws://host/bo%61rd',
])('the address %s names the board, as a client writes it or a proxy passes it on', url => {
  expect(boardNameOf(url)).toBe('board')
})

test.each(['http://host', 'http://host/', 'http://host?/board', '/http://host/board', '//host/board'])(
  'the address %s names none',
  url => {
    expect(boardNameOf(url)).toBe('')
  },
)
