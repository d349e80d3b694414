/** Groups that are kept elsewhere, and over them what was decided since. A group is copied once at the most, and not before it is asked for. */
import { Groups } from './groups.ts'

export class ChangedGroups {
  readonly #stored: (key: string) => ReadonlySet<string>
  readonly #came = new Groups()
  readonly #gone = new Groups()
  /** Groups as they now are, of those that were asked for since they changed. */
  readonly #whole = new Map<string, Set<string>>()

  constructor(stored: (key: string) => ReadonlySet<string>) {
    this.#stored = stored
  }

  of(key: string): ReadonlySet<string> {
    const known = this.#whole.get(key)
    if (known) return known
    const [came, gone] = [this.#came.of(key), this.#gone.of(key)]
    if (came.size === 0 && gone.size === 0) return this.#stored(key)
    const whole = new Set(this.#stored(key))
    for (const id of gone) whole.delete(id)
    for (const id of came) whole.add(id)
    this.#whole.set(key, whole)
    return whole
  }

  /** A key that is no text names no group: as in `Groups`. */
  add(id: string, key: unknown): void {
    if (typeof key !== 'string') return
    this.#came.add(id, key)
    this.#gone.remove(id, key)
    this.#whole.get(key)?.add(id)
  }

  remove(id: string, key: unknown): void {
    if (typeof key !== 'string') return
    this.#came.remove(id, key)
    this.#gone.add(id, key)
    this.#whole.get(key)?.delete(id)
  }
}
