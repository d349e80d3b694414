/** Tells the others where this user is: tldraw's own presence, as awareness state, at most 25 times a second. */
import { computed, react, type Signal } from '@tldraw/state'
import {
  createPresenceStateDerivation,
  createUserId,
  type TLInstancePresence,
  type TLStore,
  UserRecordType,
} from '@tldraw/tlschema'
import { isEqual, throttle } from '@tldraw/utils'
import type { Awareness } from 'y-protocols/awareness'
import { type AwarenessState, longestStateChars } from './awareness-state.ts'
import type { SyncUser } from './sync-user.ts'

const announceEveryMs = 40

/** Returns the way to stop. */
export function announce(store: TLStore, awareness: Awareness, user: Signal<SyncUser>): () => void {
  const present = computed('present user', () =>
    UserRecordType.create({ id: peerUserId(awareness.clientID), name: user.get().name, color: user.get().color }),
  )
  const presence = createPresenceStateDerivation(present)(store)
  const tell = () => {
    const state = stateOf(user.get(), presence.get())
    if (!isEqual(state, awareness.getLocalState())) awareness.setLocalState({ ...state })
  }
  tell()
  const tellSoon = throttle(tell, announceEveryMs)
  const stop = react('announce presence', () => {
    presence.get()
    tellSoon()
  })
  return () => {
    stop()
    tellSoon.cancel()
    awareness.setLocalState(null)
  }
}

/** tldraw shows one cursor per user id, so each tab is a user of its own, named by its awareness client id. */
export const peerUserId = (clientId: number) => createUserId(String(clientId))

function stateOf(user: SyncUser, presence: TLInstancePresence | null): Partial<AwarenessState> {
  const basics = { user: { name: user.name, color: user.color, type: 'human' as const }, cursor: null, selection: [] }
  if (!presence) return basics
  const { cursor, selectedShapeIds, lastActivityTimestamp } = presence
  const state: AwarenessState = {
    ...basics,
    // Before the pointer was seen tldraw has it at 0, 0.
    cursor: cursor && lastActivityTimestamp ? { x: tenths(cursor.x), y: tenths(cursor.y) } : null,
    selection: selectedShapeIds,
    presence: {
      currentPageId: presence.currentPageId,
      camera: presence.camera,
      screenBounds: presence.screenBounds,
      brush: presence.brush,
      scribbles: presence.scribbles,
      followingUserId: presence.followingUserId,
      chatMessage: presence.chatMessage,
      cursorType: cursor?.type ?? 'default',
      cursorRotation: cursor?.rotation ?? 0,
      lastActivityTimestamp,
    },
  }
  if (JSON.stringify(state).length <= longestStateChars) return state
  return { ...state, selection: selectedShapeIds.slice(0, 100), presence: { ...state.presence, scribbles: [] } }
}

const tenths = (value: number): number => Math.round(value * 10) / 10
