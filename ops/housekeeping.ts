/** What nobody waits for: every instance now and then removes what has had its time. Two at once do no harm. */
import type { Logger } from '../core/base/log.ts'

const everyMs = 10_000

export interface Chore {
  name: string
  /** Default: each time. */
  everyMs?: number
  /** @param signal aborted: what is left has time until the next process */
  work(signal: AbortSignal): Promise<unknown>
}

export class Housekeeping {
  readonly #log: Logger
  /** `doneAt` is by `performance.now()`. */
  readonly #chores: { chore: Chore; doneAt: number }[]
  readonly #timer: NodeJS.Timeout
  readonly #stopped = new AbortController()
  #round: Promise<void> | undefined

  constructor(chores: readonly Chore[], log: Logger) {
    this.#log = log
    this.#chores = chores.map(chore => ({ chore, doneAt: Number.NEGATIVE_INFINITY }))
    this.#timer = setInterval(() => void this.round(), everyMs)
  }

  /** All that is due, one after the other; what fails is tried again the next time. */
  round(): Promise<void> {
    this.#round ??= this.#do().finally(() => {
      this.#round = undefined
    })
    return this.#round
  }

  /** Resolves when the step that is under way is done. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    this.#stopped.abort()
    await this.#round
  }

  async #do(): Promise<void> {
    for (const entry of this.#chores) {
      const { chore, doneAt } = entry
      if (this.#stopped.signal.aborted) return
      if (performance.now() - doneAt < (chore.everyMs ?? 0)) continue
      try {
        await chore.work(this.#stopped.signal)
        entry.doneAt = performance.now()
      } catch (error) {
        this.#log.warn({ err: error }, `could not ${chore.name}`)
      }
    }
  }
}
