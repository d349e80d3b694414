/** Whose a client id is: the peer that first announced it, or the instance that such a peer is on. */
import { type AwarenessState, goneState } from '../protocol/awareness-codec.ts'
import { Peer } from './peer.ts'

/** Another instance, as the owner of what its peers announced. */
export interface RemoteInstance {
  readonly instance: string
}

/** What the other instances are told. */
export interface PresenceLink {
  /** Peers of this instance made these so. */
  share(states: readonly OwnedState[]): void
  /** A peer of this instance announces a client of another one: does its owner live? */
  claim(state: OwnedState): void
  /** This client of ours was announced elsewhere, and its owner lives. */
  hold(state: OwnedState): void
}

/** Owns whom the server itself shows, on every instance by itself: what is its is nobody else's, and is told to no instance. */
export const theServer: RemoteInstance = { instance: '' }

export type Owner = Peer | RemoteInstance

/** An awareness state as instances tell it to each other. */
export interface OwnedState extends AwarenessState {
  /** Who has shown to be behind it; empty: nobody has. */
  subject: string
  /** When its owner announced this client (ms since the epoch, by the clock of its instance). */
  since: number
}

export const isOurs = (owner: Owner): owner is Peer => owner instanceof Peer

export const subjectOf = ({ grant }: Peer): string => (grant.authenticated ? grant.subject : '')

/** One person on two connections: what the one announced, the other may go on with at once. */
export const isSameSubject = (one: { subject: string }, other: { subject: string }): boolean =>
  one.subject !== '' && one.subject === other.subject

export const ownedGone = ({ clientId, subject, since }: OwnedState, clock: number): OwnedState => ({
  ...goneState(clientId, clock),
  subject,
  since,
})
