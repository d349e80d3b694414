/** Numbers what an instance hears, and knows the numbers of the marks among it: those of a short while ago, and the next. */
import { pause } from '../../core/base/pause.ts'

const rememberedAtMost = 10_000

export class Marks {
  #lastNumber = 0
  readonly #heard = new Map<string, number>()
  readonly #waiting = new Map<string, () => void>()

  /** The number of what is heard now: what is heard later has a higher one. */
  next(): number {
    return ++this.#lastNumber
  }

  hear(mark: string): void {
    this.#heard.set(mark, this.next())
    this.#waiting.get(mark)?.()
    const [oldest] = this.#heard.keys()
    if (this.#heard.size > rememberedAtMost && oldest !== undefined) this.#heard.delete(oldest)
  }

  has(mark: string): boolean {
    return this.#heard.has(mark)
  }

  /**
   * Resolves once the mark is heard. One waits for a mark at a time.
   * @returns its number, or undefined where it was not heard within so many ms
   */
  async numberOf(mark: string, withinMs: number): Promise<number | undefined> {
    if (!this.has(mark)) {
      const waiting = new Promise<void>(resolve => this.#waiting.set(mark, resolve))
      await Promise.race([waiting, pause(withinMs)])
      this.#waiting.delete(mark)
    }
    return this.#heard.get(mark)
  }
}
