/** Work that is done one piece at a time, each piece when it is due. */

export class Lane {
  readonly #nextDue: () => number | undefined
  readonly #work: () => Promise<void>
  #running = false
  #stopped = false
  #timer: NodeJS.Timeout | undefined
  /** When the timer that is set goes off. */
  #timerAt = Number.POSITIVE_INFINITY

  /**
   * @param nextDue when the next piece is due (ms since the epoch), undefined when there is none
   * @param work does what is due now; does not throw
   */
  constructor(nextDue: () => number | undefined, work: () => Promise<void>) {
    this.#nextDue = nextDue
    this.#work = work
  }

  /** Something may have become due, or earlier than it was. */
  wake(): void {
    if (this.#running || this.#stopped) return
    const due = this.#nextDue()
    if (due !== undefined) this.#runAt(due)
  }

  /** One piece became due at this time. Costs next to nothing where another is due before it. */
  wakeAt(due: number): void {
    if (this.#running || this.#stopped || this.#timerAt <= due) return
    this.#runAt(due)
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  #runAt(due: number): void {
    clearTimeout(this.#timer)
    this.#timerAt = Number.POSITIVE_INFINITY
    const wait = due - Date.now()
    if (wait <= 0) {
      void this.#run()
      return
    }
    this.#timerAt = due
    this.#timer = setTimeout(() => {
      this.#timerAt = Number.POSITIVE_INFINITY
      this.wake()
    }, wait)
  }

  async #run(): Promise<void> {
    this.#running = true
    try {
      await this.#work()
    } finally {
      this.#running = false
    }
    this.wake()
  }
}
