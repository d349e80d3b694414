/** What a ticket or a session that somebody asks for rests on: what their own right rests on. */
import type { Grant } from '../core/auth/grant.ts'
import type { Basis } from '../core/store/basis.ts'

export const restingOn = ({ subject, authenticated, name, basis, expiresAt }: Grant): Basis => ({
  subject,
  authenticated,
  name,
  key: 'key' in basis ? basis.key : undefined,
  issuer: 'issuer' in basis ? basis.issuer : undefined,
  endsAt: expiresAt,
})

/** A name for what has no id: enough of its hash to tell it from others, from which nobody guesses anything. */
export const shortNameOf = (hash: Buffer): string => hash.toString('hex', 0, 8)
