/** A `ws` socket as a peer's socket: sends bytes, closes with a code of the table, and keeps a silent client awake. */
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import type { SyncError } from '../../core/base/errors.ts'
import type { Metrics } from '../../core/base/metrics.ts'
import { closeCodes } from '../../core/contract/close-codes.ts'
import { encodePermissionDenied, keepAliveFrame } from '../protocol/frames.ts'
import { webSocketFrame } from '../protocol/websocket-frame.ts'
import type { PeerSocket } from '../room/peer.ts'

/** A peer that answers no close frame is cut off after this. */
const closeTimeoutMs = 3_000
/** y-websocket 3.0 retries at once whatever the code; it is kept connected for a moment, so that it does not hammer. */
const refusedCloseDelayMs = 1_000
/** A stock client hangs up after 30 s without a message; WebSocket pings don't count for it. */
const keepAliveAfterMs = 10_000

/** What keeps a client awake and, behind it, a ping (RFC 6455, 5.5.2): one system call for both. */
const keepAliveAndPing = Buffer.concat([webSocketFrame(keepAliveFrame), Buffer.of(0x89, 0)])

/** What is longer is not copied behind a header; `ws` sends the two beside each other. */
const framedBytesAtMost = 64 * 1024

/** The frame that was sent last: most go to many sockets in a row. */
let latest: { frame: Uint8Array; framed: Buffer } | undefined

function framedOnce(frame: Uint8Array): Buffer {
  if (latest?.frame !== frame) latest = { frame, framed: webSocketFrame(frame) }
  return latest.framed
}

export class Socket implements PeerSocket {
  readonly #socket: WebSocket
  readonly #stream: Duplex
  readonly #metrics: Metrics
  #sentAt = performance.now()
  /** A ping was sent that nobody answered. */
  #pinged = false
  #closing = false

  /** @param stream under the socket: without compression and fragments a frame can be written there as it is */
  constructor(socket: WebSocket, stream: Duplex, metrics: Metrics) {
    this.#socket = socket
    this.#stream = stream
    this.#metrics = metrics
    socket.on('pong', () => {
      this.#pinged = false
    })
  }

  /** It is we who ended it: what the client sent meanwhile is of no account. */
  get isClosing(): boolean {
    return this.#closing
  }

  get bufferedAmount(): number {
    return this.#socket.bufferedAmount
  }

  send(frame: Uint8Array): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return
    this.#write(frame, frame.byteLength > framedBytesAtMost ? undefined : framedOnce(frame))
  }

  /** @param withinMs it has so long to answer */
  close(error: SyncError, withinMs = closeTimeoutMs): void {
    if (this.#closing) return
    this.#closing = true
    this.#metrics.refusals.inc({ reason: error.code })
    // Its own goodbye may wait behind what we did not read.
    this.#socket.resume()
    this.#socket.close(closeCodes[error.code], closeReason(error.message))
    const cut = setTimeout(() => this.#socket.terminate(), withinMs)
    this.#socket.once('close', () => clearTimeout(cut))
  }

  /** Tells why there is no access, then closes after a moment. */
  refuse(error: SyncError): void {
    this.send(encodePermissionDenied(error.message))
    const later = setTimeout(() => this.close(error), refusedCloseDelayMs)
    this.#socket.once('close', () => clearTimeout(later))
  }

  answersPing(withinMs: number): Promise<boolean> {
    return new Promise(resolve => {
      const answer = (alive: boolean) => {
        clearTimeout(overdue)
        this.#socket.off('pong', onPong)
        resolve(alive)
      }
      const onPong = () => answer(true)
      const overdue = setTimeout(() => answer(false), withinMs)
      this.#socket.once('pong', onPong)
      if (this.#socket.readyState === this.#socket.OPEN) this.#socket.ping()
      else answer(false)
    })
  }

  /** Cuts off a socket that left the last ping unanswered, and pings it anew; one that is silent is kept awake with it. */
  checkAlive(): void {
    // Its answer may wait behind what we do not read.
    if (this.#socket.isPaused) return
    if (this.#pinged) {
      this.#socket.terminate()
    } else if (this.#socket.readyState === this.#socket.OPEN) {
      this.#pinged = true
      if (this.#silentMs < keepAliveAfterMs / 2) this.#socket.ping()
      else this.#write(keepAliveFrame, keepAliveAndPing)
    }
  }

  keepAwake(): void {
    if (this.#silentMs >= keepAliveAfterMs) this.send(keepAliveFrame)
  }

  get #silentMs(): number {
    return performance.now() - this.#sentAt
  }

  /** @param framed the frame as it goes out; undefined: in two pieces, by `ws` */
  #write(frame: Uint8Array, framed: Buffer | undefined): void {
    this.#sentAt = performance.now()
    this.#metrics.traffic.framesOut += 1
    this.#metrics.traffic.bytesOut += frame.byteLength
    if (framed) this.#stream.write(framed)
    else this.#socket.send(frame)
  }
}

/** A close frame has room for 123 bytes of reason (RFC 6455, 5.5). As a stream, the decoder leaves out a cut character. */
const closeReason = (message: string): string =>
  new TextDecoder().decode(Buffer.from(message).subarray(0, 123), { stream: true })
