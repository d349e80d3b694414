/** Work that is done one piece at a time, each piece when it is due. */

export class Lane {
  readonly #nextDue: () => number | undefined
  readonly #work: () => Promise<void>
  #running = false
  #stopped = false
  #timer: NodeJS.Timeout | undefined

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
    clearTimeout(this.#timer)
    const due = this.#nextDue()
    if (due === undefined) return
    const wait = due - Date.now()
    if (wait > 0) this.#timer = setTimeout(() => this.wake(), wait)
    else void this.#run()
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
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
