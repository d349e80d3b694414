/** What is checked before any credential: does this request come to our own address, from a page we allow? */
import type { IncomingMessage } from 'node:http'
import type { Config } from '../base/config.ts'

/** Why a request is refused: HTTP status and the reason as text. */
export interface Refusal {
  status: 403 | 421
  reason: string
}

export type RequestGuard = (request: Pick<IncomingMessage, 'headers'>) => Refusal | undefined

/** The host names under which an open server answers: a page elsewhere that names this machine by DNS does not get in. */
const openHosts: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]'])

export function createRequestGuard(
  config: Pick<Config, 'open' | 'HOST' | 'ALLOWED_ORIGINS' | 'PUBLIC_URL'>,
): RequestGuard {
  const allowed = new Set(config.ALLOWED_ORIGINS)
  const publicOrigin = config.PUBLIC_URL === undefined ? undefined : new URL(config.PUBLIC_URL).origin
  // Beside them the address that it was told to listen at: 127.0.0.2 is no name that DNS could give to somebody else.
  const answersTo = (name: string) => openHosts.has(name) || name === config.HOST
  return ({ headers }) => {
    const host = (headers.host ?? '').toLowerCase()
    if (config.open && !answersTo(hostName(host))) {
      return { status: 421, reason: 'without a credential setting this server answers to localhost only' }
    }
    const { origin } = headers
    if (origin === undefined || allowed.has(origin)) return undefined
    // Behind a proxy that ends TLS the page's origin is https while we speak http: only the host is ours to compare.
    const own = publicOrigin === undefined ? hostOf(origin) === host : origin === publicOrigin
    return own ? undefined : { status: 403, reason: `pages of ${origin} are not allowed here; see ALLOWED_ORIGINS` }
  }
}

const hostOf = (origin: string): string | undefined => (URL.canParse(origin) ? new URL(origin).host : undefined)

/** A Host header (in lower case) without its port; an IPv6 address keeps its brackets. */
const hostName = (host: string): string => host.replace(/:\d+$/, '')
