/** The hook a board page stands on: opens the board while the component is there, and says how it is doing. */
import { useEffect, useMemo, useRef, useState } from 'react'
import { type TLStore, useValue } from 'tldraw'
import type { WebsocketProvider } from 'y-websocket'
import { boardFile } from './board-file.ts'
import type { BoardState } from './board-state.ts'
import type { TokenSource } from './credential.ts'
import { OpenBoard } from './open-board.ts'
import { completeUser, type SyncUser } from './sync-user.ts'

export interface YjsSyncOptions {
  boardId: string
  /** Where the server is: `wss://host` or `wss://host/boards`. */
  wsUrl: string
  /**
   * An API key, a JWT or a ticket. A function is asked before each connection, again before the JWT it gave expires, and
   * once more when the server refuses what it gave. Another token alone opens no other connection.
   */
  token?: TokenSource
  /** The same as `token`. */
  apiKey?: string | undefined
  /** What the others see. Another user is announced on the same connection. */
  user?: Partial<SyncUser> | undefined
  /** The same as `user.name` and `user.color`. */
  userName?: string | undefined
  userColor?: string | undefined
  /**
   * Whether this browser keeps the board in IndexedDB, so that edits made while the server is away outlive a reload.
   * Default true.
   */
  cache?: boolean | undefined
}

export interface YjsSync extends BoardState {
  /** For `<Tldraw store>`, once `loaded`. Turns read-only by itself where this user may not edit. */
  store: TLStore
  provider: WebsocketProvider
  /** Those that were dropped or pasted and are not on the server yet, by asset id; tried again by itself, or at once. */
  pictures: { waiting: ReadonlyMap<string, File>; retryNow(): void; discard(): void }
  /** The board as this page has it, unsaved edits included, as the content of a `.tldr` file. */
  exportFile(): string
  /** Gives up what is unsaved, and opens the board again as the server has it. */
  discard(): void
}

/** Null on the first render only, before the connection is begun. */
export function useYjsSync(options: YjsSyncOptions): YjsSync | null {
  const { boardId, wsUrl, cache = true } = options
  const token = useRef<TokenSource>(undefined)
  token.current = options.token ?? options.apiKey
  const { id, name = options.userName, color = options.userColor } = options.user ?? {}
  const user = useMemo(
    () => completeUser({ ...(id && { id }), ...(name && { name }), ...(color && { color }) }),
    [id, name, color],
  )
  const [board, setBoard] = useState<OpenBoard>()
  const [opening, setOpening] = useState(0)

  // biome-ignore lint/correctness/useExhaustiveDependencies: another user is no reason to connect anew; `opening` is one
  useEffect(() => {
    const opened = new OpenBoard({ boardId, wsUrl, cache, token: () => token.current }, user)
    setBoard(opened)
    return () => {
      setBoard(undefined)
      opened.close()
    }
  }, [boardId, wsUrl, cache, opening])

  useEffect(() => {
    board?.setUser(user)
  }, [board, user])

  const state = useValue('board state', () => board?.state.get(), [board])
  const startsAnew = state?.ending?.kind === 'begun-anew' && !state.hasUnsaved
  useEffect(() => {
    // Nothing of this user's is lost by it: what was kept is let go without a question.
    if (startsAnew) setOpening(count => count + 1)
  }, [startsAnew])

  return useMemo(() => {
    if (!board || !state) return null
    const { store, provider, pictures } = board
    const discard = () => void board.forget().then(() => setOpening(count => count + 1))
    return { ...state, store, provider, pictures, exportFile: () => boardFile(store), discard }
  }, [board, state])
}
