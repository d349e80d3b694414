/** Which boards the list shows, and in which order. */
import type { Board } from './boards.ts'

/** Fewer are found faster by looking. */
export const searchedFrom = 13

/** Those whose name or id has every word of `wanted` in it, last changed first. */
export function foundBoards(boards: readonly Board[], wanted: string): Board[] {
  const words = wanted.toLowerCase().split(/\s+/)
  return boards
    .filter(({ id, title }) => {
      const text = `${title ?? ''}\n${id}`.toLowerCase()
      return words.every(word => text.includes(word))
    })
    .sort((a, b) => b.updated_at.localeCompare(a.updated_at))
}
