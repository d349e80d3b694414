/** Names the browser's tab after the board: its title, once the server has told it, else its id. */
import { useEffect, useState } from 'react'
import { nameOf, readBoardEntry } from '../home/boards.ts'

/** @param isSynced the server has shown the board: before that it may not exist */
export function useBoardTitle(boardId: string, isSynced: boolean): void {
  const [isThere, setThere] = useState(false)
  useEffect(() => {
    if (isSynced) setThere(true)
  }, [isSynced])

  useEffect(() => {
    document.title = pageTitle(boardId)
    if (!isThere) return
    const ending = new AbortController()
    const { signal } = ending
    readBoardEntry(boardId, signal)
      .then(board => {
        if (board) document.title = pageTitle(nameOf(board))
      })
      .catch(error => {
        if (!signal.aborted) console.warn(`boardsync: the board's title is not to be had:`, error)
      })
    return () => ending.abort()
  }, [boardId, isThere])
}

const pageTitle = (name: string): string => `${name} · boardsync`
