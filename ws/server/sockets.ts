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
import type { Authenticate } from '../../core/auth/authenticate.ts'
import { callerAddress } from '../../core/auth/client-address.ts'
import { credentialOf, ourSubprotocol, subprotocolsOf } from '../../core/auth/credential.ts'
import type { LiveAuthority } from '../../core/auth/live-authority.ts'
import type { RequestGuard } from '../../core/auth/request-guard.ts'
import { renewedCookie } from '../../core/auth/session-cookie.ts'
import { StorageError, SyncError } from '../../core/base/errors.ts'
import type { Logger } from '../../core/base/log.ts'
import type { Metrics } from '../../core/base/metrics.ts'
import { eachInSlices } from '../../core/base/slices.ts'
import { parseBoardId } from '../../core/contract/board-id.ts'
import { deflateSubprotocol } from '../../core/contract/deflated.ts'
import { mayWrite } from '../../core/contract/role.ts'
import type { StorageMonitor } from '../../core/store/storage-monitor.ts'
import { decodeFrame } from '../protocol/frames.ts'
import { Peer } from '../room/peer.ts'
import type { RoomHold, Rooms } from '../room/rooms.ts'
import { ConnectionCaps, type ConnectionLimits } from './connection-caps.ts'
import { MessageRate, type MessageRates } from './message-rate.ts'
import { Socket } from './socket.ts'
import { answerWithoutUpgrade, boardNameOf, inTime, isForWebSocket, refuseUpgrade } from './upgrade.ts'

const keepAwakeEveryMs = 2_500
/** Every so many times they are also asked whether they are still there: every 30 s. */
const checkAliveEvery = 12
/** Draining closes the sockets spread over this time, so that their clients don't all come back in one moment. */
const drainSpreadMs = 1_500
/** And waits for no answer longer than this: boards are snapshotted after that, and a stop has to be over in 8 s. */
const drainAnswerMs = 1_500

export interface SocketsServices {
  rooms: Rooms
  authenticate: Authenticate
  authority: Pick<LiveAuthority, 'watch'>
  guard: RequestGuard
  monitor: StorageMonitor
  limits: { frameBytes: number; pendingBytes: number; connections: ConnectionLimits; messages: MessageRates }
  trustedProxies: number
  /** The address people see, where one is set. */
  publicUrl: string | undefined
  log: Logger
  metrics: Metrics
}

export class Sockets {
  readonly #services: SocketsServices
  readonly #server: WebSocketServer
  readonly #caps: ConnectionCaps
  readonly #sockets = new Map<WebSocket, Socket>()
  readonly #timer: NodeJS.Timeout
  #draining = false

