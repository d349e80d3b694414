/** Asks for a credential, and signs in with it. */
import { type FormEvent, useId, useState } from 'react'
import { type SignInFailure, signIn } from './session.ts'
import './sign-in.css'
import { ticketFailure, tryTicket } from './ticket.ts'

export function SignInForm({ onSignedIn }: { onSignedIn: () => void }) {
  const [ofLink, setOfLink] = useState(ticketFailure)
  const [ofCredential, setOfCredential] = useState<SignInFailure>()
  const [isBusy, setBusy] = useState(false)
  const id = useId()

  const attempt = async (act: () => Promise<SignInFailure | undefined>, setFailure: typeof setOfLink) => {
    setBusy(true)
    const refused = await act()
    setBusy(false)
    setFailure(refused)
    if (refused === undefined) onSignedIn()
  }
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const credential = new FormData(event.currentTarget).get('credential')
    if (typeof credential !== 'string' || credential.trim() === '') return
    setOfLink(undefined)
    void attempt(() => signIn(credential), setOfCredential)
  }

  return (
    <form className="sign-in" data-testid="sign-in" onSubmit={submit}>
      {ofLink && (
        <p role="alert">
          {ofLink.reason}
          {ofLink.isUndecided && (
            <button
              type="button"
              className="link-button"
              disabled={isBusy}
              onClick={() => void attempt(tryTicket, setOfLink)}
            >
              Try again
            </button>
          )}
        </p>
      )}
      <label htmlFor={id}>Your API key or token</label>
      <div className="sign-in-row">
        <input
          className="field"
          id={id}
          name="credential"
          type="password"
          autoComplete="off"
          spellCheck={false}
          required
        />
        <button type="submit" disabled={isBusy}>
          Sign in
        </button>
      </div>
      {ofCredential && (
        <p role="alert">
          {ofCredential.reason}
          {ofCredential.isUndecided && ' Try again in a moment.'}
        </p>
      )}
    </form>
  )
}
