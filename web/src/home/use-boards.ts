/** The list of boards as home shows it: read as a whole, anew when somebody comes back, and changed where the user changes it. */
import { useCallback, useEffect, useRef, useState } from 'react'
import { Refusal } from '../api.ts'
import type { Said } from '../sharing/share-actions.ts'
import { useComingBack } from '../use-coming-back.ts'
import { type Board, deleteBoard, type ListedBoards, listBoards, nameOf, renameBoard, restoreBoard } from './boards.ts'

export type BoardList =
  | { kind: 'reading' }
  | ({ kind: 'read' } & ListedBoards)
  /** The server asks for a credential first. */
  | { kind: 'signed-out' }
  | { kind: 'failed'; reason: string }

/** The server can restore older ones, too; this is for what somebody has just done. */
const undoableAtMost = 10

export function useBoards() {
  const [list, setList] = useState<BoardList>({ kind: 'reading' })
  const [news, setNews] = useState<Said>()
  const [deleted, setDeleted] = useState<readonly Board[]>([])
  const [restored, setRestored] = useState<string>()
  /** Of those begun the last one counts; undefined: it is done. */
  const reading = useRef<symbol>(undefined)

  const read = useCallback(async () => {
    const own = Symbol()
    reading.current = own
    const found = await listBoards().then(listed => ({ kind: 'read' as const, ...listed }), withoutList)
    if (reading.current !== own) return
    reading.current = undefined
    // An old list is better than none.
    setList(before => (found.kind === 'failed' && before.kind === 'read' ? before : found))
  }, [])
  useEffect(() => void read(), [read])
  useComingBack(read)

  /** @param change undefined takes the board off the list */
  const put = useCallback(
    (id: string, change: Board | undefined) => {
      setList(before => {
        if (before.kind !== 'read') return before
        const others = before.boards.filter(board => board.id !== id)
        return { ...before, boards: change ? [...others, change] : others }
      })
      // What is being read may be from before this.
      if (reading.current) void read()
    },
    [read],
  )
  const takeOff = useCallback((id: string) => put(id, undefined), [put])
  const noLongerDeleted = ({ id }: Board) => setDeleted(before => before.filter(board => board.id !== id))

  /** @returns whether it was done */
  const attempt = async (what: string, act: () => Promise<void>): Promise<boolean> => {
    try {
      setNews(undefined)
      await act()
      return true
    } catch (error) {
      setNews({ text: `${what}: ${reasonOf(error)}`, isFailure: true })
      return false
    }
  }

  return {
    list,
    news,
    /** Those that can be had back, the last one first. */
    deleted,
    /** The id of the board that was had back last. */
    restored,
    say: setNews as (news: Said | undefined) => void,
    read,
    takeOff,
    noLongerDeleted,
    rename: (board: Board, title: string) =>
      attempt(`${nameOf(board)} keeps its name`, async () => put(board.id, await renameBoard(board.id, title))),
    remove: (board: Board) =>
      attempt(`${nameOf(board)} was not deleted`, async () => {
        await deleteBoard(board.id)
        takeOff(board.id)
        setDeleted(before => [board, ...before.filter(({ id }) => id !== board.id)].slice(0, undoableAtMost))
      }),
    restore: (board: Board) =>
      attempt(`${nameOf(board)} was not restored`, async () => {
        put(board.id, await restoreBoard(board.id))
        noLongerDeleted(board)
        setRestored(board.id)
        setNews({ text: `${nameOf(board)} is back.`, isFailure: false })
      }),
  }
}

function withoutList(error: unknown): BoardList {
  if (error instanceof Refusal && error.status === 401) return { kind: 'signed-out' }
  console.warn('boardsync: the boards cannot be listed:', error)
  return { kind: 'failed', reason: reasonOf(error) }
}

const reasonOf = (error: unknown) => (error instanceof Error ? error.message : String(error))
