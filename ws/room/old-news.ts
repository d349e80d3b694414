/**
 * Knows when this process stood still: what it hears then may be old. It is so until an echo of its own is heard, for all that
 * was published before that has been heard by then.
 */
import { randomUUID } from 'node:crypto'
import type { Bus } from '../../core/bus/bus.ts'

/** A timer this late: the process stood still. */
const stoodStillMs = 2_000

/** Times are those of `performance.now()`. */
export class OldNews {
  readonly #bus: Bus
  readonly #channel = `boardsync:echo:${randomUUID()}`
  #lastTick = performance.now()
  #isPossible = false

  constructor(bus: Bus) {
    this.#bus = bus
  }

  /** Resolves once echoes are heard. @returns a function that ends it */
  listen(): Promise<() => void> {
    this.#lastTick = performance.now()
    return this.#bus.subscribe(this.#channel, () => this.ruleOut())
  }

  /** Something is heard. @returns whether it may be old */
  mayBeHeard(now: number): boolean {
    if (this.#stoodStill(now)) this.#expect(now)
    return this.#isPossible
  }

  /** To be called by a timer, every second or so. */
  tick(now: number): void {
    // The echo that was asked for may have got lost.
    if (this.#stoodStill(now) || this.#isPossible) this.#expect(now)
    this.#lastTick = now
  }

  /** Nothing old is to come any more. */
  ruleOut(): void {
    this.#isPossible = false
  }

  #stoodStill(now: number): boolean {
    return now - this.#lastTick > stoodStillMs
  }

  #expect(now: number): void {
    this.#lastTick = now
    this.#isPossible = true
    this.#bus.publish(this.#channel, new Uint8Array())
  }
}
