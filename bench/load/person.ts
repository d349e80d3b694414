/** One connection of the load: joins a board as a stock client does, and hands on what it hears. */
import { WebSocket } from 'ws'
import type { Server } from '../servers.ts'
import { awareness, type Message, read, step1, step2 } from '../wire.ts'

export class Person {
  readonly board: string
  readonly #server: Server
  readonly #socket: WebSocket
  /** Frames are handed on here, whole and unread: most are equal to one that somebody else got. */
  onFrame: ((message: Uint8Array) => void) | undefined
  readonly #joined: Promise<void>
  readonly #closed: Promise<number>

  private constructor(server: Server, board: string, place: number, protocols: string[]) {
    const url = server.urls[place % server.urls.length]
    const socket = new WebSocket(`${url}/${board}`, protocols, { perMessageDeflate: false, maxPayload: 2 ** 28 })
    this.#server = server
    this.board = board
    this.#socket = socket
    socket.on('message', (data: Buffer) => this.onFrame?.(server.dialect.unwrap(board, data)))
    socket.on('error', () => {}) // told by the code
    this.#joined = new Promise((resolve, reject) => {
      socket.once('error', reject)
      // Not a moment later: the server's first message may have come together with its handshake.
      socket.once('open', () => {
        for (const frame of server.dialect.hello(board)) socket.send(frame)
        resolve(server.remembers ? this.sync() : undefined)
      })
    })
    this.#closed = new Promise(resolve => socket.once('close', resolve))
  }

  /**
   * Joins the board: has what it holds.
   * @param place which of the server's processes
   * @param onFrame hears every message from the first one on
   * @param protocols subprotocols that it offers
   */
  static async join(
    server: Server,
    board: string,
    place = 0,
    onFrame?: Person['onFrame'],
    protocols: string[] = [],
  ): Promise<Person> {
    const person = new Person(server, board, place, protocols)
    person.onFrame = onFrame
    await person.#joined
    return person
  }

  /** Asks for everything; resolves with the answer to that. Frames that come before it are handed on. */
  async sync(stateVector?: Uint8Array): Promise<void> {
    const hand = this.onFrame
    const synced = new Promise<void>(resolve => {
      this.onFrame = message => {
        hand?.(message)
        // A stock client answers each question of the server.
        if (isStep1(message)) this.send(step2())
        else if (isStep2(message)) resolve()
      }
    })
    this.send(step1(stateVector))
    await Promise.race([
      synced,
      this.#closed.then(code => {
        throw new Error(`${this.#server.name} closed a client that joined: ${code}`)
      }),
    ])
    this.onFrame = hand
  }

  send(message: Uint8Array): void {
    this.#socket.send(this.#server.dialect.wrap(this.board, message))
  }

  /** Says that it is there, as stock clients do every 15 s: Hocuspocus sends away who says nothing for 60 s. */
  renew(): void {
    this.send(awareness([]))
  }

  /** Takes no more bytes from the network, as a suspended laptop. */
  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  get open(): boolean {
    return this.#socket.readyState === WebSocket.OPEN
  }

  stop(): void {
    this.onFrame = undefined
    this.#socket.terminate()
  }
}

export const isStep1 = (message: Uint8Array): boolean => message[1] === 0 && (message[0] === 0 || message[0] === 4)
export const isStep2 = (message: Uint8Array): boolean => message[1] === 1 && (message[0] === 0 || message[0] === 4)

/** Reads each distinct message once, however many people hear it. */
export class Reader<T> {
  readonly #read: (message: Message) => T
  readonly #seen = new Map<string, T>()

  constructor(of: (message: Message) => T) {
    this.#read = of
  }

  read(message: Uint8Array): T {
    const key = Buffer.from(message.buffer, message.byteOffset, message.byteLength).toString('latin1')
    const known = this.#seen.get(key)
    if (known !== undefined) return known
    if (this.#seen.size > 2_000) this.#seen.clear()
    const value = this.#read(read(message))
    this.#seen.set(key, value)
    return value
  }
}
