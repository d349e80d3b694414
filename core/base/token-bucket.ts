/** How often something may happen: so often per second, and so often at once after a quiet time. */

export interface Rate {
  perSecond: number
  burst: number
}

/** Times are those of `performance.now()`. */
export class TokenBucket {
  readonly rate: Rate
  #tokens: number
  #at: number

  constructor(rate: Rate, now = performance.now()) {
    this.rate = rate
    this.#tokens = rate.burst
    this.#at = now
  }

  /** @returns whether it may happen now; it then counts */
  take(now = performance.now()): boolean {
    if (this.left(now) < 1) return false
    this.#tokens -= 1
    return true
  }

  /** It has happened, also where it may not: at most a second's worth is owed. */
  spend(now = performance.now()): void {
    this.#tokens = Math.max(-this.rate.perSecond, this.left(now) - 1)
  }

  /** How often it may happen now; not a whole number. */
  left(now = performance.now()): number {
    const { perSecond, burst } = this.rate
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#at) / 1_000) * perSecond)
    this.#at = now
    return this.#tokens
  }

  /** Milliseconds until so many may happen. */
  msUntil(tokens: number, now = performance.now()): number {
    return Math.max(0, ((tokens - this.left(now)) / this.rate.perSecond) * 1_000)
  }
}
