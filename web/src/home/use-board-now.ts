/** A board as it is right now, while its card can be seen: who is on it, how much is there, what it looks like. */
import { type RefObject, useEffect, useRef, useState } from 'react'
import { Refusal } from '../api.ts'
import { type Board, type BoardNow, type DrawnItem, readBoard, readItems } from './boards.ts'

const lookEveryMs = 10_000

export interface SeenBoard {
  now: BoardNow | undefined
  items: readonly DrawnItem[] | undefined
}

/** @param onGone is told when there is no such board any more; keep it the same from render to render */
export function useBoardNow(
  { id }: Board,
  card: RefObject<HTMLElement | null>,
  onGone: (id: string) => void,
): SeenBoard {
  const [now, setNow] = useState<BoardNow>()
  const [items, setItems] = useState<readonly DrawnItem[]>()
  const drawnSeq = useRef<number>(undefined)

  useEffect(() => {
    const ending = new AbortController()
    const { signal } = ending
    let isSeen = false
    const look = async () => {
      if (!isSeen || document.hidden) return
      try {
        const board = await readBoard(id, signal)
        setNow(board)
        if (board.seq === drawnSeq.current) return
        setItems(await readItems(id, signal))
        drawnSeq.current = board.seq
      } catch (error) {
        if (signal.aborted) return
        if (error instanceof Refusal && error.status === 404) return onGone(id)
        // The card says what the list said; the next look may tell more.
        console.warn(`boardsync: cannot look at ${id}:`, error)
      }
    }
    const watching = new IntersectionObserver(entries => {
      isSeen = entries.some(entry => entry.isIntersecting)
      void look()
    })
    if (card.current) watching.observe(card.current)
    const timer = setInterval(() => void look(), lookEveryMs)
    const onVisibility = () => void look()
    document.addEventListener('visibilitychange', onVisibility)
    return () => {
      ending.abort()
      watching.disconnect()
      clearInterval(timer)
      document.removeEventListener('visibilitychange', onVisibility)
    }
  }, [id, card, onGone])

  return { now, items }
}
