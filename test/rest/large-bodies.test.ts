/** Who sends too much is told so, however fast they send: an answer on a connection that is cut off may never be read. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { releasing } from '../kit/releasing.ts'
import { Site } from '../kit/site.ts'
import { until } from '../kit/until.ts'

const use = releasing(afterAll)
let site: Site
beforeAll(async () => {
  site = use(await Site.start())
})

const MiB = 1024 * 1024

test.each([
  ['a picture', `PUT /v1/boards/large/assets/${'0'.repeat(64)}`, 'image/png'],
  ['an item', 'POST /v1/boards/large/items', 'application/json'],
  ['a file', 'POST /v1/boards/large/import', 'application/vnd.tldraw+json'],
])(
  '%s that is too large is refused at once, and what still comes is read: the connection goes on',
  async (_what, line, type) => {
    const size = 20 * MiB
    const socket = use(connect(Number(new URL(site.url).port), '127.0.0.1'), given => given.destroy())
    await once(socket, 'connect')
    let heard = ''
    socket.setEncoding('utf8').on('data', text => {
      heard += text
    })
    socket.write(`${line} HTTP/1.1\r\nhost: localhost\r\ncontent-type: ${type}\r\ncontent-length: ${size}\r\n\r\n`)
    await until(() => heard.includes('/v1/problems/body-too-large'))
    expect(heard).toMatch(/^HTTP\/1\.1 413 /)
    for (let sent = 0; sent < size; sent += MiB) socket.write(Buffer.alloc(MiB))
    socket.write('GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n')
    await until(() => heard.includes('"rooms"'))
  },
)
