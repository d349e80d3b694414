/** Changed awareness states on their way out: gathered for a moment, the newest of each client, in one frame. */
import type { AwarenessState } from '../protocol/awareness-codec.ts'
import { encodeAwarenessFrame } from '../protocol/frames.ts'

const gatherMs = 50

export class PresenceOutbox<State extends AwarenessState> {
  readonly #send: (frame: Uint8Array) => void
  readonly #share: (states: readonly State[]) => void
  /** `ours`: made so by this instance, the others are to hear of it. */
  readonly #changed = new Map<number, { state: State; ours: boolean }>()
  #timer: NodeJS.Timeout | undefined
  #sentAt = Number.NEGATIVE_INFINITY
  #closed = false

  constructor(send: (frame: Uint8Array) => void, share: (states: readonly State[]) => void) {
    this.#send = send
    this.#share = share
  }

  /** At once after silence, else with what gathers until the next frame is due. */
  pass(state: State, ours: boolean): void {
    this.#changed.set(state.clientId, { state, ours })
    if (this.#timer || this.#closed) return
    const wait = Math.max(0, this.#sentAt + gatherMs - performance.now())
    this.#timer = setTimeout(() => this.#flush(), wait)
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#changed.clear()
  }

  #flush(): void {
    this.#timer = undefined
    this.#sentAt = performance.now()
    const changed = [...this.#changed.values()]
    this.#changed.clear()
    this.#send(encodeAwarenessFrame(changed.map(({ state }) => state)))
    const ours = changed.flatMap(({ state, ours }) => (ours ? [state] : []))
    if (ours.length > 0) this.#share(ours)
  }
}
