/**
 * Who is on a board and where their cursor is: awareness states, in memory only.
 *
 * A state is passed on as the bytes it came in, gathered for a moment so that many cursors make one frame. Stock clients
 * send back every state they hear, so a clock that is not newer means nothing and is dropped before anything is parsed.
 *
 * A client id belongs to the socket that first announced it, while that socket lives, on whichever instance. Only the same
 * authenticated subject takes it over at once; for anybody else the owner is asked first, by the instance it is on. When
 * the owner goes, its states go at once, under the clock they had. A client that then comes back with an unchanged clock
 * would stay invisible to the others, who have seen that clock already; it is told of its own removal, and so announces
 * itself with a newer one.
 *
 * What another instance says is passed on here and never back to the bus; what it takes back it must own
 * (`remote-presence.ts`).
 */
import { type AwarenessState, goneState, isGone } from '../protocol/awareness-codec.ts'
import { encodeAwarenessFrame } from '../protocol/frames.ts'
import { type AwarenessRefusal, refusalOf, stampedBytesAtMost } from './awareness-check.ts'
import { stamped } from './awareness-stamp.ts'
import { type Claim, ClientClaims, ownerAnswersWithinMs } from './client-claims.ts'
import { Farewells } from './farewells.ts'
import { type Known, KnownClients } from './known-clients.ts'
import type { Peer } from './peer.ts'
import { PresenceOutbox } from './presence-outbox.ts'
import {
  isOurs,
  isSameSubject,
  type OwnedState,
  type Owner,
  ownedGone,
  type PresenceLink,
  type RemoteInstance,
  subjectOf,
  theServer,
} from './presence-owner.ts'

const clientsPerPeer = 8
const clientsPerInstance = 10_000

export type PresenceRefusal = AwarenessRefusal | 'awareness-too-many-clients' | 'awareness-foreign-client'

type Refuse = (reason: PresenceRefusal) => void

export class Presence {
  readonly #send: (frame: Uint8Array, to?: Peer) => void
  readonly #refused: Refuse
  readonly #link: PresenceLink
  readonly #known = new KnownClients()
  readonly #gone = new Farewells()
  readonly #claims = new ClientClaims()
  readonly #outbox: PresenceOutbox<OwnedState>

