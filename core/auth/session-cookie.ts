/** The cookie that holds a browser's session: where it counts, and how it is set and taken away. */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { parseCookie, stringifySetCookie } from 'cookie'
import { Secret } from '../base/secret.ts'
import { sessionSeconds } from '../store/sessions.ts'
import { kindOfToken } from './token.ts'

const cookieName = 'boardsync_session'

/** The session that a request carries, whether or not it counts for what is asked. */
export function sessionTokenIn({ cookie }: Pick<IncomingHttpHeaders, 'cookie'>): Secret | undefined {
  const token = parseCookie(cookie ?? '')[cookieName]
  return token !== undefined && kindOfToken(token) === 'session' ? new Secret(token) : undefined
}

/**
 * Whether a cookie may speak for this request: browsers add it to what any page asks for. An `Origin` that is here at all
 * is an allowed one (see `request-guard.ts`). Pages ask without it for what only reads, and then `Sec-Fetch-Site` says
 * whose page it was, except in old browsers, where `SameSite` and the missing CORS headers keep others from the answer.
 */
export function cookieCounts({ headers, method }: Partial<Pick<IncomingMessage, 'headers' | 'method'>>): boolean {
  if (headers?.origin !== undefined) return true
  if (headers?.upgrade !== undefined) return false
  const site = headers?.['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return false
  return site === 'same-origin' || method === 'GET' || method === 'HEAD'
}

/** @param secure whether the page came over https */
export function sessionCookie(token: Secret, secure: boolean): string {
  return stringifySetCookie({ ...attributes(secure), value: token.reveal(), maxAge: sessionSeconds })
}

/** Takes it away. */
export const noSessionCookie = (secure: boolean): string =>
  stringifySetCookie({ ...attributes(secure), value: '', maxAge: 0 })

const attributes = (secure: boolean) =>
  ({ name: cookieName, path: '/', httpOnly: true, sameSite: 'strict', secure }) as const

/**
 * Whether the page that asks came over https: a proxy may end TLS before us, but the page's own origin tells.
 * @param publicUrl the address people see, where one is set
 */
export function isSecure(headers: IncomingHttpHeaders, publicUrl: string | undefined): boolean {
  return (publicUrl ?? '').startsWith('https:') || (headers.origin ?? '').startsWith('https:')
}

/** The same cookie once more, when a request from a page carries one: its end moves on with the session's. */
export function renewedCookie(headers: IncomingHttpHeaders, publicUrl: string | undefined): string | undefined {
  // Without an origin nothing may tell that the page is secure, and the cookie would lose its attribute.
  const token = headers.origin === undefined ? undefined : sessionTokenIn(headers)
  return token && sessionCookie(token, isSecure(headers, publicUrl))
}
