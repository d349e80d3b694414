/** Sorted lists of texts, compared with `<`. */
import { eachInSlices } from './slices.ts'

/** As many are sorted in a millisecond. */
const sortedAtOnce = 2_000

/** Where the first is that is greater; the length where none is. */
export function firstBehind(sorted: readonly string[], text: string): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle] as string) > text) high = middle
    else low = middle + 1
  }
  return low
}

/** A sorted copy, made in slices between which others get their turn: first parted by some of the texts, then part by part. */
export async function sortedInSlices(texts: readonly string[]): Promise<string[]> {
  const everyNth = (_text: string, index: number) => index % sortedAtOnce === 0
  const bounds = texts.filter(everyNth).sort()
  const parts: string[][] = Array.from({ length: bounds.length + 1 }, () => [])
  await eachInSlices(texts, text => parts[firstBehind(bounds, text)]?.push(text))
  await eachInSlices(parts, part => part.sort())
  return parts.flat()
}
