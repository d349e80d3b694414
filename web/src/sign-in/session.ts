/** The session of this browser: the server keeps it in a cookie that no script can read, so all there is to do is ask. */
import type { Role } from '../../../core/contract/role.ts'
import { api, Refusal, unreachable } from '../api.ts'

export interface Session {
  /** `anyone` on a server that asks nobody who they are. */
  subject: string
  /** The role on each board that the credential names (null: none); `*` stands for every other. */
  boards?: Record<string, Role | null> | undefined
}

const address = '/v1/session'
const renewEveryMs = 60 * 60 * 1_000
/** Looked at this often, by the clock: timers stand still while the machine sleeps. */
const lookEveryMs = 60 * 1_000

/** Undefined: nobody is signed in here. @throws Refusal when the server cannot be asked */
export async function currentSession(): Promise<Session | undefined> {
  try {
    return await api<Session>('/session')
  } catch (error) {
    if (error instanceof Refusal && error.status === 401) return undefined
    throw error
  }
}

/** Why somebody is not signed in. */
export interface SignInFailure {
  /** For people to read, in sentences. */
  reason: string
  /** Nothing was found out about the credential: it may work another time. */
  isUndecided: boolean
}

/**
 * @param credential an API key, a JWT or a one-time ticket
 * @returns undefined: it worked
 */
export async function signIn(credential: string): Promise<SignInFailure | undefined> {
  const headers = new Headers()
  try {
    headers.set('x-api-key', credential.trim())
  } catch {
    return { reason: 'A credential has no such characters.', isUndecided: false }
  }
  // A request that got no answer is told of below.
  const answer = await fetch(address, { method: 'POST', headers }).catch(() => undefined)
  if (answer?.ok) return undefined
  if (answer?.status === 401) {
    return { reason: 'This credential is not valid: unknown, expired or revoked.', isUndecided: false }
  }
  return { reason: whyUndecided(answer?.status), isUndecided: true }
}

function whyUndecided(status: number | undefined): string {
  if (status === undefined) return unreachable
  if (status === 429) return 'The server is asked too much just now.'
  return status >= 500 ? 'The server cannot check it just now.' : `The server answered ${status}.`
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
