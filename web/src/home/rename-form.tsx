/** Takes another name for a board: Enter keeps it, Escape leaves it as it was. */
import { useState } from 'react'
import type { Board } from './boards.ts'

const longestTitle = 200

interface RenameFormProps {
  board: Board
  onCancel: () => void
  onRename: (title: string) => Promise<void>
}

export function RenameForm({ board, onCancel, onRename }: RenameFormProps) {
  const [title, setTitle] = useState(board.title ?? '')
  const [isBusy, setBusy] = useState(false)
  const rename = async () => {
    if (isBusy) return
    setBusy(true)
    await onRename(title)
    setBusy(false)
  }
  return (
    <form
      className="rename-form"
      onSubmit={event => {
        event.preventDefault()
        void rename()
      }}
    >
      <input
        // biome-ignore lint/a11y/noAutofocus: the person has just asked for it
        autoFocus
        aria-label={`Name of board ${board.id}`}
        placeholder="Name of the board"
        autoComplete="off"
        maxLength={longestTitle}
        value={title}
        onFocus={event => event.target.select()}
        onChange={event => setTitle(event.target.value)}
        onKeyDown={event => {
          if (event.key === 'Escape') onCancel()
        }}
        onBlur={() => {
          if (title === (board.title ?? '')) onCancel()
          else void rename()
        }}
      />
    </form>
  )
}
