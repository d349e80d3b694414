/**
 * Peers that have not been answered yet what they lack: frames of the document follow the answer, in the order they came.
 *
 * A frame before it would do harm: Yjs applies the deletions of an update at once, also where the rest has to wait for
 * what the receiver lacks. Until the answer came, a field that was written anew would be gone, and its record be as it
 * was created.
 */
import { SyncError } from '../../core/base/errors.ts'
import type { Peer } from './peer.ts'

/** Clients ask as the first thing they do. Who only listens has no past to wait for. */
const asksWithinMs = 1_000
/** What waits for one peer. */
const heldBytesAtMost = 32 * 1024 * 1024

interface Held {
  frames: Uint8Array[]
  bytes: number
  timer: NodeJS.Timeout
}

export class Newcomers {
  readonly #held = new Map<Peer, Held>()
  readonly #send: (frame: Uint8Array, peer: Peer) => void

  /** @param send does not throw */
  constructor(send: (frame: Uint8Array, peer: Peer) => void) {
    this.#send = send
  }

  add(peer: Peer): void {
    const timer = setTimeout(() => this.release(peer), asksWithinMs)
    this.#held.set(peer, { frames: [], bytes: 0, timer })
  }

  /** It is going to be answered, if only once storage is back. */
  asked(peer: Peer): void {
    clearTimeout(this.#held.get(peer)?.timer)
  }

  /** @returns whether the frame waits; false where the peer may have it now */
  hold(frame: Uint8Array, peer: Peer): boolean {
    const held = this.#held.get(peer)
    if (!held) return false
    held.frames.push(frame)
    held.bytes += frame.byteLength
    if (held.bytes > heldBytesAtMost) {
      this.remove(peer)
      peer.socket.close(new SyncError('too-slow', 'too much happened before you could be answered; connect again'))
    }
    return true
  }

  /** It has been answered: what waited goes on its way. */
  release(peer: Peer): void {
    const held = this.#held.get(peer)
    this.remove(peer)
    for (const frame of held?.frames ?? []) this.#send(frame, peer)
  }

  remove(peer: Peer): void {
    clearTimeout(this.#held.get(peer)?.timer)
    this.#held.delete(peer)
  }

  clear(): void {
    for (const peer of this.#held.keys()) this.remove(peer)
  }
}
