/**
 * Who is on a board and where their cursor is: awareness states, in memory only.
 *
 * A state is passed on as the bytes it came in, gathered for a moment so that many cursors make one frame. Stock clients
 * send back every state they hear, so a clock that is not newer means nothing and is dropped before anything is parsed.
 *
 * A client id belongs to the socket that first announced it, while that socket lives. When the owner goes, its states go
 * at once, under the clock they had. A client that then comes back with an unchanged clock would stay invisible to the
 * others, who have seen that clock already; it is told of its own removal, and so announces itself with a newer one.
 *
 * Between instances only clocks decide. What another instance says is passed on here and never back to the bus; what it
 * takes back it must own (`remote-presence.ts`).
 */
import { type AwarenessState, goneState, isGone } from '../protocol/awareness-codec.ts'
import { encodeAwarenessFrame } from '../protocol/frames.ts'
import { type AwarenessRefusal, refusalOf } from './awareness-check.ts'
import { Peer } from './peer.ts'

const gatherMs = 50
const clientsPerPeer = 8
const clientsPerInstance = 10_000
/** The owner of a client id that somebody else announces has this long to show that it lives. */
const ownerAnswersWithinMs = 2_000
const rememberedAtMost = 1_000

export type PresenceRefusal = AwarenessRefusal | 'awareness-too-many-clients' | 'awareness-foreign-client'

/** Another instance, as the owner of what its peers announced. */
export interface RemoteInstance {
  readonly instance: string
}

interface Known {
  state: AwarenessState
  owner: Peer | RemoteInstance
}

export class Presence {
  readonly #send: (frame: Uint8Array, to?: Peer) => void
  readonly #refused: (reason: PresenceRefusal) => void
  readonly #share: (states: readonly AwarenessState[]) => void
  readonly #known = new Map<number, Known>()
  /** Clocks of clients that went, oldest first. */
  readonly #gone = new Map<number, number>()
  /** What is sent with the next frame; `ours`: peers of this instance made it so, the others are to hear of it. */
  readonly #changed = new Map<number, { state: AwarenessState; ours: boolean }>()
  /** Newer states of client ids whose owner is being asked whether it lives. */
  readonly #claims = new Map<number, { state: AwarenessState; owner: Peer }>()
  #timer: NodeJS.Timeout | undefined
  #sentAt = 0
  #closed = false

  /**
   * @param send to one peer, or to everybody
   * @param share with the other instances: what peers of this one changed
   */
  constructor(
    send: (frame: Uint8Array, to?: Peer) => void,
    refused: (reason: PresenceRefusal) => void,
    share: (states: readonly AwarenessState[]) => void,
  ) {
    this.#send = send
    this.#refused = refused
    this.#share = share
  }

  receive(states: readonly AwarenessState[], from: Peer): void {
    for (const state of states) {
      const known = this.#known.get(state.clientId)
      if (known ? state.clock <= known.state.clock && !isOwnFarewell(state, known, from) : this.#isOld(state)) {
        if (!known && !isGone(state)) this.#send(encodeAwarenessFrame([this.#goneAfter(state)]), from)
      } else if (this.#isPassable(state)) {
        if (known && known.owner !== from && known.owner instanceof Peer) this.#claim(state, known.owner, from)
        else this.#accept(state, from)
      }
    }
  }

