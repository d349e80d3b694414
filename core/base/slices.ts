/**
 * Long work in slices, between which the process does whatever else it has to do. All such work shares one slice per turn of
 * the event loop: fifty who open a big board at once stop the others no longer than one does.
 */

const sliceMs = 5

/** When the slice of this turn is over; undefined while nobody has begun one. */
let endsAt: number | undefined
const waiting: (() => void)[] = []

export const slices = {
  /** Whether it is time to stop, and go on after {@link next}. The first to ask begins the slice of this turn. */
  mustStop(): boolean {
    endsAt ??= begin()
    return performance.now() >= endsAt
  },

  /** Resolves when the others have had their turn. */
  next(): Promise<void> {
    endsAt ??= begin()
    return new Promise(resolve => waiting.push(resolve))
  },
}

/**
 * For work of steps that may each take long, and begins with this call.
 * @returns to be awaited between two steps: others get their turn where those since the last time took long
 */
export function inSteps(): () => Promise<void> {
  let begun = performance.now()
  return async () => {
    if (performance.now() - begun < sliceMs) return
    await slices.next()
    begun = performance.now()
  }
}

/** Does `work` for each of them; who is added meanwhile may be among them. @throws what `work` throws */
export async function eachInSlices<T>(items: Iterable<T>, work: (item: T) => void): Promise<void> {
  for (const item of items) {
    work(item)
    if (slices.mustStop()) await slices.next()
  }
}

/** Puts the parts into `whole`, one behind the other. */
export async function fillInSlices(whole: Uint8Array, parts: readonly Uint8Array[]): Promise<Uint8Array> {
  let at = 0
  await eachInSlices(parts, part => {
    whole.set(part, at)
    at += part.byteLength
  })
  return whole
}

function begin(): number {
  setImmediate(() => {
    const next = waiting.shift()
    endsAt = next ? begin() : undefined
    next?.()
  })
  return performance.now() + sliceMs
}
