/** Does a socket send about ten times what it may, and has it for long? Its clock is handed in (`performance.now()`). */

const floodMs = 30_000
/** A little less than ten: who sends ten times as much by a timer never quite gets there. */
const times = 9
const lookEveryMs = 1_000

export class FloodMeter {
  readonly #perMs: number
  /** From here on the average is that high. */
  #since: number
  #count = 0
  #lookedAt: number
  #pausedAt: number | undefined

  /** @param perSecond what it may */
  constructor(perSecond: number, now = performance.now()) {
    this.#perMs = (perSecond * times) / 1_000
    this.#since = now
    this.#lookedAt = now
  }

  /** One message came. @returns whether it is too much for too long */
  arrived(now: number): boolean {
    this.#count += 1
    return now - this.#lookedAt >= lookEveryMs && this.isFlood(now)
  }

  /** While nothing is read nobody knows what is sent: who was sending too much counts as going on. */
  pause(now: number): void {
    if (this.#count < this.#perMs * Math.max(now - this.#since, lookEveryMs)) this.#beginAnew(now)
    this.#pausedAt = now
  }

  resume(now: number): void {
    this.isFlood(now)
    this.#pausedAt = undefined
  }

  isFlood(now: number): boolean {
    this.#lookedAt = now
    if (this.#pausedAt !== undefined) {
      if (this.#count === 0) this.#since = now
      else this.#count += this.#perMs * (now - this.#pausedAt)
      this.#pausedAt = now
    }
    if (this.#count < this.#perMs * (now - this.#since)) this.#beginAnew(now)
    return now - this.#since >= floodMs
  }

  #beginAnew(now: number): void {
    this.#since = now
    this.#count = 0
  }
}
