/** The boards that whoever looks may read, last changed first; without that right, those this browser remembers. */
import { ago } from '../ago.ts'
import { pathOfBoard } from '../places.ts'
import { recentBoards } from '../recent-boards.ts'
import { BoardCard } from './board-card.tsx'
import { type News, useBoards } from './use-boards.ts'

export function BoardList() {
  const { list, news, say, read, readMore, rename, remove, restore } = useBoards()
  return (
    <>
      {list.kind === 'failed' && (
        <div className="home-failure" role="alert" data-testid="list-failure">
          <p>Your boards cannot be listed. {list.reason}</p>
          <button type="button" onClick={() => void read()}>
            Try again
          </button>
        </div>
      )}
      {list.kind === 'read' && list.boards.length > 0 && (
        <section aria-labelledby="boards">
          <h2 id="boards">Boards</h2>
          <ul className="board-list">
            {list.boards
              .toSorted((a, b) => b.updated_at.localeCompare(a.updated_at))
              .map(board => (
                <BoardCard key={board.id} board={board} onRename={rename} onDelete={remove} onSaid={say} />
              ))}
          </ul>
          {list.next && (
            <button type="button" className="home-more" onClick={() => void readMore()}>
              More boards
            </button>
          )}
        </section>
      )}
      {(list.kind === 'failed' || list.kind === 'signed-out') && <Remembered />}
      <NewsBar
        news={news}
        onClose={() => say(undefined)}
        onUndo={news?.deleted && (() => news.deleted && void restore(news.deleted))}
      />
    </>
  )
}

function Remembered() {
  const recent = recentBoards()
  if (recent.length === 0) return null
  return (
    <section aria-labelledby="recent-boards">
      <h2 id="recent-boards">Opened in this browser</h2>
      <ul className="home-recent">
        {recent.map(board => (
          <li key={board.id}>
            <a href={pathOfBoard(board.id)}>
              <span className="home-recent-id">{board.id}</span>
              <time dateTime={new Date(board.openedAt).toISOString()}>{ago(board.openedAt)}</time>
            </a>
          </li>
        ))}
      </ul>
    </section>
  )
}

interface NewsBarProps {
  news: News | undefined
  onClose: () => void
  onUndo: (() => void) | undefined
}

/** Stays until it is closed or something else is to be said: nobody has to be quick to undo. */
function NewsBar({ news, onClose, onUndo }: NewsBarProps) {
  return (
    <div className="home-news" role={news?.isFailure ? 'alert' : 'status'} data-testid="news">
      {news && (
        <div data-failure={news.isFailure}>
          <span>{news.text}</span>
          {onUndo && (
            <button type="button" onClick={onUndo}>
              Undo
            </button>
          )}
          <button type="button" aria-label="Close" onClick={onClose}>
            ✕
          </button>
        </div>
      )}
    </div>
  )
}
