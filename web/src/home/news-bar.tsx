/** How something went, and what can be had back. Stays until it is closed: nobody has to be quick to undo. */
import type { Said } from '../sharing/share-actions.ts'
import { type Board, nameOf } from './boards.ts'
import { takeLostFocus } from './take-lost-focus.ts'

interface NewsBarProps {
  news: Said | undefined
  onClose: () => void
  deleted: readonly Board[]
  onUndo: (board: Board) => void
  onForget: (board: Board) => void
}

export function NewsBar({ news, onClose, deleted, onUndo, onForget }: NewsBarProps) {
  return (
    <div className="home-news" role={news?.isFailure ? 'alert' : 'status'} aria-atomic="false" data-testid="news">
      {news && (
        <div data-failure={news.isFailure}>
          <span>{news.text}</span>
          <button type="button" className="link-button" aria-label="Close" onClick={onClose}>
            ✕
          </button>
        </div>
      )}
      {deleted.map(board => (
        <div key={board.id}>
          <span>{nameOf(board)} is deleted.</span>
          <button
            // Its card had the focus, and is gone.
            ref={takeLostFocus}
            type="button"
            className="link-button"
            aria-label={`Undo: ${nameOf(board)} is deleted`}
            onClick={() => onUndo(board)}
          >
            Undo
          </button>
          <button
            type="button"
            className="link-button"
            aria-label={`Close: ${nameOf(board)} is deleted`}
            onClick={() => onForget(board)}
          >
            ✕
          </button>
        </div>
      ))}
    </div>
  )
}
