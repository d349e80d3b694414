/** Where a request carries its credential, in the order of the contract: the first one found counts. */
import type { IncomingMessage } from 'node:http'
import { Secret } from '../base/secret.ts'
import { cookieCounts, sessionTokenIn } from './session-cookie.ts'

/** The subprotocol that our own clients offer beside `bearer.<token>`. */
export const ourSubprotocol = 'boardsync'
const bearerSubprotocol = 'bearer.'

/** @param request an upgrade or an HTTP request; only what stands before its body is read */
export function credentialOf(
  request: Pick<IncomingMessage, 'headers'> & Partial<Pick<IncomingMessage, 'url' | 'method'>>,
): Secret | undefined {
  const { headers } = request
  const query = queryOf(request.url ?? '')
  // An empty one is none: it does not hide the next.
  const token =
    /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1] ||
    [headers['x-api-key']].flat()[0] ||
    subprotocolsOf(request)
      .find(name => name.startsWith(bearerSubprotocol))
      ?.slice(bearerSubprotocol.length) ||
    query.get('token') ||
    query.get('apiKey')
  if (token) return new Secret(token)
  return cookieCounts(request) ? sessionTokenIn(headers) : undefined
}

/** Parses the query alone: a path may be anything, also what no URL can hold. */
function queryOf(url: string): URLSearchParams {
  const start = url.indexOf('?')
  return new URLSearchParams(start === -1 ? '' : url.slice(start + 1))
}

export const subprotocolsOf = (request: Pick<IncomingMessage, 'headers'>): string[] =>
  (request.headers['sec-websocket-protocol'] ?? '').split(',').map(name => name.trim())
