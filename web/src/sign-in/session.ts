/** The session of this browser: the server keeps it in a cookie that no script can read, so all there is to do is ask. */

export interface Session {
  /** `anyone` on a server that asks nobody who they are. */
  subject: string
}

const address = '/v1/session'
const renewEveryMs = 60 * 60 * 1_000
/** Looked at this often, by the clock: timers stand still while the machine sleeps. */
const lookEveryMs = 60 * 1_000

/** Undefined: nobody is signed in here. @throws Error when the server cannot be asked */
export async function currentSession(): Promise<Session | undefined> {
  const answer = await fetch(address, { headers: { accept: 'application/json' } })
  if (answer.status === 401) return undefined
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`)
  return (await answer.json()) as Session
}

/**
 * @param credential an API key, a JWT or a one-time ticket
 * @returns why not, for people to read; undefined: it worked
 */
export async function signIn(credential: string): Promise<string | undefined> {
  const headers = new Headers()
  try {
    headers.set('x-api-key', credential.trim())
  } catch {
    return 'A credential has no such characters.'
  }
  // A request that got no answer is told of below.
  const answer = await fetch(address, { method: 'POST', headers }).catch(() => undefined)
  if (answer === undefined) return 'The server cannot be reached. Try again.'
  if (answer.ok) return undefined
  return answer.status === 401 ? 'This credential is not valid: unknown, expired or revoked.' : 'Try again in a moment.'
}

/** @returns why not, for people to read; undefined: nobody is signed in here any more */
export async function signOut(): Promise<string | undefined> {
  // A request that got no answer is told of below.
  const answer = await fetch(address, { method: 'DELETE' }).catch(() => undefined)
  if (answer === undefined) return 'You are still signed in: the server cannot be reached. Try again.'
  return answer.ok ? undefined : 'You are still signed in. Try again in a moment.'
}

/**
 * Keeps whoever is signed in here signed in for as long as this page is open. The server sets the cookie anew when the page
 * writes, as browsers say then whose page it is; an open board makes no request at all. At once too: it may be an old one.
 */
export function keepSession(): void {
  let renewedAt = 0
  const renew = async () => {
    if (Date.now() - renewedAt < renewEveryMs) return
    const session = await currentSession()
    if (!session || session.subject === 'anyone') return clearInterval(timer)
    const { ok } = await fetch(address, { method: 'POST' })
    if (ok) renewedAt = Date.now()
  }
  const tryToRenew = () => renew().catch(error => console.warn('boardsync: the session was not renewed:', error))
  const timer = setInterval(() => void tryToRenew(), lookEveryMs)
  void tryToRenew()
}
