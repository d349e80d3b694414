/**
 * What a page tells the others about itself over awareness, and how it reads what they tell.
 *
 * `user`, `cursor` and `selection` are what any Yjs client may send and REST hands out; `presence` is ours, and holds
 * what tldraw needs beside them to show a peer fully. All of it comes from strangers: nothing is believed unread.
 */
import type { TLInstancePresence } from '@tldraw/tlschema'
import { objectOf, type PresentUser, pointOf, presentUser } from '../../../core/contract/present-user.ts'

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
/** The user of any awareness state, ours or a stock client's; undefined where there is none. */
export function readUser(clientId: number, state: unknown): PresentUser | undefined {
  const { user } = objectOf(state)
  return isObject(user) ? presentUser(clientId, user) : undefined
}

export const readCursor = (state: unknown): { x: number; y: number } | null => pointOf(objectOf(state).cursor) ?? null

export function readSelection(state: unknown): string[] {
  const { selection } = objectOf(state)
  return Array.isArray(selection) ? selection.filter(id => typeof id === 'string') : []
}

export const readExtras = (state: unknown): Partial<Record<keyof PresenceExtras, unknown>> =>
  objectOf(objectOf(state).presence)

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
