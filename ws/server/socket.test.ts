/** What a socket does so that a client that says nothing stays, and one that is gone does not. */
import { EventEmitter } from 'node:events'
import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { createMetrics } from '../../core/base/metrics.ts'
import { keepAliveFrame } from '../protocol/frames.ts'
import { webSocketFrame } from '../protocol/websocket-frame.ts'
import { Socket } from './socket.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

function open() {
  const webSocket = Object.assign(new EventEmitter(), {
    OPEN: WebSocket.OPEN,
    readyState: WebSocket.OPEN,
    isPaused: false,
    ping: vi.fn(),
    terminate: vi.fn(),
  })
  const written: Buffer[] = []
  const stream = new PassThrough()
  stream.write = chunk => written.push(Buffer.from(chunk)) > 0
  const socket = new Socket(webSocket as unknown as WebSocket, stream, createMetrics())
  return { socket, webSocket, written }
}
const keepAlive = webSocketFrame(keepAliveFrame)
const ping = Buffer.of(0x89, 0)
const later = (ms: number) => vi.advanceTimersByTime(ms)

test('who has heard nothing for a while is kept awake and pinged in one write', () => {
  const { socket, webSocket, written } = open()
  later(10_000)
  socket.checkAlive()
  expect(written).toEqual([Buffer.concat([keepAlive, ping])])
  expect(webSocket.ping).not.toHaveBeenCalled()

  later(9_000)
  socket.keepAwake()
  expect(written).toHaveLength(1)
  later(1_000)
  socket.keepAwake()
  expect(written.slice(1)).toEqual([keepAlive])
})

test('who was just sent something is only pinged', () => {
  const { socket, webSocket, written } = open()
  socket.send(Uint8Array.of(0, 2, 2, 0, 0))
  later(1_000)
  socket.checkAlive()
  expect(written).toHaveLength(1)
  expect(webSocket.ping).toHaveBeenCalledOnce()
})

test('who answers a ping stays; who has left one unanswered by the next is cut off', () => {
  const { socket, webSocket } = open()
  for (let times = 0; times < 3; times++) {
    later(30_000)
    socket.checkAlive()
    webSocket.emit('pong')
  }
  expect(webSocket.terminate).not.toHaveBeenCalled()
  socket.checkAlive()
  expect(webSocket.terminate).not.toHaveBeenCalled()
  later(30_000)
  socket.checkAlive()
  expect(webSocket.terminate).toHaveBeenCalledOnce()
})
