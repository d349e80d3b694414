/** One board's lease to take in what is published: whose it is, asking for it, one request at a time, and handing it over. */
import { randomUUID } from 'node:crypto'
import { pause } from '../../core/base/pause.ts'
import type { Bus } from '../../core/bus/bus.ts'
import type { BoardId } from '../../core/contract/board-id.ts'
import { handoverChannel, intakeLease } from '../../core/contract/channels.ts'
import type { Marks } from './marks.ts'

/** Of an instance that dies, what is published within 5 s may be lost: with time for the next to ask, and for its answer. */
const leaseMs = 4_500
/** A lease with less than this left is not relied on. */
const marginMs = 250
const markWithinMs = 500
/** So long an instance that stops may take to store or drop what it has … */
const endTurnWithinMs = 2_500
/** … and whoever comes after it waits. */
const turnWithinMs = 3_000
const storedAll = (mark: string): string => `${mark} stored`

export class IntakeLease {
  readonly #bus: Bus
  readonly #board: BoardId
  readonly #marks: Marks
  readonly #onRefused: (reason: unknown) => void
  /** By `performance.now()`; this instance has the lease until then. */
  #until = 0
  /** The bus was away since then, and may have forgotten it. */
  #isInDoubt = false
  /** What has this number or a lower one is not this instance's, though it has the lease: it came before the mark. */
  #after = 0
  /** The mark under which this instance hands it over. */
  #ownMark: string | undefined
  /** It is not asked for any more. */
  #isClosed = false
  #turn: Promise<unknown> | undefined
  #asking: Promise<boolean> | undefined
  /** Begins when the request under way is answered. */
  #next: Promise<boolean> | undefined

  /** @param onRefused the bus takes no leases from us: who has it, if anybody, is not known */
  constructor(bus: Bus, board: BoardId, marks: Marks, onRefused: (reason: unknown) => void) {
    this.#bus = bus
    this.#board = board
    this.#marks = marks
    this.#onRefused = onRefused
  }

  get mayBeHeld(): boolean {
    return this.#until > performance.now() && !this.#isLeft
  }

  get isHeld(): boolean {
    return this.mayBeHeld && !this.#isInDoubt
  }

  /** Whether what is heard now is this instance's, without asking. */
  get isReliable(): boolean {
    return this.isHeld && this.#until - marginMs > performance.now() && this.#after < Number.POSITIVE_INFINITY
  }

  /** Resolves once the one before, who handed it over, has stored what was its own; at the latest after a moment. */
  get turn(): Promise<unknown> | undefined {
    return this.#turn
  }

  /**
   * For what was heard just now, under this number. Asked at once, however much else waits: later, whoever had the lease at
   * this moment may have taken it in and be gone.
   */
  async covers(number: number): Promise<boolean> {
    return (await this.ask()) && number > this.#after
  }

  /** Takes it, or renews it. */
  ask(): Promise<boolean> {
    if (!this.#asking) return this.#begin()
    this.#next ??= this.#asking.then(() => this.#begin())
    return this.#next
  }

  /** Until it is asked for again. */
  doubt(): void {
    this.#isInDoubt = true
  }

  /** For good. Resolves once its own mark is heard: what is heard until then is still this instance's. */
  async handOver(): Promise<void> {
    this.#isClosed = true
    if (!this.isHeld) return
    const mark = `${this.#board} ${randomUUID()}`
    this.#ownMark = mark
    const heard = this.#marks.numberOf(mark, markWithinMs)
    await Promise.race([this.#bus.release(intakeLease(this.#board), handoverChannel, mark), pause(markWithinMs)])
    await heard
  }

  /** After the hand-over: lets the next one begin to store once all that was this instance's is `done`, or takes long. */
  async endTurn(done: Promise<void> | undefined): Promise<void> {
    await Promise.race([done, pause(endTurnWithinMs)])
    if (this.#ownMark === undefined) return
    this.#bus.publish(handoverChannel, new TextEncoder().encode(storedAll(this.#ownMark)))
  }

  get #isLeft(): boolean {
    return this.#ownMark !== undefined && this.#marks.has(this.#ownMark)
  }

  #begin(): Promise<boolean> {
    this.#next = undefined
    this.#asking = this.#request().finally(() => {
      this.#asking = undefined
    })
    return this.#asking
  }

  async #request(): Promise<boolean> {
    // Asked for again, it would come back. What waited to ask came before the mark.
    if (this.#isClosed) return this.#until > performance.now() && !this.#isInDoubt
    const asked = performance.now()
    const lease = await this.#bus.lease(intakeLease(this.#board), leaseMs).catch(reason => {
      this.#onRefused(reason)
      return undefined
    })
    this.#until = lease ? asked + leaseMs : 0
    this.#isInDoubt = false
    if (lease?.after !== undefined) {
      this.#turn = this.#marks.numberOf(storedAll(lease.after), turnWithinMs)
      this.#after = Number.POSITIVE_INFINITY
      // One that is lost marks nothing.
      this.#after = (await this.#marks.numberOf(lease.after, markWithinMs)) ?? 0
    }
    return lease !== undefined
  }
}
