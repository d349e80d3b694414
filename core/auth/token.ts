/** The secrets that this server makes up itself: API keys, tickets and sessions. Each says by its beginning what it is. */
import { createHash, randomBytes } from 'node:crypto'
import { Secret } from '../base/secret.ts'

const prefixes = { key: 'bs_', ticket: 'bst_', session: 'bss_' } as const
export type TokenKind = keyof typeof prefixes

/** Nobody guesses 256 bits, so that a hash without salt keeps them. */
const randomBytesEach = 32
const randomPart = /^[A-Za-z0-9_-]{43}$/

export const createToken = (kind: TokenKind): Secret =>
  new Secret(prefixes[kind] + randomBytes(randomBytesEach).toString('base64url'))

/** Undefined for what this server never made. */
export function kindOfToken(text: string): TokenKind | undefined {
  for (const kind of ['key', 'ticket', 'session'] as const) {
    if (text.startsWith(prefixes[kind]) && randomPart.test(text.slice(prefixes[kind].length))) return kind
  }
  return undefined
}

/** What is stored of a token, and looked up. */
export const hashOfToken = (token: Secret): Buffer => createHash('sha256').update(token.reveal()).digest()
