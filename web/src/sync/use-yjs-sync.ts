/** The hook a board page stands on: opens the board while the component is there, and says how it is doing. */
import { useEffect, useMemo, useState } from 'react'
import { type TLStore, useValue } from 'tldraw'
import type { WebsocketProvider } from 'y-websocket'
import type { User } from '../identity.ts'
import { type BoardAddress, type BoardState, type OpenBoard, openBoard } from './open-board.ts'

export interface YjsSyncOptions extends BoardAddress {
  user: User
}

export interface YjsSync extends BoardState {
  store: TLStore
  provider: WebsocketProvider
}

/** Undefined on the very first render only, before the connection is begun. */
export function useYjsSync({ boardId, wsUrl, token, user }: YjsSyncOptions): YjsSync | undefined {
  const [board, setBoard] = useState<OpenBoard>()

  // biome-ignore lint/correctness/useExhaustiveDependencies: another user is no reason to connect anew, see below
  useEffect(() => {
    const opened = openBoard({ boardId, wsUrl, token }, user)
    setBoard(opened)
    return () => {
      setBoard(undefined)
      opened.close()
    }
  }, [boardId, wsUrl, token])

  useEffect(() => board?.setUser(user), [board, user])

  const state = useValue('board state', () => board?.state.get(), [board])
  return useMemo(() => board && state && { ...state, store: board.store, provider: board.provider }, [board, state])
}
