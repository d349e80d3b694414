/** A value that must never be printed: it shows as `[redacted]` wherever it is logged, joined or serialised. */
import { createHash, timingSafeEqual } from 'node:crypto'

export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  /** The value itself, for the one call that needs it. */
  reveal(): string {
    return this.#value
  }

  /** Compares in a time that tells nothing about the value. */
  equals(candidate: string): boolean {
    return timingSafeEqual(digest(this.#value), digest(candidate))
  }

  toString(): string {
    return '[redacted]'
  }

  toJSON(): string {
    return '[redacted]'
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[redacted]'
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
