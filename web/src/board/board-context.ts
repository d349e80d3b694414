/** Hands the board's connection to the parts that tldraw places in its own layout, and so renders without props. */
import { createContext, useContext } from 'react'
import type { YjsSync } from '../sync/use-yjs-sync.ts'

export const BoardContext = createContext<YjsSync | undefined>(undefined)

export function useBoard(): YjsSync {
  const board = useContext(BoardContext)
  if (!board) throw new Error('useBoard works inside a BoardContext only')
  return board
}
