/** A binary heap: of all that was put in, the first is at hand. To put one in or take the first out costs next to nothing. */
export class Heap<T> {
  readonly #isBefore: (a: T, b: T) => boolean
  readonly #items: T[]

  /** @param items are its own from then on */
  constructor(isBefore: (a: T, b: T) => boolean, items: T[] = []) {
    this.#isBefore = isBefore
    this.#items = items
    for (let at = (items.length >> 1) - 1; at >= 0; at--) this.#sink(at)
  }

  get size(): number {
    return this.#items.length
  }

  get first(): T | undefined {
    return this.#items[0]
  }

  put(item: T): void {
    const items = this.#items
    let at = items.length
    for (let above = (at - 1) >> 1; at > 0 && this.#isBefore(item, items[above] as T); above = (at - 1) >> 1) {
      items[at] = items[above] as T
      at = above
    }
    items[at] = item
  }

  takeFirst(): void {
    const last = this.#items.pop()
    if (last === undefined || this.#items.length === 0) return
    this.#items[0] = last
    this.#sink(0)
  }

  /** All of them; whoever takes a few pays for a few. It has to stay as it is meanwhile. */
  *inOrder(): Generator<T, undefined> {
    const items = this.#items
    const places = new Heap<number>((a, b) => this.#isBefore(items[a] as T, items[b] as T), items.length > 0 ? [0] : [])
    for (let at = places.first; at !== undefined; at = places.first) {
      yield items[at] as T
      places.takeFirst()
      for (const below of [2 * at + 1, 2 * at + 2]) if (below < items.length) places.put(below)
    }
  }

  #sink(start: number): void {
    const items = this.#items
    const item = items[start] as T
    let at = start
    for (let below = 2 * at + 1; below < items.length; below = 2 * at + 1) {
      if (below + 1 < items.length && this.#isBefore(items[below + 1] as T, items[below] as T)) below++
      if (!this.#isBefore(items[below] as T, item)) break
      items[at] = items[below] as T
      at = below
    }
    items[at] = item
  }
}