  constructor(services: SocketsServices) {
    this.#services = services
    this.#caps = new ConnectionCaps(services.limits.connections)
    this.#server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      maxPayload: services.limits.frameBytes,
      perMessageDeflate: false,
      handleProtocols: offered => (offered.has(ourSubprotocol) ? ourSubprotocol : false),
    })
    this.#server.on('headers', (headers, request) => {
      const cookie = renewedCookie(request, services.publicUrl)
      if (cookie !== undefined) headers.push(`Set-Cookie: ${cookie}`)
    })
    let times = 0
    this.#timer = setInterval(() => {
      times += 1
      const isCheck = times % checkAliveEvery === 0
      // Ten thousand writes at once would hold up everybody's edits for a tenth of a second.
      void eachInSlices(this.#sockets.values(), socket => (isCheck ? socket.checkAlive() : socket.keepAwake()))
    }, keepAwakeEveryMs)
  }

  get size(): number {
    return this.#sockets.size
  }

  /** Takes this HTTP server's upgrades. */
  attach(server: Server): void {
    server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
      if (!isForWebSocket(request)) {
        answerWithoutUpgrade(server, request, stream, head)
        return
      }
      stream.on('error', error => this.#services.log.debug({ err: error }, 'connection lost in the handshake'))
      const refusal = this.#draining
        ? { status: 503, reason: 'this instance is going away; connect again' }
        : this.#services.guard(request)
      if (refusal) {
        this.#services.metrics.refusals.inc({ reason: `upgrade-${refusal.status}` })
        refuseUpgrade(stream, refusal.status, refusal.reason)
      } else {
        // Where the board is open, our question goes out with the handshake: one system call less, and one wake-up of the client.
        stream.cork()
        setImmediate(() => stream.uncork())
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
            setTimeout(() => own.close(error, drainAnswerMs), wait)
          }),
      ),
    )
    clearInterval(this.#timer)
  }

  #accept(webSocket: WebSocket, stream: Duplex, request: IncomingMessage): void {
    const { metrics, log, trustedProxies } = this.#services
    const socket = new Socket(webSocket, stream, metrics)
    this.#sockets.set(webSocket, socket)
    metrics.connections.set(this.#sockets.size)
    webSocket.on('close', () => {
      this.#sockets.delete(webSocket)
      metrics.connections.set(this.#sockets.size)
    })
    // Protocol faults and broken connections: `ws` closes the socket itself (1009 for a frame that is too big).
    webSocket.on('error', error => log.debug({ err: error }, 'socket error'))
    try {
      webSocket.once(
        'close',
        this.#caps.connect(() => callerAddress(request, trustedProxies)),
      )
    } catch (error) {
      this.#end(socket, error)
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
    const { authenticate, rooms, monitor, trustedProxies } = this.#services
    const board = parseBoardId(boardNameOf(request.url ?? '/'))
    const address = () => callerAddress(request, trustedProxies)
    const grant = await inTime(authenticate(credentialOf(request), request.headers.origin, address))
    const role = grant.roleOn(board)
    if (!role) throw new SyncError('board-forbidden', 'there is no such board, or this credential has no right to it')
    if (grant.authenticated && webSocket.readyState === webSocket.OPEN) {
      webSocket.once('close', this.#caps.identify(grant.subject))
    }
    if (monitor.state === 'down' && !rooms.has(board)) throw new StorageError('unavailable', 'storage is down')
    const hold = await rooms.hold(board, mayWrite(role))
    const inflates = subprotocolsOf(request).includes(deflateSubprotocol)
    this.#connect(webSocket, socket, hold, new Peer(socket, grant, role, inflates))
  }

  #connect(webSocket: WebSocket, socket: Socket, { room, release }: RoomHold, peer: Peer): void {
    const { metrics, authority, limits, monitor } = this.#services
    if (webSocket.readyState !== webSocket.OPEN) {
      release()
      return
    }
    const rate = new MessageRate(limits.messages, {
      deliver: frame => {
        try {
          room.receive(frame, peer)
        } catch (error) {
          this.#end(socket, error)
        }
      },
      // While storage is away nothing gets better by waiting: then the bound on what waits decides.
      isCrowded: () => monitor.state === 'up' && room.line.bytes > limits.pendingBytes / 2,
      pause: () => webSocket.pause(),
      resume: () => webSocket.resume(),
      onFlood: () => socket.close(new SyncError('too-many-messages', 'this client sends far more than it may')),
    })
    let here = true
    /** @param takesRest what it has sent and was too much at once still counts */
    const leave = (takesRest: boolean) => {
      here = false
      unwatch()
      rate.close(takesRest)
      room.leave(peer)
      release()
    }
    const unwatch = authority.watch(peer.grant, error => {
      // Before it is told: nothing more reaches it, and what it still sends counts for nothing.
      leave(false)
      this.#end(socket, error)
    })
    webSocket.once('close', () => leave(!socket.isClosing))
    webSocket.on('message', (data: RawData, isBinary: boolean) => {
      if (!here || webSocket.readyState !== webSocket.OPEN) return
      try {
        metrics.traffic.framesIn += 1
        if (!isBinary) throw new SyncError('frame-malformed', 'text frames are not part of this protocol')
        const bytes = copyOf(data)
        metrics.traffic.bytesIn += bytes.byteLength
        rate.receive(decodeFrame(bytes), bytes.byteLength)
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
}

const isRefusal = (error: SyncError): boolean =>
  error.code.startsWith('credential-') || error.code === 'board-forbidden' || error.code === 'board-deleted'

/** `ws` hands out slices of its read buffer; what a frame holds is kept. */
function copyOf(data: RawData): Uint8Array {
  return new Uint8Array(Array.isArray(data) ? Buffer.concat(data) : Buffer.isBuffer(data) ? data : new Uint8Array(data))
}
