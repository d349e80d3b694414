/** What was opened is closed in the opposite order, each part for itself: one that fails doesn't keep the others open. */

export class Releasers {
  readonly #releases: { name: string; release: () => void | Promise<void> }[] = []

  add(name: string, release: () => void | Promise<void>): void {
    this.#releases.push({ name, release })
  }

  /** @param onFailure hears of each part that could not be released */
  async release(onFailure: (name: string, error: unknown) => void): Promise<void> {
    for (let next = this.#releases.pop(); next; next = this.#releases.pop()) {
      try {
        await next.release()
      } catch (error) {
        onFailure(next.name, error)
      }
    }
  }
}
