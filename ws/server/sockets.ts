/**
 * From an upgrade to a peer on a room, and what arrives from then on.
 *
 *   upgrade ─ host, origin (refused by HTTP) ─ accepted ─ board id, credential, role (refused by close code) ─ room ─ frames
 *
 * What a client can only learn from a close code is told after accepting: a refused upgrade is 1006 for a browser, and
 * a stock client then tries again for ever.
 */
import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { type RawData, type WebSocket, WebSocketServer } from 'ws'
import { type Authenticate, mayWrite } from '../../core/auth/authenticate.ts'
import { credentialOf, ourSubprotocol } from '../../core/auth/credential.ts'
import type { RequestGuard } from '../../core/auth/request-guard.ts'
import { StorageError, SyncError } from '../../core/base/errors.ts'
import type { Logger } from '../../core/base/log.ts'
import type { Metrics } from '../../core/base/metrics.ts'
import { parseBoardId } from '../../core/contract/board-id.ts'
import type { StorageMonitor } from '../../core/store/storage-monitor.ts'
import { decodeFrame } from '../protocol/frames.ts'
import { Peer } from '../room/peer.ts'
import type { RoomHold, Rooms } from '../room/rooms.ts'
import { Socket } from './socket.ts'

const keepAwakeEveryMs = 2_500
const checkAliveEveryMs = 30_000
/** Draining closes the sockets spread over this time, so that their clients don't all come back in one moment. */
const drainSpreadMs = 1_500

export interface SocketsServices {
  rooms: Rooms
  authenticate: Authenticate
  guard: RequestGuard
  monitor: StorageMonitor
  limits: { frameBytes: number; connections: number }
  log: Logger
  metrics: Metrics
}

export class Sockets {
  readonly #services: SocketsServices
  readonly #server: WebSocketServer
  readonly #sockets = new Map<WebSocket, Socket>()
  readonly #timers: NodeJS.Timeout[]
  #draining = false

