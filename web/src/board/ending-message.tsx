/** Why it does not go on, in words, over whatever was there; and what can be done with edits that nobody else has. */
import { SignInForm } from '../sign-in/sign-in-form.tsx'
import type { Ending, YjsSync } from '../sync/index.ts'
import { downloadBoard } from './download-board.ts'

interface Explanation {
  title: string
  text: string
  action: 'home' | 'reload' | 'sign-in'
}

/** The close codes on which a client stops trying; the server's table is `core/contract/close-codes.ts`. */
const closeCodes: Record<number, Explanation> = {
  1009: {
    title: 'That is too much at once',
    text: 'Your last edits are larger than what the server takes in one piece, so they were not stored.',
    action: 'reload',
  },
  4400: {
    title: 'This is no board',
    text: 'A board’s address ends in letters, digits, _ or -, at most 128 of them. If this one does, the page and the server did not understand each other.',
    action: 'home',
  },
  4401: {
    title: 'You need to sign in',
    text: 'The credential for this board is missing, wrong or has expired.',
    action: 'sign-in',
  },
  4403: {
    title: 'This board is not open to you',
    text: 'It does not exist, or you have no right to it. Ask whoever sent you here.',
    action: 'home',
  },
  4404: { title: 'This board was deleted', text: 'There is nothing to show here any more.', action: 'home' },
  4413: {
    title: 'The board is full',
    text: 'Your last edits would have made it larger than the server allows, so they were not stored.',
    action: 'reload',
  },
}

const unknownCode: Explanation = {
  title: 'The server closed this board',
  text: 'It gave no reason that this page knows.',
  action: 'reload',
}

export function EndingMessage({ sync, ending, boardId }: { sync: YjsSync; ending: Ending; boardId: string }) {
  const { title, text, action } = explain(ending)
  const code = ending.kind === 'closed' ? ending.code : undefined
  return (
    <div
      className="ending"
      role="alertdialog"
      aria-labelledby="ending-title"
      data-testid="closed-message"
      data-kind={ending.kind}
      data-code={code}
    >
      <div className="ending-card">
        <h1 id="ending-title">{title}</h1>
        <p>{text}</p>
        {sync.hasUnsaved && action !== 'sign-in' && (
          <p>Edits you made here are not stored. You can keep them as a file that tldraw opens.</p>
        )}
        {ending.kind === 'closed' && (
          <p className="ending-reason">
            {ending.code}
            {ending.reason && ` · ${ending.reason}`}
          </p>
        )}
        {action === 'sign-in' ? (
          // What is not saved stays in this browser, and goes to the server after that.
          <SignInForm onSignedIn={() => location.reload()} />
        ) : sync.hasUnsaved && ending.kind !== 'outdated' ? (
          <>
            <button type="button" onClick={() => downloadBoard(sync, boardId)}>
              Download my edits
            </button>
            <button type="button" className="ending-discard" onClick={sync.discard}>
              Discard them
            </button>
          </>
        ) : action === 'home' ? (
          <a href="/">To the boards</a>
        ) : (
          <button type="button" onClick={() => location.reload()}>
            Reload
          </button>
        )}
      </div>
    </div>
  )
}

function explain(ending: Ending): Explanation {
  switch (ending.kind) {
    case 'closed':
      return closeCodes[ending.code] ?? unknownCode
    case 'begun-anew':
      return {
        title: 'This board has begun anew',
        text: 'The server’s board is not the one that this browser had kept.',
        action: 'reload',
      }
    case 'outdated':
      return {
        title: 'There is a newer version of this page',
        text: 'Somebody with a newer version has edited the board. Reload to go on with it.',
        action: 'reload',
      }
    default:
      return ending satisfies never
  }
}
