/** One board's lease to take in what is published: whether this instance has it; asking for it, one request at a time. */
import type { Bus } from '../../core/bus/bus.ts'
import type { BoardId } from '../../core/contract/board-id.ts'
import { intakeLease } from '../../core/contract/channels.ts'

const leaseMs = 5_000
/** A lease with less than this left is not relied on. */
const marginMs = 250

export class IntakeLease {
  readonly #bus: Bus
  readonly #name: string
  /** By `performance.now()`; this instance has the lease until then. */
  #until = 0
  #asking: Promise<boolean> | undefined
  /** Begins when the request under way is answered. */
  #next: Promise<boolean> | undefined

  constructor(bus: Bus, board: BoardId) {
    this.#bus = bus
    this.#name = intakeLease(board)
  }

  get isReliable(): boolean {
    return this.#until - marginMs > performance.now()
  }

  get isHeld(): boolean {
    return this.#until > performance.now()
  }

  /**
   * For what was heard just now. Asked at once, however much else waits: later, whoever had the lease at this moment may
   * have taken it in and be gone.
   */
  ask(): Promise<boolean> {
    if (!this.#asking) return this.#begin()
    this.#next ??= this.#asking.then(() => this.#begin())
    return this.#next
  }

  /** A bus that was away may have forgotten it. */
  forget(): void {
    this.#until = 0
  }

  async release(): Promise<void> {
    await this.#bus.release(this.#name)
  }

  #begin(): Promise<boolean> {
    this.#next = undefined
    this.#asking = this.#request().finally(() => {
      this.#asking = undefined
    })
    return this.#asking
  }

  async #request(): Promise<boolean> {
    const asked = performance.now()
    const granted = await this.#bus.lease(this.#name, leaseMs)
    this.#until = granted ? asked + leaseMs : 0
    return granted
  }
}
