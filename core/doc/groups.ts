/** Ids by what they belong to; each may belong to several. */
const nobody: ReadonlySet<string> = new Set()

export class Groups {
  readonly #members = new Map<string, Set<string>>()

  of(key: string): ReadonlySet<string> {
    return this.#members.get(key) ?? nobody
  }

  /** A key that is no text names no group. */
  add(id: string, key: unknown): void {
    if (typeof key !== 'string') return
    const members = this.#members.get(key)
    if (members) members.add(id)
    else this.#members.set(key, new Set([id]))
  }

  remove(id: string, key: unknown): void {
    if (typeof key !== 'string') return
    const members = this.#members.get(key)
    // An index lives as long as its document: what has gone is not to be remembered.
    if (members?.delete(id) && members.size === 0) this.#members.delete(key)
  }
}
