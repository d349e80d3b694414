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
