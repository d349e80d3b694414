/** The credential of a connection: where it comes from, how it is carried, and when it runs out. */
import { deflateSubprotocol } from '../../../core/contract/deflated.ts'

export type Token = string | null | undefined

/** A function is asked again before each connection, and before the token it gave expires. */
export type TokenSource = Token | (() => Token | Promise<Token>)

/** What y-websocket takes to open a socket. */
export interface Handshake {
  params: Record<string, string>
  protocols: string[]
}

/** What the server picks; beside it, that this page takes deflated messages. */
const offered = ['boardsync', deflateSubprotocol]

/**
 * As a subprotocol, which no proxy writes into its log, where the token may stand in one (RFC 6455 wants an RFC 7230
 * `token`; every JWT and every key of ours is one). Else in the query of the socket's address, never of a page's.
 */
export function handshakeOf(token: Token): Handshake {
  if (!token) return { params: {}, protocols: offered }
  if (/^[\w!#$%&'*+.^`|~-]+$/.test(token))
    return { params: {}, protocols: ['boardsync', `bearer.${token}`, deflateSubprotocol] }
  return { params: { token }, protocols: offered }
}

/** Milliseconds since 1970, by the clock of who issued the token. */
export interface Lifetime {
  issued: number | undefined
  expires: number
}

/** What a JWT says of itself; undefined for a token that does not tell. */
export function lifetimeOf(token: Token): Lifetime | undefined {
  const [, payload, signature] = token?.split('.') ?? []
  if (!payload || signature === undefined) return undefined
  try {
    const { iat, exp } = JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/'))) as Record<string, unknown>
    if (typeof exp !== 'number') return undefined
    return { issued: typeof iat === 'number' ? iat * 1000 : undefined, expires: exp * 1000 }
  } catch {
    // Three parts, but no JWT: the server knows what it is.
    return undefined
  }
}
