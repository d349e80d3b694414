/** A bare socket that speaks frames by hand: for bytes no well-behaved client would send, and for what comes back. */

import { once } from 'node:events'
import { type ClientOptions, WebSocket } from 'ws'
import { until } from './until.ts'

interface Closed {
  code: number
  reason: string
}

export interface RawClient {
  readonly socket: WebSocket
  /** Every binary frame received so far, in order. */
  readonly frames: readonly Uint8Array[]
  readonly closed: Promise<Closed>
  /** A string goes as a text frame. */
  send(frame: Uint8Array | readonly number[] | string): void
  /** The first frame that `fits`, among those received and those to come. */
  frame(fits: (frame: Uint8Array) => boolean, what?: string): Promise<Uint8Array>
  /** Cuts the connection without a close frame, as a lost network does. */
  stop(): void
}

export interface RawOptions extends Pick<ClientOptions, 'headers' | 'origin'> {
  protocols?: string[]
}

/** The server answered the upgrade with plain HTTP. */
export class UpgradeRefused extends Error {
  readonly status: number

  constructor(status: number) {
    super(`the upgrade was answered ${status}`)
    this.status = status
  }
}

/** @param url whole, as in `${instance.wsUrl}/board-1`. Rejects with `UpgradeRefused` when there is no upgrade. */
export async function connectRaw(url: string, { protocols = [], ...options }: RawOptions = {}): Promise<RawClient> {
  const socket = new WebSocket(url, protocols, options)
  const frames: Uint8Array[] = []
  socket.on('message', (data: Buffer, isBinary) => {
    if (isBinary) frames.push(Uint8Array.from(data))
  })
  const closed = new Promise<Closed>(resolve => {
    socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() }))
  })
  await opened(socket)
  socket.on('error', () => {}) // a cut connection; `closed` says so
  return {
    socket,
    frames,
    closed,
    send: frame => socket.send(typeof frame === 'string' ? frame : Uint8Array.from(frame)),
    frame: (fits, what = `a frame that fits ${fits}`) => until(() => frames.find(fits), { what }),
    stop: () => socket.terminate(),
  }
}

async function opened(socket: WebSocket): Promise<void> {
  const refused = new Promise<never>((_, reject) => {
    socket.once('unexpected-response', (request, answer) => {
      request.destroy()
      reject(new UpgradeRefused(answer.statusCode ?? 0))
    })
  })
  await Promise.race([once(socket, 'open'), refused])
}