  constructor(services: SocketsServices) {
    this.#services = services
    this.#server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      maxPayload: services.limits.frameBytes,
      perMessageDeflate: false,
      handleProtocols: offered => (offered.has(ourSubprotocol) ? ourSubprotocol : false),
    })
    this.#timers = [
      setInterval(() => this.#each(socket => socket.keepAwake()), keepAwakeEveryMs),
      setInterval(() => this.#each(socket => socket.checkAlive()), checkAliveEveryMs),
    ]
  }

  get size(): number {
    return this.#sockets.size
  }

  /** Takes this HTTP server's upgrades. */
  attach(server: Server): void {
    server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
      stream.on('error', error => this.#services.log.debug({ err: error }, 'connection lost in the handshake'))
      const refusal = this.#draining
        ? { status: 503, reason: 'this instance is going away; connect again' }
        : this.#services.guard(request)
      if (refusal) {
        this.#services.metrics.refusals.inc({ reason: `upgrade-${refusal.status}` })
        refuseUpgrade(stream, refusal.status, refusal.reason)
      } else {
        this.#server.handleUpgrade(request, stream, head, socket => this.#accept(socket, stream, request))
      }
    })
  }

  /** Takes no more sockets and closes those there are, in random slices; resolves when all are gone. */
  async drain(): Promise<void> {
    this.#draining = true
    const error = new SyncError('draining', 'this instance is going away; connect again')
    await Promise.all(
      [...this.#sockets].map(
        ([socket, own]) =>
          new Promise<void>(resolve => {
            socket.once('close', () => resolve())
            if (socket.readyState === socket.CLOSED) resolve()
            const wait = this.#sockets.size > 1 ? Math.random() * drainSpreadMs : 0
            setTimeout(() => own.close(error), wait)
          }),
      ),
    )
    for (const timer of this.#timers) clearInterval(timer)
  }

  #accept(webSocket: WebSocket, stream: Duplex, request: IncomingMessage): void {
    const { limits, metrics, log } = this.#services
    const socket = new Socket(webSocket, stream, metrics)
    this.#sockets.set(webSocket, socket)
    metrics.connections.set(this.#sockets.size)
    webSocket.on('close', () => {
      this.#sockets.delete(webSocket)
      metrics.connections.set(this.#sockets.size)
    })
    // Protocol faults and broken connections: `ws` closes the socket itself (1009 for a frame that is too big).
    webSocket.on('error', error => log.debug({ err: error }, 'socket error'))
    if (this.#sockets.size > limits.connections) {
      socket.close(new SyncError('too-many-connections', 'this instance has too many connections'))
      return
    }
    // Nothing is read until the room is there: what a client sends first waits in the network's buffers.
    webSocket.pause()
    this.#admit(webSocket, socket, request).then(
      () => webSocket.resume(),
      error => {
        webSocket.resume()
        this.#end(socket, error)
      },
    )
  }

  async #admit(webSocket: WebSocket, socket: Socket, request: IncomingMessage): Promise<void> {
    const { authenticate, rooms, monitor } = this.#services
    const board = parseBoardId(boardNameOf(request.url ?? '/'))
    const grant = await authenticate(credentialOf(request))
    const role = grant.roleOn(board)
    if (!role) throw new SyncError('board-forbidden', 'there is no such board, or this credential has no right to it')
    if (monitor.state === 'down' && !rooms.has(board)) throw new StorageError('unavailable', 'storage is down')
    const hold = await rooms.hold(board, mayWrite(role))
    this.#connect(webSocket, socket, hold, new Peer(socket, grant, role))
  }

  #connect(webSocket: WebSocket, socket: Socket, { room, release }: RoomHold, peer: Peer): void {
    const { metrics } = this.#services
    const leave = () => {
      room.leave(peer)
      release()
    }
    if (webSocket.readyState !== webSocket.OPEN) {
      release()
      return
    }
    webSocket.once('close', leave)
    webSocket.on('message', (data: RawData, isBinary: boolean) => {
      if (webSocket.readyState !== webSocket.OPEN) return
      try {
        metrics.framesIn.inc()
        if (!isBinary) throw new SyncError('frame-malformed', 'text frames are not part of this protocol')
        const bytes = copyOf(data)
        metrics.bytesIn.inc(bytes.byteLength)
        room.receive(decodeFrame(bytes), peer)
      } catch (error) {
        this.#end(socket, error)
      }
    })
    room.join(peer)
  }

  #end(socket: Socket, error: unknown): void {
    if (error instanceof SyncError) {
      this.#services.log.debug({ code: error.code, err: error.cause }, `socket refused: ${error.message}`)
      if (isRefusal(error)) socket.refuse(error)
      else socket.close(error)
    } else {
      // A fault of ours or of the database; either way the client does well to come back.
      const level = error instanceof StorageError ? 'warn' : 'error'
      this.#services.log[level]({ err: error }, 'a socket failed')
      socket.close(new SyncError('storage-unavailable', 'this board cannot be served now; try again', { cause: error }))
    }
  }

  #each(work: (socket: Socket) => void): void {
    for (const socket of this.#sockets.values()) work(socket)
  }
}

const isRefusal = (error: SyncError): boolean =>
  ['credential-missing', 'credential-invalid', 'board-forbidden', 'board-deleted'].includes(error.code)

/** `/{boardId}` or `/boards/{boardId}`, decoded once; anything else is no board id either. */
function boardNameOf(url: string): string {
  const path = url.split('?', 1)[0] ?? ''
  const name = /^\/(?:boards\/)?([^/]*)$/.exec(path)?.[1] ?? ''
  try {
    return decodeURIComponent(name)
  } catch {
    return '' // not a URL encoding: refused as the board id it cannot be
  }
}

/** `ws` hands out slices of its read buffer; what a frame holds is kept. */
function copyOf(data: RawData): Uint8Array {
  return new Uint8Array(Array.isArray(data) ? Buffer.concat(data) : Buffer.isBuffer(data) ? data : new Uint8Array(data))
}

/** Closed once it is told: a client that keeps its side open would keep the connection, and the server from stopping. */
function refuseUpgrade(stream: Duplex, status: number, reason: string): void {
  stream.once('finish', () => stream.destroy())
  const statusText = { 403: 'Forbidden', 421: 'Misdirected Request', 503: 'Service Unavailable' }[status] ?? ''
  stream.end(
    `HTTP/1.1 ${status} ${statusText}\r\nConnection: close\r\nContent-Type: text/plain\r\n` +
      `Content-Length: ${Buffer.byteLength(reason)}\r\n\r\n${reason}`,
  )
}
