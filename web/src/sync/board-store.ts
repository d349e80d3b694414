/** The tldraw store of a board: empty until it is bound, signed by its user, read-only while the board is. */
import { computed, type Signal } from '@tldraw/state'
import { createUserId, type TLAssetStore, type TLStore, UserRecordType } from '@tldraw/tlschema'
import { createTLStore, type Editor } from 'tldraw'
import type { BoardState } from './board-state.ts'
import type { SyncUser } from './sync-user.ts'

export interface BoardStoreOptions {
  user: Signal<SyncUser>
  state: Signal<BoardState>
  assets: TLAssetStore
  /** An editor has begun to use the store. What it returns is called when that ends. */
  onMount: (editor: Editor) => () => void
}

export function createBoardStore({ user, state, assets, onMount }: BoardStoreOptions): TLStore {
  return createTLStore({
    assets,
    onMount,
    users: { currentUser: computed('attribution', () => attribution(user.get())) },
    collaboration: {
      status: computed('online', () => (state.get().connected ? 'online' : 'offline')),
      mode: computed('mode', () => (state.get().readOnly ? 'readonly' : 'readwrite')),
    },
  })
}

/** How tldraw signs what this user writes; one record per browser, not per tab. */
function attribution({ id, name, color }: SyncUser) {
  return UserRecordType.create({ id: createUserId(id), name, color })
}
