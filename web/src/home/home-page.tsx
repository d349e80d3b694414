/** The first page: what this is, a button that makes a board, and the boards there are. */
import './home.css'
import { pathOfBoard } from '../places.ts'
import { randomId } from '../random-id.ts'
import { type May, mayIn } from '../sign-in/may.ts'
import { SignedIn } from '../sign-in/signed-in.tsx'
import { type SessionState, useSession } from '../sign-in/use-session.ts'
import { BoardList } from './board-list.tsx'

/** Who can join a board, which is not the same on every server. */
const hints: Record<SessionState['kind'], string> = {
  unknown: '',
  open: 'No form, no account: send the address to whoever should join.',
  out: '',
  in: 'Send the address to whoever should join: here they need a key of their own, or a link that lets them in.',
}

export function HomePage() {
  const session = useSession()
  const may = mayIn(session)
  const mayMake = mayMakeBoards(may)
  return (
    <main className="home">
      <Logo />
      <h1>boardsync</h1>
      <p className="home-pitch">
        One board for people and agents. You draw, they post, everybody sees it at once, and nothing that anyone has
        seen is ever lost.
      </p>
      {mayMake && (
        <button type="button" className="home-new" data-testid="new-board" onClick={openNewBoard}>
          New board
        </button>
      )}
      <p className="home-hint">{mayMake ? hints[session.kind] : 'What you signed in with makes no new boards.'}</p>
      <SignedIn state={session} />
      <BoardList may={may} />
    </main>
  )
}

/** Under an id that nobody has named. */
const mayMakeBoards = (may: May): boolean => may('write', randomId())

function openNewBoard(): void {
  location.assign(pathOfBoard(randomId()))
}

function Logo() {
  return (
    <svg className="home-logo" viewBox="0 0 96 64" aria-hidden="true">
      <rect x="6" y="10" width="42" height="42" rx="7" className="home-logo-shape" />
      <path d="M38 22h44v26L70 60H45a7 7 0 0 1-7-7z" className="home-logo-note" />
      <path d="M82 48H75a5 5 0 0 0-5 5v7z" className="home-logo-fold" />
      <path d="M18 26l20 7-8.500 4-4 8.500z" className="home-logo-cursor" />
    </svg>
  )
}
