/** Hands the board to the parts that tldraw places in its own layout, and so renders without props. */
import { createContext, useContext } from 'react'
import type { User } from '../identity.ts'
import type { YjsSync } from '../sync/index.ts'

interface BoardView {
  boardId: string
  sync: YjsSync
  user: User
  onUser: (user: User) => void
}

export const BoardContext = createContext<BoardView | undefined>(undefined)

export function useBoard(): BoardView {
  const board = useContext(BoardContext)
  if (!board) throw new Error('useBoard works inside a BoardContext only')
  return board
}
