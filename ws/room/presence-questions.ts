/**
 * Peers that ask who is here: three bytes for everybody's states. They are answered together, each once in the time of a
 * frame however often it asks, and not before its connection has taken what was sent before.
 */
import type { Peer } from './peer.ts'

const gatherMs = 50
/** Whoever has more than this waiting is not answered yet. */
const bufferedBytesAtMost = 1024 * 1024

export class PresenceQuestions {
  readonly #everybody: () => Uint8Array | undefined
  readonly #send: (frame: Uint8Array, peer: Peer) => void
  readonly #asking = new Set<Peer>()
  #timer: NodeJS.Timeout | undefined

  /** @param everybody a frame with all who are here; undefined when nobody is */
  constructor(everybody: () => Uint8Array | undefined, send: (frame: Uint8Array, peer: Peer) => void) {
    this.#everybody = everybody
    this.#send = send
  }

  ask(peer: Peer): void {
    this.#asking.add(peer)
    this.#timer ??= setTimeout(() => this.#answer(), gatherMs)
  }

  forget(peer: Peer): void {
    this.#asking.delete(peer)
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#asking.clear()
  }

  #answer(): void {
    this.#timer = undefined
    const ready = [...this.#asking].filter(peer => peer.socket.bufferedAmount <= bufferedBytesAtMost)
    const frame = ready.length > 0 ? this.#everybody() : undefined
    for (const peer of ready) {
      this.#asking.delete(peer)
      if (frame) this.#send(frame, peer)
    }
    if (this.#asking.size > 0) this.#timer = setTimeout(() => this.#answer(), gatherMs)
  }
}
