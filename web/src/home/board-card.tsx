/** One board of the list: its picture, its name, who is on it, and what can be done with it. */
import { useRef, useState } from 'react'
import { ago } from '../ago.ts'
import { initials } from '../initials.ts'
import { pathOfBoard } from '../places.ts'
import { MenuButton } from '../sharing/menu-button.tsx'
import { type Said, shareActions } from '../sharing/share-actions.ts'
import { BoardPicture } from './board-picture.tsx'
import { type Board, type BoardNow, nameOf } from './boards.ts'
import { RenameForm } from './rename-form.tsx'
import { useBoardNow } from './use-board-now.ts'

interface BoardCardProps {
  board: Board
  onRename: (board: Board, title: string) => Promise<void>
  onDelete: (board: Board) => Promise<void>
  onSaid: (said: Said) => void
}

export function BoardCard({ board, onRename, onDelete, onSaid }: BoardCardProps) {
  const card = useRef<HTMLLIElement>(null)
  const [isRenaming, setRenaming] = useState(false)
  const { now, items } = useBoardNow(board, card)
  const count = now?.item_count ?? board.item_count
  const changedAt = now?.updated_at ?? board.updated_at
  const name = nameOf(board)
  return (
    <li ref={card} className="board-card" data-testid="board-card" data-board={board.id}>
      <div className="board-card-picture">
        {items && <BoardPicture items={items} />}
        {now && <Peers peers={now.peers} />}
      </div>
      <div className="board-card-text">
        {isRenaming ? (
          <RenameForm
            board={board}
            onCancel={() => setRenaming(false)}
            onRename={async title => {
              await onRename(board, title)
              setRenaming(false)
            }}
          />
        ) : (
          <a className="board-card-name" data-untitled={board.title === null} href={pathOfBoard(board.id)} title={name}>
            {name}
          </a>
        )}
        <p className="board-card-facts">
          {count !== null && <span data-testid="item-count">{count === 1 ? '1 item' : `${count} items`} · </span>}
          <time dateTime={changedAt}>{ago(Date.parse(changedAt))}</time>
        </p>
      </div>
      <MenuButton
        label={`Actions for ${name}`}
        actions={[
          { label: 'Rename', act: () => setRenaming(true) },
          ...shareActions(board.id, onSaid),
          { label: 'Delete', isDangerous: true, act: () => void onDelete(board) },
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
        <span key={index} data-type={type} style={{ backgroundColor: color }}>
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