  /**
   * What another instance says of its peers.
   * @returns the states of clients that are taken to be gone here: they have to announce themselves with newer clocks
   */
  hear(states: readonly AwarenessState[], from: RemoteInstance): AwarenessState[] {
    const outdated: AwarenessState[] = []
    for (const state of states) {
      const known = this.#known.get(state.clientId)
      if (isGone(state)) this.#hearGone(state, known, from)
      else if (known ? state.clock > known.state.clock : !this.#isOld(state)) {
        if (this.#isPassable(state)) this.#accept(state, from)
      } else if (!known) outdated.push(this.#goneAfter(state))
    }
    return outdated
  }

  /** Who came through this instance. */
  ours(): AwarenessState[] {
    return [...this.#known.values()].flatMap(({ state, owner }) => (owner instanceof Peer ? [state] : []))
  }

  /** Others take this client of ours to be gone: it is told so, and then announces itself with a newer clock. */
  renew(state: AwarenessState): void {
    const known = this.#known.get(state.clientId)
    if (!(known?.owner instanceof Peer) || state.clock < known.state.clock) return
    this.#send(encodeAwarenessFrame([goneState(state.clientId, state.clock)]), known.owner)
  }

  /** The peer's socket is gone, or the instance, and so is whoever it announced, except these. */
  leave(gone: Peer | RemoteInstance, except: ReadonlySet<number> = new Set()): void {
    for (const [clientId, { state, owner }] of this.#known) {
      if (owner === gone && !except.has(clientId)) this.#remove(clientId, state.clock, owner)
    }
    for (const [clientId, claim] of this.#claims) {
      if (claim.owner === gone) this.#claims.delete(clientId)
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

  #accept(state: AwarenessState, owner: Peer | RemoteInstance): void {
    if (isGone(state)) {
      if (this.#known.has(state.clientId)) this.#remove(state.clientId, state.clock, owner)
      return
    }
    const atMost = owner instanceof Peer ? clientsPerPeer : clientsPerInstance
    if (!this.#known.has(state.clientId) && this.#clientsOf(owner) >= atMost) {
      this.#refused('awareness-too-many-clients')
      return
    }
    this.#gone.delete(state.clientId)
    this.#known.set(state.clientId, { state, owner })
    this.#pass(state, owner)
  }

  #hearGone(state: AwarenessState, known: Known | undefined, from: RemoteInstance): void {
    if (!known) this.#remember(this.#goneAfter(state))
    else if (state.clock < known.state.clock) return
    else if (known.owner === from) this.#remove(state.clientId, state.clock, from)
    // It has come over to us since, with the clock it had; elsewhere it is gone by now.
    else this.renew(state)
  }

  #isPassable(state: AwarenessState): boolean {
    const reason = refusalOf(state)
    if (reason) this.#refused(reason)
    return reason === undefined
  }

  #claim(state: AwarenessState, owner: Peer, from: Peer): void {
    const sameSubject = from.grant.authenticated && from.grant.subject === owner.grant.subject
    if (sameSubject) {
      this.#accept(state, from)
      return
    }
    this.#refused('awareness-foreign-client')
    const asked = this.#claims.has(state.clientId)
    this.#claims.set(state.clientId, { state, owner: from })
    if (asked) return
    void owner.socket.answersPing(ownerAnswersWithinMs).then(alive => {
      const claim = this.#claims.get(state.clientId)
      this.#claims.delete(state.clientId)
      if (alive || !claim || this.#known.get(state.clientId)?.owner !== owner) return
      this.#accept(claim.state, claim.owner)
    })
  }

  #remove(clientId: number, clock: number, owner: Peer | RemoteInstance): void {
    this.#known.delete(clientId)
    const state = goneState(clientId, clock)
    this.#remember(state)
    this.#pass(state, owner)
  }

  #remember({ clientId, clock }: AwarenessState): void {
    this.#gone.set(clientId, clock)
    const [oldest] = this.#gone.keys()
    if (this.#gone.size > rememberedAtMost && oldest !== undefined) this.#gone.delete(oldest)
  }

  /** Of a client that went: it is not seen again before it shows a newer clock. */
  #isOld(state: AwarenessState): boolean {
    const clock = this.#gone.get(state.clientId)
    return clock !== undefined && state.clock <= clock
  }

  #goneAfter({ clientId, clock }: AwarenessState): AwarenessState {
    return goneState(clientId, Math.max(clock, this.#gone.get(clientId) ?? clock))
  }

  #clientsOf(given: Peer | RemoteInstance): number {
    let count = 0
    for (const { owner } of this.#known.values()) if (owner === given) count += 1
    return count
  }

  /** To everybody: at once after silence, else with what gathers until the next frame is due. */
  #pass(state: AwarenessState, from: Peer | RemoteInstance): void {
    this.#changed.set(state.clientId, { state, ours: from instanceof Peer })
    if (this.#timer || this.#closed) return
    const wait = Math.max(0, this.#sentAt + gatherMs - Date.now())
    this.#timer = setTimeout(() => this.#flush(), wait)
  }

  #flush(): void {
    this.#timer = undefined
    this.#sentAt = Date.now()
    const changed = [...this.#changed.values()]
    this.#changed.clear()
    this.#send(encodeAwarenessFrame(changed.map(({ state }) => state)))
    const ours = changed.flatMap(({ state, ours }) => (ours ? [state] : []))
    if (ours.length > 0) this.#share(ours)
  }
}

/** A client takes leave under the clock it has (the page is closed), or a newer one. */
const isOwnFarewell = (state: AwarenessState, known: Known, from: Peer): boolean =>
  isGone(state) && known.owner === from && state.clock === known.state.clock
