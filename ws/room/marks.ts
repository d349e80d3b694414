/** Marks that were heard a short while ago, and waiting for one. */
import { pause } from '../../core/base/pause.ts'

const rememberedAtMost = 1_000

export class Marks {
  readonly #heard = new Set<string>()
  readonly #waiting = new Map<string, () => void>()

  hear(mark: string): void {
    this.#waiting.get(mark)?.()
    this.#heard.add(mark)
    const [oldest] = this.#heard
    if (this.#heard.size > rememberedAtMost && oldest !== undefined) this.#heard.delete(oldest)
  }

  /** Resolves once it is heard, at the latest after so many ms. One waits for a mark at a time. */
  async heard(mark: string, withinMs: number): Promise<void> {
    if (this.#heard.has(mark)) return
    const waiting = new Promise<void>(resolve => this.#waiting.set(mark, resolve))
    await Promise.race([waiting, pause(withinMs)])
    this.#waiting.delete(mark)
  }
}
