/** Work that is done one piece at a time, each piece when it is due, and no sooner than a while after the last one began. */

export class Lane {
  readonly #nextDue: () => number | undefined
  readonly #work: () => Promise<void>
  readonly #apartMs: number
  #begunAt = Number.NEGATIVE_INFINITY
  #running = false
  #stopped = false
  #timer: NodeJS.Timeout | undefined
  /** When the timer that is set goes off. */
  #timerAt = Number.POSITIVE_INFINITY

  /**
   * @param nextDue when the next piece is due (`performance.now()`), undefined when there is none
   * @param work does what is due now; does not throw
   * @param apartMs from the beginning of one piece to that of the next at least; what falls due meanwhile is one piece
   */
  constructor(nextDue: () => number | undefined, work: () => Promise<void>, apartMs = 0) {
    this.#nextDue = nextDue
    this.#work = work
    this.#apartMs = apartMs
  }

  /** Something may have become due, or earlier than it was. */
  wake(): void {
    if (this.#running || this.#stopped) return
    const due = this.#nextDue()
    if (due !== undefined) this.#runAt(due)
  }

  /** One piece became due at this time. Costs next to nothing where another is due before it. */
  wakeAt(due: number): void {
    if (this.#running || this.#stopped || this.#timerAt <= this.#possible(due)) return
    this.#runAt(due)
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  #possible(due: number): number {
    return Math.max(due, this.#begunAt + this.#apartMs)
  }

  #runAt(due: number): void {
    clearTimeout(this.#timer)
    this.#timerAt = Number.POSITIVE_INFINITY
    const at = this.#possible(due)
    // Timers know whole milliseconds: one that goes off too early is set again.
    const wait = Math.ceil(at - performance.now())
    if (wait <= 0) {
      void this.#run()
      return
    }
    this.#timerAt = at
    this.#timer = setTimeout(() => {
      this.#timerAt = Number.POSITIVE_INFINITY
      this.wake()
    }, wait)
  }

  async #run(): Promise<void> {
    this.#running = true
    this.#begunAt = performance.now()
    try {
      await this.#work()
    } finally {
      this.#running = false
    }
    this.wake()
  }
}
