/**
 * How often a line that is being drawn is written. tldraw rewrites a freehand line's whole path with every move of the
 * pen, so that the bytes of a stroke grow with the square of its length. Here a longer path waits longer: whatever its
 * length, a growing line takes about the same bytes per second. Where it ends is written at once.
 */
import type { TLRecord } from '@tldraw/tlschema'

/** Short lines are then written with every frame, one of 5 kB (600 points, where tldraw begins the next) 1.6 times a second. */
const bytesPerSecond = 8_000

export class StrokePace {
  /** By record: until when the next state of its path may wait. */
  readonly #waits = new Map<string, number>()
  readonly #now: () => number

  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** Whether this change may wait for a later state of the same line. */
  mayWait(before: TLRecord | undefined, after: TLRecord | undefined): boolean {
    const path = growingPath(after)
    if (!path || growingPath(before) === path) return false
    return this.#now() < (this.#waits.get((after as TLRecord).id) ?? 0)
  }

  wrote(record: TLRecord): void {
    const path = growingPath(record)
    if (!path) {
      this.#waits.delete(record.id)
      return
    }
    const bytes = path.reduce((sum, segment) => sum + segment.path.length, 0)
    this.#waits.set(record.id, this.#now() + (bytes / bytesPerSecond) * 1000)
  }
}

/** The path of a line whose end is not drawn yet. */
function growingPath(record: TLRecord | undefined) {
  if (record?.typeName !== 'shape' || (record.type !== 'draw' && record.type !== 'highlight')) return undefined
  return record.props.isComplete ? undefined : record.props.segments
}
