import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'
import { applyUpdate, Doc, encodeStateAsUpdate } from 'yjs'
import { edit, isAwareness, isEdit, isSyncStep1, isSyncStep2, payloadOf, syncStep1, syncStep2 } from './frames.ts'
import { connectRaw, UpgradeRefused } from './raw-client.ts'
import { releasing } from './releasing.ts'
import { connectStock } from './stock-client.ts'
import { until } from './until.ts'

const use = releasing()

/** Stands in for the server, so that a fault of the kit is not taken for one of ours. */
async function standIn(onSocket: (socket: WebSocket, url: string) => void): Promise<string> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  use(server, given => given.close())
  await once(server, 'listening')
  server.on('connection', (socket, request) => {
    use(socket, given => given.terminate())
    onSocket(socket, `${request.url} ${request.headers.origin ?? ''}`.trim())
  })
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
}

describe('a stock client', () => {
  test('syncs both ways, in the frames written by hand', async () => {
    const board = new Doc()
    board.getText().insert(0, 'x'.repeat(300))
    const received: Uint8Array[] = []
    const urls: string[] = []
    const server = await standIn((socket, url) => {
      urls.push(url)
      socket.on('message', (data: Buffer) => received.push(Uint8Array.from(data)))
      socket.send(syncStep1(board))
      socket.send(syncStep2(encodeStateAsUpdate(board)))
    })
    const doc = new Doc()
    doc.getMap('tldraw').set('shape:offline', {})
    const options = { doc, params: { token: 't' }, headers: { Origin: 'https://a.example' } }
    const client = use(connectStock(server, 'board-1', options))

    await client.synced
    expect(client.doc.getText().length).toBe(300)
    expect(urls).toEqual(['/board-1?token=t https://a.example'])
    client.doc.getText().delete(0, 299)
    await until(() => received.some(isEdit))
    expect(received.some(isSyncStep1)).toBe(true)
    expect(received.some(isAwareness)).toBe(true)
    for (const frame of received.filter(frame => isSyncStep2(frame) || isEdit(frame)))
      applyUpdate(board, payloadOf(frame))
    expect(board.getText().length).toBe(1)
    expect(board.getMap('tldraw').has('shape:offline')).toBe(true)
  })

  test('comes back after 1012, gives up after 4401, and keeps the codes', async () => {
    const answers = [1012, 4401]
    const server = await standIn(socket => socket.close(answers.shift(), 'so'))
    const client = use(connectStock(server, 'board-1'))
    expect(await client.gaveUp).toEqual({ code: 4401, reason: 'so' })
    expect(client.codes).toEqual([1012, 4401])
  })
})

describe('a raw client', () => {
  test('sends the bytes it is given and collects what comes back, the close included', async () => {
    const server = await standIn(socket => {
      socket.on('message', (data: Buffer, isBinary) => {
        if (!isBinary) return socket.close(4400, data.toString())
        socket.send(data)
      })
    })
    const client = use(await connectRaw(`${server}/board-1`))
    const update = Uint8Array.from({ length: 20_000 }, (_, at) => at)
    client.send([9, 9])
    client.send(edit(update))
    expect(payloadOf(await client.frame(isEdit))).toEqual(update)
    expect(client.frames).toHaveLength(2)
    client.send('text')
    expect(await client.closed).toEqual({ code: 4400, reason: 'text' })
  })

  test('says with which status an upgrade was refused', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', verifyClient: (_, done) => done(false, 403) })
    use(server, given => given.close())
    await once(server, 'listening')
    const refused = connectRaw(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/board-1`)
    await expect(refused).rejects.toThrow(new UpgradeRefused(403))
  })
})
