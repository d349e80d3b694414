/** Work that may take long, as a generator that stops between its steps: whoever goes through it says who has a turn meanwhile. */
import { inSteps } from '../base/slices.ts'

export type Steps<T> = Generator<undefined, T, undefined>

/** Goes through all of it at once. */
export function resultOf<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}

/** @param othersTurn is awaited where a step has taken the slice of this turn to its end. @throws what it throws */
export async function resultInSteps<T>(steps: Steps<T>, othersTurn: () => Promise<void> = inSteps()): Promise<T> {
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
    await othersTurn()
  }
}
