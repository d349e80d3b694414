/** A link that lets somebody in: `#ticket=…`, good once. A fragment is sent to no server and no log; it goes at once. */
import { type SignInFailure, signIn } from './session.ts'

/** While it may still be good. */
let ticket: string | undefined
let failure: SignInFailure | undefined

/** Why the link that led here let nobody in, for whoever asks for a credential next. */
export const ticketFailure = (): SignInFailure | undefined => failure

/** Takes the ticket out of the address, and signs in with it. Does nothing where there is none. */
export async function takeTicket(): Promise<void> {
  ticket = new URLSearchParams(location.hash.slice(1)).get('ticket') ?? undefined
  if (ticket === undefined) return
  // Before anything else: neither the history nor what looks at the address later has it.
  history.replaceState(history.state, '', location.pathname + location.search)
  await tryTicket()
}

/** Once more, where the last try decided nothing. @returns undefined: it worked */
export async function tryTicket(): Promise<SignInFailure | undefined> {
  if (ticket === undefined) return failure
  failure = explain(await signIn(ticket))
  if (!failure?.isUndecided) ticket = undefined
  return failure
}

function explain(refused: SignInFailure | undefined): SignInFailure | undefined {
  if (!refused) return undefined
  const reason = refused.isUndecided
    ? `The link that brought you here could not be checked. ${refused.reason} It may still be good.`
    : 'The link that brought you here was used before, or is older than a minute. Ask for another.'
  return { ...refused, reason }
}
