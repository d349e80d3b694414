import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { WebSocketServer } from 'ws'
import { connectRaw } from '../../test/kit/raw-client.ts'
import { until } from '../../test/kit/until.ts'
import { webSocketFrame } from './websocket-frame.ts'

test('messages of every length of header are what a WebSocket client reads, one by one', async () => {
  const messages = [0, 1, 125, 126, 65_535, 65_536, 100_000].map(size =>
    Uint8Array.from({ length: size }, (_, index) => index % 251),
  )
  const sockets = new WebSocketServer({ noServer: true })
  const server = createServer().on('upgrade', (request, stream, head) =>
    sockets.handleUpgrade(request, stream, head, () => {
      for (const message of messages) stream.write(webSocketFrame(message))
    }),
  )
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const client = await connectRaw(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`)
  try {
    await until(() => client.frames.length === messages.length, { what: 'every message' })
    for (const [index, message] of messages.entries()) {
      expect(Buffer.compare(client.frames[index] ?? Buffer.of(1), message)).toBe(0)
    }
  } finally {
    client.stop()
    server.close()
  }
})
