/** A list of any length, read no further than it teaches anybody anything: zod tells every fault, and a hostile body holds millions. */
import { z } from 'zod'
import { fieldErrorsAtMost } from './field-error.ts'

/** At least one. What comes after the last fault that is told is not looked at. */
export function listOf<S extends z.ZodType>(element: S) {
  return z.preprocess(untilFaulty, z.array(element).min(1))

  function untilFaulty(value: unknown): unknown {
    if (!Array.isArray(value)) return value
    let faults = 0
    const end = value.findIndex(part => !element.safeParse(part).success && ++faults === fieldErrorsAtMost)
    return end === -1 ? value : value.slice(0, end + 1)
  }
}
