/** A link that lets somebody in: `#ticket=…`, good once. A fragment is sent to no server and no log; it goes at once. */
import { signIn } from './session.ts'

let failure: string | undefined

/** Why the link that led here let nobody in, for whoever asks for a credential next. */
export const ticketFailure = (): string | undefined => failure

/** Takes the ticket out of the address, and signs in with it. Does nothing where there is none. */
export async function takeTicket(): Promise<void> {
  const ticket = new URLSearchParams(location.hash.slice(1)).get('ticket')
  if (ticket === null) return
  // Before anything else: neither the history nor what looks at the address later has it.
  history.replaceState(history.state, '', location.pathname + location.search)
  if ((await signIn(ticket)) !== undefined) {
    failure = 'The link that brought you here was used before, or is older than a minute. Ask for another.'
  }
}
