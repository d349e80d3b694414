/** The session of this browser: the server keeps it in a cookie that no script can read, so all there is to do is ask. */

export interface Session {
  /** `anyone` on a server that asks nobody who they are. */
  subject: string
}

const address = '/v1/session'

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
