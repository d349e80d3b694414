/** What stands in an awareness state, where that is a JSON object as stock clients take it for granted. Pure. */

/** @returns undefined for what is no JSON object in UTF-8 */
export function objectIn(json: Uint8Array): Record<string, unknown> | undefined {
  try {
    return objectOf(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json)))
  } catch {
    return undefined // neither JSON nor UTF-8
  }
}

/** @returns undefined for any other value */
export const objectOf = (value: unknown): Record<string, unknown> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined
