/** Names the browser's tab after the board: its title, once the server has told it, else its id. */
import { useEffect, useState } from 'react'
import { api } from '../api.ts'

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
    api<{ title: string | null }>(`/boards/${boardId}`, { signal })
      .then(({ title }) => {
        document.title = pageTitle(title ?? boardId)
      })
      .catch(error => {
        if (!signal.aborted) console.warn(`boardsync: the board's title is not to be had:`, error)
      })
    return () => ending.abort()
  }, [boardId, isThere])
}

const pageTitle = (name: string): string => `${name} · boardsync`
