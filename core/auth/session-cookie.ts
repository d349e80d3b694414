/** The cookie that holds a browser's session: where it counts, and how it is set and taken away. */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { parseCookie, stringifySetCookie } from 'cookie'
import { Secret } from '../base/secret.ts'
import { sessionSeconds } from '../store/sessions.ts'
import { kindOfToken } from './token.ts'

const cookieName = 'boardsync_session'

type CookieRequest = Pick<IncomingMessage, 'headers'> & { method?: string | undefined }

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
export function cookieCounts({ headers, method }: Partial<CookieRequest>): boolean {
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
export function renewedCookie(request: CookieRequest, publicUrl: string | undefined): string | undefined {
  const { headers } = request
  // Where nothing tells that the page is secure the cookie would lose its attribute.
  const isTold = publicUrl !== undefined || headers.origin !== undefined || isLocal(headers.host)
  const token = isTold && cookieCounts(request) ? sessionTokenIn(headers) : undefined
  return token && sessionCookie(token, isSecure(headers, publicUrl))
}

/** Of this machine, where there is no proxy that ends TLS. */
const isLocal = (host = ''): boolean => /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/i.test(host)
