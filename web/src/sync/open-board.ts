/** One board, opened by one page: its replica, the connection to the server, the store for tldraw, and what joins them. */
import { atom, react, type Signal, unsafe__withoutCapture } from '@tldraw/state'
import type { TLStore } from '@tldraw/tlschema'
import type { Editor } from 'tldraw'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import { announce } from './announce.ts'
import { tameAwareness } from './awareness-traffic.ts'
import { type Binding, bindStore } from './binding.ts'
import { BoardCache } from './board-cache.ts'
import { BoardPictures } from './board-pictures.ts'
import { type BoardState, type Ending, sameState } from './board-state.ts'
import { createBoardStore } from './board-store.ts'
import { boardDeleted, type Closed, Connection, isFinal } from './connection.ts'
import type { TokenSource } from './credential.ts'
import { takeDeflated } from './deflated.ts'
import { EditRight } from './edit-right.ts'
import { letGo } from './held-shapes.ts'
import { showPeers } from './peers.ts'
import { SavedEdits } from './saved.ts'
import { hearServer, probe } from './server-messages.ts'
import { connectionStatus } from './status.ts'
import type { SyncUser } from './sync-user.ts'
import { whenLeaving } from './when-leaving.ts'

export interface OpenBoard {
  readonly store: TLStore
  readonly provider: WebsocketProvider
  readonly state: Signal<BoardState>
  readonly pictures: BoardPictures
  setUser(user: SyncUser): void
  /** Forgets what this browser kept of the board, with all edits the server does not have. The page is of no use then. */
  forget(): Promise<void>
  close(): void
}

export interface BoardAddress {
  boardId: string
  /** `wss://host` or `wss://host/boards` */
  wsUrl: string
  /** Read before each connection. */
  token: () => TokenSource
  /** Whether this browser keeps the board, so that edits made while the server is away outlive a reload. */
  cache: boolean
}

const begunAnew: Ending = { kind: 'begun-anew' }
const outdated: Ending = { kind: 'outdated' }

/** A server that does not answer for this long is away: what this browser kept is shown. */
const patienceMs = 2_500

