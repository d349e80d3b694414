/** The boards that whoever looks may read, last changed first; without that right, those this browser remembers. */
import { useRef, useState } from 'react'
import { flushSync } from 'react-dom'
import { ago } from '../ago.ts'
import { pathOfBoard } from '../places.ts'
import { recentBoards } from '../recent-boards.ts'
import type { May } from '../sign-in/may.ts'
import { BoardCard, type BoardCardProps } from './board-card.tsx'
import { type ListedBoards, listedAtMost } from './boards.ts'
import { foundBoards, searchedFrom } from './found-boards.ts'
import { NewsBar } from './news-bar.tsx'
import { useBoards } from './use-boards.ts'

export function BoardList({ may }: { may: May }) {
  const { list, news, deleted, restored, say, read, takeOff, noLongerDeleted, rename, remove, restore } = useBoards()
  return (
    <>
      {list.kind === 'failed' && (
        <div className="home-failure" role="alert" data-testid="list-failure">
          <p>Your boards cannot be listed. {list.reason}</p>
          <button type="button" className="link-button" onClick={() => void read()}>
            Try again
          </button>
        </div>
      )}
      {list.kind === 'read' && list.boards.length > 0 && (
        <Boards
          {...list}
          may={may}
          restored={restored}
          onRename={rename}
          onDelete={board => void remove(board)}
          onGone={takeOff}
          onSaid={say}
        />
      )}
      {(list.kind === 'failed' || list.kind === 'signed-out') && <Remembered />}
      <NewsBar
        news={news}
        onClose={() => say(undefined)}
        deleted={deleted}
        onUndo={board => void restore(board)}
        onForget={noLongerDeleted}
      />
    </>
  )
}

const shownAtOnce = 60

interface BoardsProps extends ListedBoards, Omit<BoardCardProps, 'board' | 'isBack'> {
  restored: string | undefined
}

function Boards({ boards, isComplete, restored, ...ofCards }: BoardsProps) {
  const [wanted, setWanted] = useState('')
  const [shown, setShown] = useState(shownAtOnce)
  const cards = useRef<HTMLUListElement>(null)
  const found = foundBoards(boards, wanted)
  const showMore = () => {
    flushSync(() => setShown(shown + shownAtOnce))
    // The button may be gone; whoever pressed it goes on with what it brought.
    cards.current?.children[shown]?.querySelector('a')?.focus()
  }
  return (
    <section aria-labelledby="boards">
      <div className="board-list-head">
        <h2 id="boards">Boards</h2>
        {(boards.length >= searchedFrom || wanted) && (
          <input
            className="field"
            type="search"
            aria-label="Find a board by its name or id"
            placeholder="Find a board"
            autoComplete="off"
            spellCheck={false}
            value={wanted}
            onChange={event => {
              setWanted(event.target.value)
              setShown(shownAtOnce)
            }}
          />
        )}
      </div>
      {!isComplete && (
        <p className="board-list-note">
          There are more than {listedAtMost.toLocaleString('en')} boards. Only the first of them, by id, are listed
          here.
        </p>
      )}
      {found.length === 0 && (
        <p className="board-list-note" role="status">
          No board has that in its name or id.
        </p>
      )}
      <ul className="board-list" ref={cards}>
        {found.slice(0, shown).map(board => (
          <BoardCard key={board.id} board={board} isBack={board.id === restored} {...ofCards} />
        ))}
      </ul>
      {found.length > shown && (
        <button type="button" className="home-more" onClick={showMore}>
          More boards
        </button>
      )}
    </section>
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
