/** Asks for a credential, and signs in with it. */
import { type FormEvent, useId, useState } from 'react'
import { signIn } from './session.ts'
import './sign-in.css'
import { ticketFailure } from './ticket.ts'

export function SignInForm({ onSignedIn }: { onSignedIn: () => void }) {
  const [failure, setFailure] = useState(ticketFailure)
  const [isBusy, setBusy] = useState(false)
  const id = useId()

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const credential = new FormData(event.currentTarget).get('credential')
    if (typeof credential !== 'string' || credential.trim() === '') return
    setBusy(true)
    const refused = await signIn(credential)
    setBusy(false)
    setFailure(refused)
    if (refused === undefined) onSignedIn()
  }

  return (
    <form className="sign-in" data-testid="sign-in" onSubmit={event => void submit(event)}>
      <label htmlFor={id}>Your API key or token</label>
      <div className="sign-in-row">
        <input id={id} name="credential" type="password" autoComplete="off" spellCheck={false} required />
        <button type="submit" disabled={isBusy}>
          Sign in
        </button>
      </div>
      {failure && <p role="alert">{failure}</p>}
    </form>
  )
}
