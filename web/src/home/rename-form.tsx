/** Takes another name for a board: Enter keeps it, Escape leaves it as it was. */
import { useRef, useState } from 'react'
import type { Board } from './boards.ts'

const longestTitle = 200

interface RenameFormProps {
  board: Board
  /** @returns whether it was done: if not, what was typed stays */
  onRename: (title: string) => Promise<boolean>
  /** @param hadFocus whether the keyboard's focus goes away with the form */
  onDone: (hadFocus: boolean) => void
}

export function RenameForm({ board, onRename, onDone }: RenameFormProps) {
  const field = useRef<HTMLInputElement>(null)
  const [title, setTitle] = useState(board.title ?? '')
  const [isBusy, setBusy] = useState(false)
  const rename = async () => {
    if (isBusy) return
    setBusy(true)
    const isDone = await onRename(title)
    setBusy(false)
    if (isDone) done()
  }
  const done = () => onDone(document.activeElement === field.current)
  return (
    <form
      className="rename-form"
      onSubmit={event => {
        event.preventDefault()
        void rename()
      }}
    >
      <input
        ref={field}
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
          if (event.key === 'Escape') done()
        }}
        onBlur={() => {
          if (title === (board.title ?? '')) done()
          else void rename()
        }}
      />
    </form>
  )
}
