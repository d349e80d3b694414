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