export function openBoard(
  { boardId, wsUrl, token, cache: wantsCache }: BoardAddress,
  initialUser: SyncUser,
): OpenBoard {
  const doc = new Y.Doc()
  const provider = new WebsocketProvider(wsUrl, encodeURIComponent(boardId), doc, {
    connect: false,
    // Tabs of one browser would else share edits behind the server's back, before they are safe.
    disableBc: true,
  })
  tameAwareness(provider)
  takeDeflated(provider)
  // Until the server has shown that this is still the board of which this browser kept some; its step 1 then asks for all.
  doc.off('update', provider._updateHandler)
  const right = new EditRight(provider)
  const user = atom('user', initialUser)
  const saved = new SavedEdits(doc, onSavedChange)
  const name = cacheName(wsUrl, boardId)
  const pictures = new BoardPictures({ boardId, wsUrl, token, keepAs: wantsCache ? `${name} pictures` : undefined })
  let cache: BoardCache | undefined
  let binding: Binding | undefined
  let stopShowing: (() => void) | undefined
  let ending: Ending | undefined
  let isVerified = false
  let isStopped = false
  const state = atom<BoardState>('board state', readState(), { isEqual: sameState })
  const editors = new Set<Editor>()
  const store = createBoardStore({ user, state, assets: pictures.assets, onMount: noteEditor })
  const connection = new Connection(provider, { token, onClosed, probe: () => probe(provider) })
  hearServer(provider, {
    onSync(message) {
      if (!ending) saved.receive(message)
      return !ending
    },
    onStateVector(clocks) {
      if (isVerified) return
      if (cache && !cache.isKnownTo(clocks)) return end(begunAnew)
      isVerified = true
      doc.on('update', provider._updateHandler)
    },
    onDenied() {
      // What was drawn before is told to be refused; after this, nothing is written any more.
      binding?.flush()
      right.refuse()
      update()
    },
    onAllowed() {
      right.allow()
      binding?.catchUp()
      update()
    },
  })
  provider.on('status', update)
  provider.on('sync', synced => {
    if (synced && !ending) bind()
    if (synced) probe(provider)
    update()
  })
  provider.on('connection-close', event => {
    if (!event || !isFinal(event.code)) showKept()
  })
  addEventListener('online', update)
  addEventListener('offline', update)
  const patience = setTimeout(() => {
    // A server that took the socket is there, and says next whether this user may see the board.
    if (!provider.wsconnected) showKept()
  }, patienceMs)

  const stopCounting = react('count pictures', () => {
    pictures.counts.get()
    unsafe__withoutCapture(update)
  })
  const stopAnnouncing = announce(store, provider.awareness, user)
  const stopWatching = whenLeaving(() => {
    binding?.flush()
    cache?.noteNow(saved)
  })
  void begin()

  async function begin(): Promise<void> {
    await pictures.load()
    if (wantsCache) {
      try {
        cache = await BoardCache.open(name, doc)
      } catch (error) {
        console.warn('boardsync: this browser does not keep the board; unsaved edits live in this tab only:', error)
        if (doc.store.clients.size > 0) end(begunAnew)
      }
    }
    if (isStopped) return void cache?.close()
    if (cache) saved.add(cache.unsaved)
    if (!ending) connection.start()
    update()
  }

  function readState(): BoardState {
    const { wsconnected: connected, synced } = provider
    const loaded = binding !== undefined
    const { waiting, failing: failingPictures } = pictures.counts.get()
    const hasUnsaved = saved.hasUnsaved || waiting > 0 || (binding?.hasWaiting ?? false)
    const online = navigator.onLine
    const status = connectionStatus({ loaded, synced, online, hasEdited: saved.hasEdited, hasUnsaved })
    const isOutdated = binding?.isOutdated ?? false
    return {
      connected,
      synced,
      loaded,
      status,
      hasUnsaved,
      keepsUnsaved: (cache?.isKeeping ?? false) && (waiting === 0 || pictures.areKept),
      readOnly: right.mayOnlyRead || isOutdated || ending !== undefined,
      mayOnlyRead: right.mayOnlyRead,
      ending: ending ?? (isOutdated ? outdated : undefined),
      failingPictures,
      setAside: binding?.setAside.size ?? 0,
    }
  }

  function update(): void {
    if (!isStopped) state.set(readState())
  }

  function onSavedChange(): void {
    cache?.note(saved)
    update()
  }

  function noteEditor(editor: Editor): () => void {
    editors.add(editor)
    return () => void editors.delete(editor)
  }

  /** The board is complete, or all of it that can be had for now. */
  function bind(): void {
    if (binding) return
    clearTimeout(patience)
    binding = bindStore(store, doc, {
      mayEdit: () => !right.mayOnlyRead,
      beforeRemoval: gone => {
        try {
          for (const editor of editors) letGo(editor, gone)
        } catch (error) {
          // What peers did has to be shown whatever becomes of it.
          console.warn('boardsync: what this user was doing could not be ended:', error)
        }
      },
      onChange: update,
    })
    // Not before: peers would make tldraw invent a first page, beside those of the board.
    stopShowing = showPeers(store, provider.awareness)
    pictures.resume(store)
  }

  /** The server is away: what this browser kept is better than nothing, if it kept anything. */
  function showKept(): void {
    if (isStopped || provider.synced || ending || !cache?.heldBoard) return
    bind()
    update()
  }

  function onClosed({ code, reason }: Closed): void {
    end({ kind: 'closed', code, reason })
  }

  /** For good. What is not saved stays here until this user decides what becomes of it. */
  function end(given: Ending): void {
    ending = given
    connection.stop()
    provider.disconnect()
    if (saved.hasUnsaved) bind()
    // A board that is gone is not kept, but for edits that nobody else has. One that could not be read is not gone.
    else if ((given.kind === 'begun-anew' && cache) || (given.kind === 'closed' && given.code === boardDeleted))
      void forgetKept()
    update()
  }

  async function forgetKept(): Promise<void> {
    await Promise.all([cache?.clear(), pictures.forget()])
  }

  function stop(): void {
    if (isStopped) return
    isStopped = true
    stopCounting()
    pictures.stop()
    clearTimeout(patience)
    removeEventListener('online', update)
    removeEventListener('offline', update)
    connection.stop()
    stopWatching()
    stopShowing?.()
    stopAnnouncing()
    binding?.stop()
    saved.stop()
    provider.destroy()
  }

  return {
    store,
    provider,
    state,
    pictures,
    setUser(next) {
      user.set(next)
    },
    async forget() {
      await forgetKept()
      stop()
    },
    close() {
      stop()
      cache?.noteNow(saved)
      void cache?.close()
      doc.destroy()
    },
  }
}

const cacheName = (wsUrl: string, boardId: string) => `boardsync ${wsUrl.replace(/\/+$/, '')} ${boardId}`
