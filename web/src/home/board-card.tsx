/** One board of the list: its picture, its name, who is on it, and what can be done with it. */
import { useRef, useState } from 'react'
import { ago } from '../ago.ts'
import { initials } from '../initials.ts'
import { inkOn } from '../ink-on.ts'
import { pathOfBoard } from '../places.ts'
import { MenuButton } from '../sharing/menu-button.tsx'
import { type Said, shareActions } from '../sharing/share-actions.ts'
import type { May } from '../sign-in/may.ts'
import { BoardPicture } from './board-picture.tsx'
import { type Board, type BoardNow, nameOf } from './boards.ts'
import { RenameForm } from './rename-form.tsx'
import { takeLostFocus } from './take-lost-focus.ts'
import { useBoardNow } from './use-board-now.ts'

export interface BoardCardProps {
  board: Board
  may: May
  /** It was deleted, and the keyboard's focus was where that was undone. */
  isBack: boolean
  /** @returns whether it was done */
  onRename: (board: Board, title: string) => Promise<boolean>
  onDelete: (board: Board) => void
  /** Somebody else has deleted it. Keep it the same from render to render. */
  onGone: (id: string) => void
  onSaid: (said: Said) => void
}

export function BoardCard({ board, may, isBack, onRename, onDelete, onGone, onSaid }: BoardCardProps) {
  const card = useRef<HTMLLIElement>(null)
  const [naming, setNaming] = useState<'shown' | 'asked' | 'answered'>('shown')
  const { now, items } = useBoardNow(board, card, onGone)
  const count = now?.item_count ?? board.item_count
  // A name given here is newer than what the last look saw.
  const newest = now && now.updated_at >= board.updated_at ? now : board
  const name = nameOf(newest)
  const rename = { label: 'Rename', act: () => setNaming('asked') }
  const remove = { label: 'Delete', isDangerous: true, act: () => onDelete(newest) }
  return (
    <li ref={card} className="board-card" data-testid="board-card" data-board={board.id}>
      <div className="board-card-picture">
        {items && <BoardPicture items={items} />}
        {now && <Peers peers={now.peers} />}
      </div>
      <div className="board-card-text">
        {naming === 'asked' ? (
          <RenameForm
            board={newest}
            onRename={title => onRename(newest, title)}
            onDone={hadFocus => setNaming(hadFocus ? 'answered' : 'shown')}
          />
        ) : (
          <a
            ref={isBack || naming === 'answered' ? takeLostFocus : undefined}
            className="board-card-name"
            data-untitled={newest.title === null}
            href={pathOfBoard(board.id)}
            title={name}
          >
            {name}
          </a>
        )}
        <p className="board-card-facts">
          {count !== null && <span data-testid="item-count">{count === 1 ? '1 item' : `${count} items`} · </span>}
          <time dateTime={newest.updated_at}>{ago(Date.parse(newest.updated_at))}</time>
        </p>
      </div>
      <MenuButton
        label={`Actions for ${name}`}
        actions={[
          ...(may('write', board.id) ? [rename] : []),
          ...shareActions(board.id, onSaid),
          ...(may('admin', board.id) ? [remove] : []),
        ]}
      >
        <Dots />
      </MenuButton>
    </li>
  )
}

const mostShown = 4

function Peers({ peers }: Pick<BoardNow, 'peers'>) {
  if (peers.length === 0) return null
  const names = peers.map(({ name, type }) => (type === 'agent' ? `${name} (agent)` : name)).join(', ')
  return (
    <span className="board-card-peers" data-testid="board-peers" title={names}>
      {peers.slice(0, mostShown).map(({ name, color, type }, index) => (
        // People of one name are told apart by nothing else.
        // biome-ignore lint/suspicious/noArrayIndexKey: as above
        <span key={index} data-type={type} style={{ backgroundColor: color, color: inkOn(color) }}>
          {initials(name)}
        </span>
      ))}
      {peers.length > mostShown && <span className="board-card-more">+{peers.length - mostShown}</span>}
    </span>
  )
}

const Dots = () => (
  <svg width="16" height="4" viewBox="0 0 16 4" fill="currentColor" aria-hidden="true">
    <circle cx="2" cy="2" r="1.6" />
    <circle cx="8" cy="2" r="1.6" />
    <circle cx="14" cy="2" r="1.6" />
  </svg>
)
