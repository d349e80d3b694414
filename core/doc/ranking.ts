/**
 * The shapes of one page, frame or group by their indexes. One that goes, or moves, stays where it is until it would be the
 * highest: to look through all the others then is what a batch must not do at each of its operations.
 */
import { Heap } from './heap.ts'
import { keyAbove } from './index-keys.ts'
import type { ParentAndIndex } from './record-layout.ts'

/** Where a shape was put. */
export interface Place extends ParentAndIndex {
  id: string
}

const isAbove = (a: Place, b: Place): boolean => (a.index as string) > (b.index as string)
const hasIndex = ({ index }: Place): boolean => typeof index === 'string'

export class Ranking {
  readonly #heap: Heap<Place>
  readonly #isThere: (place: Place) => boolean
  readonly #below: Iterator<Place, undefined>
  #next: Place | undefined

  /**
   * @param isThere whether the shape lies there still
   * @param below more of them, the highest first, each taken when it comes up
   */
  constructor(isThere: (place: Place) => boolean, places: readonly Place[], below: Iterable<Place, undefined> = []) {
    this.#isThere = isThere
    this.#heap = new Heap(isAbove, places.filter(hasIndex))
    this.#below = below[Symbol.iterator]()
    this.#next = this.#below.next().value
  }

  /** Those that have gone and did not come up yet included. */
  get size(): number {
    return this.#heap.size
  }

  add(place: Place): void {
    if (hasIndex(place)) this.#heap.put(place)
  }

  /** The highest index that another can lie above; what it finds gone on its way there it forgets. */
  highest(): string | undefined {
    for (;;) {
      const { first } = this.#heap
      if (this.#next && !(first && isAbove(first, this.#next))) {
        this.#heap.put(this.#next)
        this.#next = this.#below.next().value
      } else if (!first || (this.#isThere(first) && keyAbove(first.index) !== undefined)) {
        return first?.index as string | undefined
      } else this.#heap.takeFirst()
    }
  }

  /** From the highest down, for a ranking without any below. It has to stay as it is meanwhile. */
  *downwards(): Generator<Place, undefined> {
    for (const place of this.#heap.inOrder()) if (this.#isThere(place)) yield place
  }
}
