/**
 * Who is on a board and where their cursor is: awareness states, in memory only.
 *
 * A state is passed on as the bytes it came in, gathered for a moment so that many cursors make one frame. Stock clients
 * send back every state they hear, so a clock that is not newer means nothing and is dropped before anything is parsed.
 *
 * A client id belongs to the socket that first announced it, while that socket lives. When the owner goes, its states go
 * at once, under the clock they had. A client that then comes back with an unchanged clock would stay invisible to the
 * others, who have seen that clock already; it is told of its own removal, and so announces itself with a newer one.
 */
import { type AwarenessState, goneState, isGone } from '../protocol/awareness-codec.ts'
import { encodeAwarenessFrame } from '../protocol/frames.ts'
import type { Peer } from './peer.ts'

const gatherMs = 50
const clientsPerPeer = 8
const stateBytesAtMost = 16 * 1024
/** The owner of a client id that somebody else announces has this long to show that it lives. */
const ownerAnswersWithinMs = 2_000
const rememberedAtMost = 1_000

export type PresenceRefusal =
  | 'awareness-too-large'
  | 'awareness-too-many-clients'
  | 'awareness-foreign-client'
  | 'awareness-malformed'

interface Known {
  state: AwarenessState
  owner: Peer
}

export class Presence {
  readonly #send: (frame: Uint8Array, to?: Peer) => void
  readonly #refused: (reason: PresenceRefusal) => void
  readonly #known = new Map<number, Known>()
  /** Clocks of clients that went, oldest first. */
  readonly #gone = new Map<number, number>()
  readonly #changed = new Map<number, AwarenessState>()
  /** Newer states of client ids whose owner is being asked whether it lives. */
  readonly #claims = new Map<number, Known>()
  #timer: NodeJS.Timeout | undefined
  #sentAt = 0
  #closed = false

  /** @param send to one peer, or to everybody */
  constructor(send: (frame: Uint8Array, to?: Peer) => void, refused: (reason: PresenceRefusal) => void) {
    this.#send = send
    this.#refused = refused
  }

  receive(states: readonly AwarenessState[], from: Peer): void {
    for (const state of states) {
      const known = this.#known.get(state.clientId)
      if (known ? state.clock <= known.state.clock && !isOwnFarewell(state, known, from) : this.#isOld(state)) {
        if (!known && !isGone(state)) this.#send(this.#farewell(state.clientId, state.clock), from)
      } else if (state.json.byteLength > stateBytesAtMost) {
        this.#refused('awareness-too-large')
      } else if (!isGone(state) && !isObject(state.json)) {
        this.#refused('awareness-malformed')
      } else if (known && known.owner !== from) {
        this.#claim(state, known, from)
      } else {
        this.#accept(state, from)
      }
    }
  }

  /** The peer's socket is gone, and so is whoever it announced. */
  leave(peer: Peer): void {
    for (const [clientId, { state, owner }] of this.#known) {
      if (owner === peer) this.#remove(clientId, state.clock)
    }
    for (const [clientId, claim] of this.#claims) {
      if (claim.owner === peer) this.#claims.delete(clientId)
    }
  }

  /** A frame with everybody who is here, for one who joins or asks; undefined when nobody is. */
  everybody(): Uint8Array | undefined {
    if (this.#known.size === 0) return undefined
    return encodeAwarenessFrame([...this.#known.values()].map(({ state }) => state))
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#changed.clear()
    this.#claims.clear()
  }

  #accept(state: AwarenessState, owner: Peer): void {
    if (isGone(state)) {
      if (this.#known.has(state.clientId)) this.#remove(state.clientId, state.clock)
      return
    }
    if (!this.#known.has(state.clientId) && this.#clientsOf(owner) >= clientsPerPeer) {
      this.#refused('awareness-too-many-clients')
      return
    }
    this.#gone.delete(state.clientId)
    this.#known.set(state.clientId, { state, owner })
    this.#pass(state)
  }

  #claim(state: AwarenessState, known: Known, from: Peer): void {
    const sameSubject = from.grant.authenticated && from.grant.subject === known.owner.grant.subject
    if (sameSubject) {
      this.#accept(state, from)
      return
    }
    this.#refused('awareness-foreign-client')
    const asked = this.#claims.has(state.clientId)
    this.#claims.set(state.clientId, { state, owner: from })
    if (asked) return
    void known.owner.socket.answersPing(ownerAnswersWithinMs).then(alive => {
      const claim = this.#claims.get(state.clientId)
      this.#claims.delete(state.clientId)
      if (alive || !claim || this.#known.get(state.clientId)?.owner !== known.owner) return
      this.#accept(claim.state, claim.owner)
    })
  }

  #remove(clientId: number, clock: number): void {
    this.#known.delete(clientId)
    this.#gone.set(clientId, clock)
    const [oldest] = this.#gone.keys()
    if (this.#gone.size > rememberedAtMost && oldest !== undefined) this.#gone.delete(oldest)
    this.#pass(goneState(clientId, clock))
  }

  /** Of a client that went: it is not seen again before it shows a newer clock. */
  #isOld(state: AwarenessState): boolean {
    const clock = this.#gone.get(state.clientId)
    return clock !== undefined && state.clock <= clock
  }

  #farewell(clientId: number, clock: number): Uint8Array {
    return encodeAwarenessFrame([goneState(clientId, Math.max(clock, this.#gone.get(clientId) ?? clock))])
  }

  #clientsOf(peer: Peer): number {
    let count = 0
    for (const { owner } of this.#known.values()) if (owner === peer) count += 1
    return count
  }

  /** To everybody: at once after silence, else with what gathers until the next frame is due. */
  #pass(state: AwarenessState): void {
    this.#changed.set(state.clientId, state)
    if (this.#timer || this.#closed) return
    const wait = Math.max(0, this.#sentAt + gatherMs - Date.now())
    this.#timer = setTimeout(() => this.#flush(), wait)
  }

  #flush(): void {
    this.#timer = undefined
    this.#sentAt = Date.now()
    const states = [...this.#changed.values()]
    this.#changed.clear()
    this.#send(encodeAwarenessFrame(states))
  }
}

/** A client takes leave under the clock it has (the page is closed), or a newer one. */
const isOwnFarewell = (state: AwarenessState, known: Known, from: Peer): boolean =>
  isGone(state) && known.owner === from && state.clock === known.state.clock

/** Stock clients parse what they are sent: a state that is no JSON object would break them. */
function isObject(json: Uint8Array): boolean {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json))
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false // neither JSON nor UTF-8: refused by the caller
  }
}
