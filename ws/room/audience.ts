/** The peers of a room, and sending to them: a socket that is broken or too slow keeps no frame from the others. */
import { SyncError } from '../../core/base/errors.ts'
import type { Logger } from '../../core/base/log.ts'
import { deflated } from '../protocol/deflated.ts'
import { Newcomers } from './newcomers.ts'
import type { Peer } from './peer.ts'
import { SlowPeers, type SlowPeersOwner } from './slow-peers.ts'

/** Beyond the board itself, which was asked for, this much answers and echoes may wait; a client that reads none is closed. */
const answersAtMost = 12 * 1024 * 1024
/** A peer over this gets no awareness: the next cursor position is as good. */
const bufferedBytesForAwareness = 1024 * 1024

export interface AudienceOwner
  extends Pick<SlowPeersOwner, 'stateVector' | 'missing' | 'whenCommitted' | 'onCaughtUp'> {
  /** About the bytes of the board. */
  bytes(): number
}

export class Audience {
  readonly #peers = new Set<Peer>()
  readonly #slow: SlowPeers
  readonly #owner: AudienceOwner
  readonly #newcomers = new Newcomers((frame, peer) => this.send(frame, peer))
  readonly #log: Logger

  constructor(owner: AudienceOwner, log: Logger) {
    this.#owner = owner
    this.#log = log
    this.#slow = new SlowPeers({
      stateVector: () => owner.stateVector(),
      missing: stateVector => owner.missing(stateVector),
      whenCommitted: then => owner.whenCommitted(then),
      hold: peer => {
        this.#newcomers.add(peer)
        this.#newcomers.asked(peer)
      },
      onCaughtUp: peer => {
        this.#newcomers.release(peer)
        owner.onCaughtUp(peer)
      },
      send: (frame, peer) => this.send(frame, peer),
      close: (peer, error) => this.close(peer, error),
    })
  }

  get peers(): ReadonlySet<Peer> {
    return this.#peers
  }

  add(peer: Peer): void {
    this.#peers.add(peer)
    this.#newcomers.add(peer)
  }

  /** @returns whether it was here */
  remove(peer: Peer): boolean {
    this.#slow.forget(peer)
    this.#newcomers.remove(peer)
    return this.#peers.delete(peer)
  }

  /** It has asked what it lacks: until it is answered, no frame of the document reaches it. */
  asked(peer: Peer): void {
    this.#newcomers.asked(peer)
  }

  answered(peer: Peer): void {
    this.#newcomers.release(peer)
  }

  send(frame: Uint8Array, peer: Peer): void {
    try {
      if (peer.socket.bufferedAmount > answersAtMost + this.#owner.bytes()) {
        peer.socket.close(new SyncError('too-slow', 'the connection takes too little; connect again'))
      } else {
        peer.socket.send(frame)
      }
    } catch (error) {
      this.#log.warn({ err: error }, 'a frame could not be sent')
      // Without this frame it would never again be up to date.
      this.close(peer, new SyncError('too-slow', 'the connection is broken; connect again'))
    }
  }

  /** A frame of committed edits, to all who keep up; the others get its content when they have drained. */
  sendEdits(frame: Uint8Array): void {
    for (const peer of this.#peers) {
      const waits = this.#newcomers.hold(frame, peer) || this.#slow.goesWithout(peer)
      if (!waits) this.send(frame, peer)
    }
  }

  /** An edit that came from this peer and changed nothing, back to it: behind those that wait until it is answered. */
  echo(frame: Uint8Array, peer: Peer): void {
    if (!this.#newcomers.hold(frame, peer)) this.send(frame, peer)
  }

  sendAwareness(frame: Uint8Array): void {
    this.#sendCursors(
      peer => !peer.inflates,
      () => frame,
    )
    this.#sendCursors(
      peer => peer.inflates,
      () => deflated(frame),
    )
  }

  /** To each kind of peer in a row: sockets that get the same one after the other share it whole (`socket.ts`). */
  #sendCursors(isFor: (peer: Peer) => boolean, make: () => Uint8Array): void {
    let frame: Uint8Array | undefined
    for (const peer of this.#peers) {
      if (!isFor(peer) || peer.socket.bufferedAmount > bufferedBytesForAwareness) continue
      frame ??= make()
      this.send(frame, peer)
    }
  }

  close(peer: Peer, error: SyncError): void {
    try {
      peer.socket.close(error)
    } catch (failure) {
      this.#log.warn({ err: failure }, 'a socket could not be closed')
    }
  }

  /** Everybody is sent away with this error. */
  closeAll(error: SyncError): void {
    this.#slow.close()
    for (const peer of this.#peers) this.close(peer, error)
    this.#newcomers.clear()
    this.#peers.clear()
  }
}
