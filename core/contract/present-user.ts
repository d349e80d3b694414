/** The user, cursor and objects in an awareness state, which anybody may fill as they like: nothing is believed unread. */
import { colorOf, isHexColor } from './colors.ts'

export interface PresentUser {
  name: string
  /** Of its cursor, like `#4263eb`. */
  color: string
  type: 'human' | 'agent'
}

export const longestName = 60

/** As it is shown. */
export const shownName = (given: string): string => given.trim().slice(0, longestName)

export function presentUser(clientId: number, { name, color, type }: Record<string, unknown>): PresentUser {
  return {
    name: (typeof name === 'string' && shownName(name)) || 'Somebody',
    color: isHexColor(color) ? color : colorOf(String(clientId)),
    type: type === 'agent' ? 'agent' : 'human',
  }
}

/** On the page, not on the screen. */
export function pointOf(value: unknown): { x: number; y: number } | undefined {
  const { x, y } = objectOf(value)
  return typeof x === 'number' && typeof y === 'number' && Number.isFinite(x) && Number.isFinite(y)
    ? { x, y }
    : undefined
}

/** An empty one where it is none. */
export const objectOf = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
