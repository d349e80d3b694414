/** One board, opened by one page: its replica, the connection to the server, the store for tldraw, and what joins them. */
import { atom, computed, type Signal } from '@tldraw/state'
import { createUserId, type TLStore, UserRecordType } from '@tldraw/tlschema'
import { createTLStore } from 'tldraw'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import type { User } from '../identity.ts'
import { announce } from './announce.ts'
import { tameAwareness } from './awareness-traffic.ts'
import { type Binding, bindStore } from './binding.ts'
import { showPeers } from './peers.ts'
import { SavedEdits } from './saved.ts'
import { type ConnectionStatus, connectionStatus } from './status.ts'

export interface OpenBoard {
  readonly store: TLStore
  readonly provider: WebsocketProvider
  readonly state: Signal<BoardState>
  setUser(user: User): void
  close(): void
}

export interface BoardState {
  /** The socket is open. */
  connected: boolean
  /** The board is complete, since the last time the socket opened. */
  synced: boolean
  /** The board was complete once: the store holds it. */
  loaded: boolean
  status: ConnectionStatus
  /** Edits of this page that the server has not shown to be committed. */
  hasUnsaved: boolean
  /** The server closed for good: y-websocket has stopped trying. */
  closed: { code: number; reason: string } | undefined
}

export interface BoardAddress {
  boardId: string
  /** `ws://host/boards` */
  wsUrl: string
  token?: string | undefined
}

const messageSync = 0

export function openBoard({ boardId, wsUrl, token }: BoardAddress, initialUser: User): OpenBoard {
  const doc = new Y.Doc()
  const provider = new WebsocketProvider(wsUrl, boardId, doc, {
    params: token ? { token } : {},
    // Tabs of one browser would else share edits behind the server's back, before they are safe.
    disableBc: true,
  })
  tameAwareness(provider)
  const user = atom('user', initialUser)
  const saved = new SavedEdits(doc, update)
  let binding: Binding | undefined
  let stopShowing: (() => void) | undefined
  let closed: BoardState['closed']
  const state = atom<BoardState>('board state', readState(), { isEqual: sameState })
  const store = createTLStore({
    users: { currentUser: computed('attribution', () => attribution(user.get())) },
    collaboration: { status: computed('online', () => (state.get().connected ? 'online' : 'offline')) },
  })

  const handleSync = provider.messageHandlers[messageSync]
  provider.messageHandlers[messageSync] = (encoder, decoder, ...rest) => {
    saved.receive(decoder)
    handleSync?.(encoder, decoder, ...rest)
  }
  provider.on('status', update)
  provider.on('sync', update)
  provider.on('closed', ({ code, reason }) => {
    closed = { code, reason }
    update()
  })

  const stopAnnouncing = announce(store, provider.awareness, user)
  const stopWatching = flushWhenHidden(() => binding?.flush())

  function readState(): BoardState {
    const { wsconnected: connected, synced } = provider
    const loaded = binding !== undefined
    const { hasEdited, hasUnsaved } = saved
    const status = connectionStatus({ loaded, synced, hasEdited, hasUnsaved })
    return { connected, synced, loaded, status, hasUnsaved, closed }
  }

  function update(): void {
    if (provider.synced && !binding) {
      binding = bindStore(store, doc)
      // Not before: peers would make tldraw invent a first page, beside those of the board.
      stopShowing = showPeers(store, provider.awareness)
    }
    state.set(readState())
  }

  return {
    store,
    provider,
    state,
    setUser: next => user.set(next),
    close() {
      stopWatching()
      stopShowing?.()
      stopAnnouncing()
      binding?.stop()
      saved.stop()
      provider.destroy()
      doc.destroy()
    },
  }
}

/** A tab that goes away gets no further frames: what is gathered is written at once. */
function flushWhenHidden(flush: () => void): () => void {
  const onVisibility = () => {
    if (document.visibilityState === 'hidden') flush()
  }
  document.addEventListener('visibilitychange', onVisibility)
  addEventListener('pagehide', flush)
  return () => {
    document.removeEventListener('visibilitychange', onVisibility)
    removeEventListener('pagehide', flush)
  }
}

/** How tldraw signs what this user writes; one record per browser, not per tab. */
function attribution({ id, name, color }: User) {
  return UserRecordType.create({ id: createUserId(id), name, color })
}

function sameState(a: BoardState, b: BoardState): boolean {
  return (Object.keys(a) as (keyof BoardState)[]).every(key => a[key] === b[key])
}
