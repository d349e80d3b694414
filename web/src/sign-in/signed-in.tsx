/** Who is signed in here, and the way out; or, where the server asks for a credential, the way in. */
import { useState } from 'react'
import { signOut } from './session.ts'
import { SignInForm } from './sign-in-form.tsx'
import { spokenSubject } from './spoken-subject.ts'
import type { SessionState } from './use-session.ts'

export function SignedIn({ state }: { state: SessionState }) {
  const [failure, setFailure] = useState<string>()

  const reload = () => location.reload()
  const leave = async () => {
    const refused = await signOut()
    setFailure(refused)
    if (refused === undefined) reload()
  }
  switch (state.kind) {
    case 'unknown':
    case 'open':
      return null
    case 'out':
      return (
        <section className="sign-in-section" aria-label="Sign in">
          <p>This server asks who you are before it shows a board.</p>
          <SignInForm onSignedIn={reload} />
        </section>
      )
    case 'in':
      return (
        <p className="signed-in" title={state.session.subject}>
          Signed in {spokenSubject(state.session.subject)}
          <button type="button" className="link-button" onClick={() => void leave()}>
            Sign out
          </button>
          {failure && <span role="alert">{failure}</span>}
        </p>
      )
    default:
      return state satisfies never
  }
}
