/** An error in one line, for whoever runs the process. */

/** A connection that every address of a host refused comes as a list without a message of its own. */
export function describeError(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(describeError).join('; ')
  return error instanceof Error ? error.message : String(error)
}
