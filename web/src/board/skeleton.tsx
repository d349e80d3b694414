/** What stands in for the canvas until the board is complete: never an empty board that looks like the real one. */
import './skeleton.css'

export function Skeleton() {
  return (
    <div className="skeleton" role="status" data-testid="board-skeleton">
      <p>Connecting…</p>
      <p className="skeleton-late">No answer yet. The page keeps trying.</p>
    </div>
  )
}
