/** The boards this browser opened last, newest first. */
import { remember, remembered } from './local-storage.ts'

export interface RecentBoard {
  id: string
  /** Milliseconds since 1970. */
  openedAt: number
}

const longest = 12

export function recentBoards(): RecentBoard[] {
  const known = remembered('recent boards')
  return Array.isArray(known) ? known.filter(isRecentBoard).slice(0, longest) : []
}

export function noteOpened(id: string, openedAt = Date.now()): void {
  const others = recentBoards().filter(board => board.id !== id)
  remember('recent boards', [{ id, openedAt }, ...others].slice(0, longest))
}

function isRecentBoard(value: unknown): value is RecentBoard {
  const { id, openedAt } = (value ?? {}) as Partial<Record<keyof RecentBoard, unknown>>
  return typeof id === 'string' && typeof openedAt === 'number'
}
