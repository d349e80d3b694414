/**
 * Keeps a stock WebsocketProvider connected. The provider left to itself cannot wait for a credential, comes back without
 * jitter (after a deploy all clients at once) and takes no hint from the browser; so here
 * - before each connection the credential is asked for, and again before it expires;
 * - a lost connection is opened again, sooner or later at random, at once when the network is back;
 * - a close code of 4400–4499 is final, and 1009. Except the first 4401 since the board was last complete, where
 *   the credential can be asked for again and is another one then.
 */
import type { WebsocketProvider } from 'y-websocket'
import { handshakeOf, type Lifetime, lifetimeOf, type Token, type TokenSource } from './credential.ts'

export interface Closed {
  code: number
  reason: string
}

/** The part of a provider that this needs. */
export type ConnectedProvider = Pick<
  WebsocketProvider,
  'on' | 'connect' | 'disconnect' | 'params' | 'protocols' | 'shouldConnect' | 'wsconnected' | 'wsLastMessageReceived'
>

export interface ConnectionOptions {
  token: () => TokenSource
  /** The server closed for good: nothing is tried any more. */
  onClosed: (closed: Closed) => void
  /** Says something that the server answers at once, whatever the role. */
  probe: () => void
  /** The browser has lost its network, or has it back. */
  onNetwork: () => void
}

/** Close codes of the server (`core/contract/close-codes.ts` has all of them). */
export const credentialRefused = 4401
export const boardDeleted = 4404
const longestPauseMs = 2_500
/** Another credential is asked for this long before one expires; of a short-lived one when half its time is over. */
const renewBeforeMs = 30_000
/** No socket is given up sooner for another credential: where a clock is wrong, that would go on for ever. */
const shortestUseMs = 10_000
const longestTimerMs = 2 ** 31 - 1
/** How long a socket may stay silent after the browser has lost its network. */
const answerWithinMs = 3_000

export class Connection {
  readonly #provider: ConnectedProvider
  readonly #options: ConnectionOptions
  #timer: ReturnType<typeof setTimeout> | undefined
  #renewal: ReturnType<typeof setTimeout> | undefined
  #attempts = 0
  /** A credential was refused since the board was last complete. */
  #wasRefused = false
  #token: Token
  /** Asked for already, for the next connection: a ticket is good for one. */
  #spare: Token
  /**
   * How far this machine's clock is ahead of the issuer's, at the most: no credential comes before it is issued. The one
   * that was freshest tells.
   */
  #clockLead = Number.POSITIVE_INFINITY
  /** What was heard last before the browser lost its network; undefined: it did not, or the socket closed since. */
  #heardBeforeLoss: number | undefined
  #isStopped = false

  constructor(provider: ConnectedProvider, options: ConnectionOptions) {
    this.#provider = provider
    this.#options = options
    provider.on('connection-close', event => this.#onClose(event))
    provider.on('sync', synced => {
      if (!synced) return
      this.#attempts = 0
      this.#wasRefused = false
    })
  }

  /** The browser has lost its network, and nothing came over the open socket since. */
  get isInDoubt(): boolean {
    return this.#heardBeforeLoss === this.#provider.wsLastMessageReceived
  }

  start(): void {
    addEventListener('online', this.#onOnline)
    addEventListener('offline', this.#onOffline)
    void this.#connect()
  }

  stop(): void {
    this.#isStopped = true
    removeEventListener('online', this.#onOnline)
    removeEventListener('offline', this.#onOffline)
    clearTimeout(this.#timer)
    clearTimeout(this.#renewal)
  }

  async #connect(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    try {
      await this.#ask()
    } catch (error) {
      console.warn('boardsync: no credential could be had, trying again:', error)
      this.#connectLater()
      return
    }
    if (this.#isStopped) return
    this.#provider.connect()
  }

  async #ask(): Promise<void> {
    this.#token = this.#spare ?? (await this.#another())
    this.#spare = undefined
    const { params, protocols } = handshakeOf(this.#token)
    this.#provider.params = params
    this.#provider.protocols = protocols
    this.#renewInTime()
  }

  async #another(): Promise<Token> {
    const source = this.#options.token()
    return typeof source === 'function' ? await source() : source
  }

  /** A socket keeps the credential it was opened with: another one needs another socket. */
  #renewInTime(): void {
    clearTimeout(this.#renewal)
    const lifetime = lifetimeOf(this.#token)
    if (!lifetime || typeof this.#options.token() !== 'function') return
    const left = this.#timeLeft(lifetime)
    if (left <= 0 || this.#isStopped) return
    const wait = Math.max(left - renewBeforeMs, left / 2, shortestUseMs)
    this.#renewal = setTimeout(() => this.#provider.disconnect(), Math.min(wait, longestTimerMs))
  }

  /** In milliseconds. A credential that is given with less than half of its time, or more than all, tells of a wrong clock. */
  #timeLeft({ issued, expires }: Lifetime): number {
    const now = Date.now()
    const left = expires - now
    if (issued === undefined) return left
    const whole = expires - issued
    this.#clockLead = Math.min(this.#clockLead, now - issued)
    return left >= whole / 2 && left <= whole ? left : left + this.#clockLead
  }

  /** Called for every socket that ends, before the provider decides what follows: that is decided here. */
  #onClose(event: CloseEvent | null): void {
    this.#provider.shouldConnect = false
    this.#heardBeforeLoss = undefined
    clearTimeout(this.#renewal)
    if (this.#isStopped) return
    // Closed by ourselves, to open another one.
    if (event === null) this.#timer ??= setTimeout(() => void this.#connect(), 0)
    else if (event.code === credentialRefused) void this.#askForAnother(event)
    else if (isFinal(event.code)) this.#options.onClosed(event)
    else this.#connectLater()
  }

  async #askForAnother(event: CloseEvent): Promise<void> {
    // A source that makes a new one each time would else be asked for ever.
    if (this.#wasRefused) return this.#options.onClosed(event)
    this.#wasRefused = true
    let next: Token
    try {
      next = await this.#another()
    } catch (error) {
      console.warn('boardsync: the credential was refused and no other could be had, trying again:', error)
      this.#connectLater()
      return
    }
    if (this.#isStopped) return
    if (!next || next === this.#token) return this.#options.onClosed(event)
    this.#spare = next
    this.#connectLater()
  }

  #connectLater(): void {
    if (this.#isStopped) return
    const pause = Math.min(longestPauseMs, 100 * 2 ** this.#attempts++)
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#connect(), pause * (0.5 + Math.random()))
  }

  readonly #onOnline = () => {
    this.#heardBeforeLoss = undefined
    if (this.#timer !== undefined) void this.#connect()
    this.#options.onNetwork()
  }

  /** A server on this very machine stays within reach, so the socket is asked instead of given up. */
  readonly #onOffline = () => {
    if (this.#provider.wsconnected) {
      const heard = this.#provider.wsLastMessageReceived
      this.#heardBeforeLoss = heard
      this.#options.probe()
      setTimeout(() => {
        if (this.isInDoubt && this.#heardBeforeLoss === heard && !this.#isStopped) this.#provider.disconnect()
      }, answerWithinMs)
    }
    this.#options.onNetwork()
  }
}

/** An edit in one frame larger than the server takes. It would be the same the next time, all of it sent for nothing. */
const frameTooLarge = 1009

/** Where trying again cannot help: in y-websocket's range, and where the frame would be as large again. */
export const isFinal = (code: number): boolean => code === frameTooLarge || (code >= 4400 && code < 4500)
