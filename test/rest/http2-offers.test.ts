/** Requests that offer to go on in HTTP/2, as Java's client and `curl --http2` do: they are answered in HTTP/1.1. */

import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { releasing } from '../kit/releasing.ts'
import { freshBoard, Site } from '../kit/site.ts'
import { listed, sticky } from './asking.ts'

const use = releasing(afterAll)
let site: Site
beforeAll(async () => {
  site = use(await Site.start())
})

const offer = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAAB\r\n'

/** @returns all that comes back until the server closes */
async function send(...pieces: string[]): Promise<string> {
  const socket = connect(Number(new URL(site.url).port), '127.0.0.1')
  use({ stop: () => void socket.destroy() })
  let answer = ''
  socket.setEncoding('utf8').on('data', text => {
    answer += text
  })
  await once(socket, 'connect')
  for (const piece of pieces) {
    socket.write(piece)
    // In packets of their own.
    await new Promise(resolve => setImmediate(resolve))
  }
  await once(socket, 'close')
  return answer
}

test('one without a body, and the next on the same connection', async () => {
  const answer = await send(
    `GET /health HTTP/1.1\r\nHost: localhost\r\n${offer}\r\n`,
    'GET /ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
  )
  expect(answer.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2)
})

test('one with a body, in one packet or in several', async () => {
  const body = JSON.stringify(sticky)
  const head = (board: string) =>
    `POST /v1/boards/${board}/items HTTP/1.1\r\nHost: localhost\r\n${offer}Content-Type: application/json\r\n` +
    `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n`
  const next = 'GET /ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'
  const [whole, cut] = [freshBoard(), freshBoard()]
  expect(await send(head(whole) + body + next)).toMatch(/^HTTP\/1\.1 201 Created/)
  expect(await send(head(cut), body.slice(0, 10), body.slice(10), next)).toMatch(/^HTTP\/1\.1 201 Created/)
  for (const board of [whole, cut]) expect(await listed(site, board)).toHaveLength(1)
})
