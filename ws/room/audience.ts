/** The peers of a room, and sending to them: a socket that is broken or too slow keeps no frame from the others. */
import { SyncError } from '../../core/base/errors.ts'
import type { Logger } from '../../core/base/log.ts'
import type { Peer } from './peer.ts'

/** A peer whose socket takes nothing has at most this much waiting; it is then closed and comes back for the rest. */
const bufferedBytesAtMost = 32 * 1024 * 1024
/** A peer over this gets no awareness: the next cursor position is as good. */
const bufferedBytesForAwareness = 1024 * 1024

export class Audience {
  readonly #peers = new Set<Peer>()
  readonly #log: Logger

  constructor(log: Logger) {
    this.#log = log
  }

  get peers(): ReadonlySet<Peer> {
    return this.#peers
  }

  /**
   * Under load a room sends one document frame in this time. A frame costs a system call per peer: the more there are,
   * the more it pays to gather; never so long that a drag is seen to stutter.
   */
  get frameMs(): number {
    return Math.min(16 + this.#peers.size / 8, 30)
  }

  add(peer: Peer): void {
    this.#peers.add(peer)
  }

  /** @returns whether it was here */
  remove(peer: Peer): boolean {
    return this.#peers.delete(peer)
  }

  send(frame: Uint8Array, peer: Peer): void {
    try {
      if (peer.socket.bufferedAmount > bufferedBytesAtMost) {
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

  sendAll(frame: Uint8Array): void {
    for (const peer of this.#peers) this.send(frame, peer)
  }

  sendAwareness(frame: Uint8Array): void {
    for (const peer of this.#peers) {
      if (peer.socket.bufferedAmount <= bufferedBytesForAwareness) this.send(frame, peer)
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
    for (const peer of this.#peers) this.close(peer, error)
    this.#peers.clear()
  }
}
