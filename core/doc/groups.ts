/** Ids by what they belong to; each may belong to several. */
const nobody: ReadonlySet<string> = new Set()

export class Groups {
  readonly #members = new Map<string, Set<string>>()

  of(key: string): ReadonlySet<string> {
    return this.#members.get(key) ?? nobody
  }

  /** Keys that are no text name no group. */
  move(id: string, from: readonly unknown[], to: readonly unknown[]): void {
    for (const key of from) if (typeof key === 'string') this.#members.get(key)?.delete(id)
    for (const key of to) {
      if (typeof key !== 'string') continue
      const members = this.#members.get(key)
      if (members) members.add(id)
      else this.#members.set(key, new Set([id]))
    }
  }
}