  /** @param send to one peer, or to everybody */
  constructor(send: (frame: Uint8Array, to?: Peer) => void, refused: Refuse, link: PresenceLink) {
    this.#send = send
    this.#refused = refused
    this.#link = link
    this.#outbox = new PresenceOutbox(
      frame => send(frame),
      states => link.share(states),
    )
  }

  /** Another number whenever what came through this instance has changed. */
  get revision(): number {
    return this.#known.revision
  }

  /** Whether somebody is here through another instance. */
  get isShared(): boolean {
    return this.#known.hasOthers
  }

  receive(states: readonly AwarenessState[], from: Peer): void {
    const refusals = new Set<PresenceRefusal>()
    const refuse: Refuse = reason => void refusals.add(reason)
    const outdated: AwarenessState[] = []
    const news = { own: 0, other: 0 }
    for (const sent of states) {
      const known = this.#known.get(sent.clientId)
      if (known ? sent.clock <= known.state.clock && !isOwnFarewell(sent, known, from) : this.#gone.isOld(sent)) {
        if (!known && !isGone(sent)) outdated.push(this.#gone.after(sent))
        continue
      }
      if (!known && isGone(sent)) continue
      // More than it may have are not worth reading: somebody may send thousands of them, many times a second.
      const whose = known?.owner === from ? 'own' : 'other'
      if (++news[whose] > clientsPerPeer) refuse('awareness-too-many-clients')
      else this.#take(sent, known, from, refuse)
    }
    if (outdated.length > 0) this.#send(encodeAwarenessFrame(outdated), from)
    for (const reason of refusals) this.#refused(reason)
  }

  /**
   * What another instance says of its peers.
   * @returns the states of clients that are taken to be gone here: they have to announce themselves with newer clocks
   */
  hear(states: readonly OwnedState[], from: RemoteInstance): AwarenessState[] {
    const outdated: AwarenessState[] = []
    for (const state of states) {
      const known = this.#known.get(state.clientId)
      if (isGone(state)) this.#hearGone(state, known, from)
      else if (known ? state.clock > known.state.clock : !this.#gone.isOld(state)) {
        if (!this.#isPassable(state, stampedBytesAtMost)) continue
        const isTaken = known && (isOurs(known.owner) || known.owner === theServer)
        if (isTaken && !isSameSubject(known.state, state)) this.#claim(state, known.owner, from, this.#refused, true)
        else this.#accept(state, from)
      } else if (!known) outdated.push(this.#gone.after(state))
    }
    return outdated
  }

  /** A peer of another instance announces these: where they are ours, their owners decide. */
  hearClaims(states: readonly OwnedState[], from: RemoteInstance): void {
    for (const state of states) {
      const known = this.#known.get(state.clientId)
      if (!known || !isOurs(known.owner) || !this.#isPassable(state, stampedBytesAtMost)) continue
      if (isSameSubject(known.state, state)) this.#accept(state, from)
      else this.#claim(state, known.owner, from)
    }
  }

  /** Another instance says that these clients are its own, and their owners live. */
  hearHeld(states: readonly OwnedState[], from: RemoteInstance): void {
    for (const { clientId, since } of states) {
      this.#claims.held(clientId)
      const known = this.#known.get(clientId)
      // Two may each have taken it for theirs, not knowing of each other: it belongs to who announced it first.
      if (!known || known.owner === from || known.owner === theServer) continue
      if (isOurs(known.owner) && known.state.since <= since) continue
      this.#remove(known.state, known.state.clock, from)
    }
  }

  /** The server itself shows somebody, whoever has that client id. */
  show(clientId: number, state: object): void {
    const clock = 1 + Math.max(timeClock(), this.#known.get(clientId)?.state.clock ?? 0)
    const json = new TextEncoder().encode(JSON.stringify(state))
    const { clock: last } = this.#gone.after({ clientId, clock, json })
    this.#accept({ clientId, clock: last + 1, json, subject: '', since: Date.now() }, theServer)
  }

  /** Takes back what it showed. */
  hide(clientId: number): void {
    const known = this.#known.get(clientId)
    if (known?.owner === theServer) this.#remove(known.state, known.state.clock, theServer)
  }

  /** Who came through this instance. */
  ours(): OwnedState[] {
    return this.#known.ours()
  }

  /** Who is here through any instance, as this one has heard. */
  people(): OwnedState[] {
    return this.#known.people()
  }

  /** Others take this client of ours to be gone: it is told so, and then announces itself with a newer clock. */
  renew(state: AwarenessState): void {
    const known = this.#known.get(state.clientId)
    if (!known || !isOurs(known.owner) || state.clock < known.state.clock) return
    this.#send(encodeAwarenessFrame([goneState(state.clientId, state.clock)]), known.owner)
  }

  /** The peer's socket is gone, or the instance, and so is whoever it announced, except these. */
  leave(gone: Owner, except: ReadonlySet<number> = new Set()): void {
    for (const state of this.#known.of(gone)) {
      if (!except.has(state.clientId)) this.#remove(state, state.clock, gone)
    }
    this.#claims.leave(gone)
  }

  /** A frame with everybody who is here, for one who joins or asks; undefined when nobody is. */
  everybody(): Uint8Array | undefined {
    if (this.#known.size === 0) return undefined
    return encodeAwarenessFrame(this.#known.states())
  }

  close(): void {
    this.#outbox.close()
    this.#claims.clear()
  }

  /** What a peer of ours says anew. */
  #take(sent: AwarenessState, known: Known | undefined, from: Peer, refuse: Refuse): void {
    if (!this.#isPassable(sent, undefined, refuse)) return
    const state = stamped(sent, from.grant.name)
    const since = known?.owner === from ? known.state.since : Date.now()
    const owned = { ...state, subject: subjectOf(from), since }
    const isForeign = known && known.owner !== from && !isSameSubject(known.state, owned)
    if (isForeign) this.#claim(owned, known.owner, from, refuse)
    else this.#accept(owned, from, refuse)
  }

  #accept(state: OwnedState, owner: Owner, refuse = this.#refused): void {
    const known = this.#known.get(state.clientId)
    if (isGone(state)) {
      if (known) this.#remove(known.state, state.clock, owner)
      return
    }
    if (!known && this.#known.countOf(owner) >= (isOurs(owner) ? clientsPerPeer : clientsPerInstance)) {
      refuse('awareness-too-many-clients')
      return
    }
    this.#gone.forget(state.clientId)
    this.#known.set({ state, owner })
    this.#outbox.pass(state, isOurs(owner))
  }

  #hearGone(state: OwnedState, known: Known | undefined, from: RemoteInstance): void {
    if (!known) this.#gone.remember(this.#gone.after(state))
    else if (state.clock < known.state.clock) return
    else if (known.owner === from) this.#remove(known.state, state.clock, from)
    // It has come over to us since, with the clock it had; elsewhere it is gone by now.
    else this.renew(state)
  }

  #isPassable(state: AwarenessState, bytesAtMost?: number, refuse = this.#refused): boolean {
    const reason = refusalOf(state, bytesAtMost)
    if (reason) refuse(reason)
    return reason === undefined
  }

  /** Somebody else announces what is the owner's. @param seen others have seen it under that clock */
  #claim(state: OwnedState, owner: Owner, from: Owner, refuse = this.#refused, seen = false): void {
    refuse('awareness-foreign-client')
    if (owner === theServer) return
    const ask = (claim: Claim) => {
      if (isOurs(owner)) return owner.socket.answersPing(ownerAnswersWithinMs)
      this.#link.claim(state)
      return this.#claims.awaitInstance(claim)
    }
    this.#claims.claim(state, from, ask, (claim, ownerLives) => {
      const known = this.#known.get(state.clientId)
      if (known?.owner !== owner) return
      if (!ownerLives) this.#accept(claim.state, claim.claimant)
      else if (!isOurs(claim.claimant)) {
        this.#link.hold(known.state)
        // The owner is seen again only under a newer clock.
        if (seen) this.renew(claim.state)
      }
    })
  }

  #remove(known: OwnedState, clock: number, by: Owner): void {
    const state = ownedGone(known, clock)
    this.#known.delete(state.clientId)
    this.#gone.remember(state)
    this.#outbox.pass(state, isOurs(by))
  }
}

/**
 * Clients remember the clock they last saw, wherever that was: on every instance, and after a restart, later means higher.
 * In tenths of a second, for clients that read clocks as 32 bits.
 */
const timeClock = (): number => Math.floor((Date.now() - Date.UTC(2026, 0)) / 100)

/** A client takes leave under the clock it has (the page is closed), or a newer one. */
const isOwnFarewell = (state: AwarenessState, known: Known, from: Peer): boolean =>
  isGone(state) && known.owner === from && state.clock === known.state.clock
