/** Who is signed in here, and the way out; or, where the server asks for a credential, the way in. */
import { useEffect, useState } from 'react'
import { currentSession, type Session, signOut } from './session.ts'
import { SignInForm } from './sign-in-form.tsx'

type State = { kind: 'unknown' } | { kind: 'out' } | { kind: 'in'; session: Session }

export function SignedIn() {
  const [state, setState] = useState<State>({ kind: 'unknown' })
  const [failure, setFailure] = useState<string>()
  useEffect(() => {
    currentSession()
      .then(session => setState(session ? { kind: 'in', session } : { kind: 'out' }))
      .catch(error => console.warn('boardsync: cannot tell who is signed in:', error))
  }, [])

  const reload = () => location.reload()
  const leave = async () => {
    const refused = await signOut()
    setFailure(refused)
    if (refused === undefined) reload()
  }
  switch (state.kind) {
    case 'unknown':
      return null
    case 'out':
      return (
        <section className="sign-in-section" aria-label="Sign in">
          <p>This server asks who you are before it shows a board.</p>
          <SignInForm onSignedIn={reload} />
        </section>
      )
    case 'in':
      return state.session.subject === 'anyone' ? null : (
        <p className="signed-in">
          Signed in as {state.session.subject}
          <button type="button" onClick={() => void leave()}>
            Sign out
          </button>
          {failure && <span role="alert">{failure}</span>}
        </p>
      )
    default:
      return state satisfies never
  }
}
