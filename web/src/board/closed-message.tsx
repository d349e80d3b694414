/** Why the server has closed for good, in words, over whatever was there. */

import { SignInForm } from '../sign-in/sign-in-form.tsx'

interface Explanation {
  title: string
  text: string
  action: 'home' | 'reload' | 'sign-in'
}

/** The close codes on which a client stops trying; the server's table is `core/contract/close-codes.ts`. */
const explanations: Record<number, Explanation> = {
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
    text: 'Your last edit would have made it larger than the server allows, so it was not stored. Reload to go on without it.',
    action: 'reload',
  },
}

export function ClosedMessage({ code, reason }: { code: number; reason: string }) {
  const { title, text, action } = explanations[code] ?? {
    title: 'The server closed this board',
    text: 'It gave no reason that this page knows.',
    action: 'reload',
  }
  return (
    <div
      className="closed"
      role="alertdialog"
      aria-labelledby="closed-title"
      data-testid="closed-message"
      data-code={code}
    >
      <div className="closed-card">
        <h1 id="closed-title">{title}</h1>
        <p>{text}</p>
        <p className="closed-reason">
          {code}
          {reason && ` · ${reason}`}
        </p>
        {action === 'sign-in' ? (
          <SignInForm onSignedIn={() => location.reload()} />
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
