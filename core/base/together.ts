/**
 * What many ask in one moment, asked together. The first ask at once; who comes while they are being answered waits, and all
 * who wait are the next question.
 */

/** So many questions at a time: one that is long in being answered does not keep everybody else waiting. */
const questionsAtOnce = 2

interface Asker<Answer> {
  resolve(answer: Answer | undefined): void
  reject(error: unknown): void
}

export class Together<Key, Answer> {
  readonly #ask: (keys: readonly Key[]) => Promise<ReadonlyMap<Key, Answer>>
  #waiting = new Map<Key, Asker<Answer>[]>()
  #questions = 0

  /** @param ask what one question is; where it fails, that is told to all who asked in it */
  constructor(ask: (keys: readonly Key[]) => Promise<ReadonlyMap<Key, Answer>>) {
    this.#ask = ask
  }

  /** @returns undefined where there is no answer for this key */
  ask(key: Key): Promise<Answer | undefined> {
    return new Promise((resolve, reject) => {
      const askers = this.#waiting.get(key) ?? []
      askers.push({ resolve, reject })
      this.#waiting.set(key, askers)
      this.#next()
    })
  }

  #next(): void {
    if (this.#questions >= questionsAtOnce || this.#waiting.size === 0) return
    const together = this.#waiting
    this.#waiting = new Map()
    this.#questions += 1
    void this.#askAll(together).then(() => {
      this.#questions -= 1
      this.#next()
    })
  }

  /** Does not throw. */
  async #askAll(together: ReadonlyMap<Key, readonly Asker<Answer>[]>): Promise<void> {
    try {
      const answers = await this.#ask([...together.keys()])
      for (const [key, askers] of together) for (const { resolve } of askers) resolve(answers.get(key))
    } catch (error) {
      for (const { reject } of [...together.values()].flat()) reject(error)
    }
  }
}
