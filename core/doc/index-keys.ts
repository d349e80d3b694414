/** The fractional indexes that say which shape lies above which. They compare with `<`, never by locale. */
import { getIndexAbove, type IndexKey } from '@tldraw/utils'

export const lowestKey = (): string => getIndexAbove()

/** Undefined where there is none: other programs may have written any text for an index. */
export function keyAbove(index: unknown): string | undefined {
  if (typeof index !== 'string') return undefined
  try {
    return getIndexAbove(index as IndexKey)
  } catch {
    return undefined
  }
}

/** The highest that another can lie above. */
export function highestKey(indexes: readonly unknown[]): string | undefined {
  let top: string | undefined
  for (const index of indexes) if (typeof index === 'string' && (top === undefined || index > top)) top = index
  // Telling a key from other text costs more than all the rest, and the highest is nearly always one.
  if (top === undefined || keyAbove(top) !== undefined) return top
  return highestKey(indexes.filter(index => keyAbove(index) !== undefined))
}
