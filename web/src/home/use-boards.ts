/** The list of boards as home shows it: read page by page, changed where the user changes it. */
import { useCallback, useEffect, useState } from 'react'
import { Refusal } from '../api.ts'
import type { Said } from '../sharing/share-actions.ts'
import { type Board, deleteBoard, listBoards, nameOf, renameBoard, restoreBoard } from './boards.ts'

export type BoardList =
  | { kind: 'reading' }
  | { kind: 'read'; boards: readonly Board[]; next: string | null }
  /** The server asks for a credential first. */
  | { kind: 'signed-out' }
  | { kind: 'failed'; reason: string }

/** What home says: how something went, and the board that could be had back. */
export interface News extends Said {
  deleted?: Board
}

export function useBoards() {
  const [list, setList] = useState<BoardList>({ kind: 'reading' })
  const [news, setNews] = useState<News>()

  const read = useCallback(async () => {
    try {
      setList({ kind: 'read', ...(await listBoards()) })
    } catch (error) {
      setList(isSignedOut(error) ? { kind: 'signed-out' } : { kind: 'failed', reason: reasonOf(error) })
    }
  }, [])
  useEffect(() => void read(), [read])

  /** @param change undefined takes the board off the list */
  const put = (id: string, change: Board | undefined) =>
    setList(before => {
      if (before.kind !== 'read') return before
      const others = before.boards.filter(board => board.id !== id)
      return { ...before, boards: change ? [...others, change] : others }
    })

  const attempt = async (what: string, act: () => Promise<void>) => {
    try {
      setNews(undefined)
      await act()
    } catch (error) {
      setNews({ text: `${what}: ${reasonOf(error)}`, isFailure: true })
    }
  }

  return {
    list,
    news,
    say: setNews as (news: News | undefined) => void,
    read,
    readMore: () =>
      attempt('There are more boards, but they cannot be read', async () => {
        if (list.kind !== 'read' || !list.next) return
        const page = await listBoards(list.next)
        setList({ kind: 'read', boards: [...list.boards, ...page.boards], next: page.next })
      }),
    rename: (board: Board, title: string) =>
      attempt(`${nameOf(board)} keeps its name`, async () => put(board.id, await renameBoard(board.id, title))),
    remove: (board: Board) =>
      attempt(`${nameOf(board)} was not deleted`, async () => {
        await deleteBoard(board.id)
        put(board.id, undefined)
        setNews({ text: `${nameOf(board)} is deleted.`, isFailure: false, deleted: board })
      }),
    restore: (board: Board) =>
      attempt(`${nameOf(board)} was not restored`, async () => {
        put(board.id, await restoreBoard(board.id))
        setNews({ text: `${nameOf(board)} is back.`, isFailure: false })
      }),
  }
}

const isSignedOut = (error: unknown) => error instanceof Refusal && error.status === 401
const reasonOf = (error: unknown) => (error instanceof Error ? error.message : String(error))
