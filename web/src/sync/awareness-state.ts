/**
 * What a page tells the others about itself over awareness, and how it reads what they tell.
 *
 * `user`, `cursor` and `selection` are what any Yjs client may send and REST hands out; `presence` is ours, and holds
 * what tldraw needs beside them to show a peer fully. All of it comes from strangers: nothing is believed unread.
 */
import type { TLInstancePresence } from '@tldraw/tlschema'
import { colorOf, isHexColor } from '../../../core/contract/colors.ts'

export interface PresentUser {
  name: string
  color: string
  type: 'human' | 'agent'
}

export interface AwarenessState {
  user: PresentUser
  /** On the page, not on the screen. Null: not seen yet. */
  cursor: { x: number; y: number } | null
  /** Ids of the selected shapes' records. */
  selection: string[]
  presence: PresenceExtras
}

export type PresenceExtras = Pick<
  TLInstancePresence,
  'currentPageId' | 'camera' | 'screenBounds' | 'brush' | 'scribbles' | 'followingUserId' | 'chatMessage'
> & {
  cursorType: string
  cursorRotation: number
  lastActivityTimestamp: number | null
}

/** The server drops states over 16 KiB; a page that keeps well below never goes missing. */
export const longestStateChars = 12_000
const longestName = 60

/** The user of any awareness state, ours or a stock client's; undefined where there is none. */
export function readUser(clientId: number, state: unknown): PresentUser | undefined {
  const user = isObject(state) ? state.user : undefined
  if (!isObject(user)) return undefined
  const name = typeof user.name === 'string' ? user.name.trim().slice(0, longestName) : ''
  return {
    name: name || 'Somebody',
    color: isHexColor(user.color) ? user.color : colorOf(String(clientId)),
    type: user.type === 'agent' ? 'agent' : 'human',
  }
}

export function readCursor(state: unknown): { x: number; y: number } | null {
  const cursor = isObject(state) ? state.cursor : undefined
  if (!isObject(cursor)) return null
  const { x, y } = cursor
  return typeof x === 'number' && typeof y === 'number' && Number.isFinite(x) && Number.isFinite(y) ? { x, y } : null
}

export function readSelection(state: unknown): string[] {
  const selection = isObject(state) ? state.selection : undefined
  return Array.isArray(selection) ? selection.filter(id => typeof id === 'string') : []
}

export function readExtras(state: unknown): Partial<Record<keyof PresenceExtras, unknown>> {
  const presence = isObject(state) ? state.presence : undefined
  return isObject(presence) ? presence : {}
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
