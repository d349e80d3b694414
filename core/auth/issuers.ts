/** The settings that vouch for tickets and sessions, by fingerprint: another key or secret, and all that rests on the old one ends. */
import { createHash, scryptSync } from 'node:crypto'
import type { Config } from '../base/config.ts'

export type CredentialSettings = Pick<
  Config,
  'ADMIN_KEY' | 'JWT_SECRET' | 'JWT_JWKS_URL' | 'JWT_ISSUER' | 'JWT_AUDIENCE' | 'open'
>

export interface Issuers {
  admin: string | undefined
  jwt: string | undefined
  /** Nobody vouches for anybody. */
  open: string | undefined
}

export function issuersOf(settings: CredentialSettings): Issuers {
  const { ADMIN_KEY, JWT_SECRET, JWT_JWKS_URL, JWT_ISSUER, JWT_AUDIENCE, open } = settings
  const trusted = JWT_SECRET?.reveal() ?? JWT_JWKS_URL
  const checked = JSON.stringify([JWT_ISSUER ?? null, JWT_AUDIENCE ?? null])
  return {
    admin: ADMIN_KEY && `admin:${fingerprint(ADMIN_KEY.reveal())}`,
    jwt:
      trusted && `jwt:${fingerprint(trusted)}.${createHash('sha256').update(checked).digest('base64url').slice(0, 8)}`,
    open: open ? 'open' : undefined,
  }
}

/** It stands in rows, and people choose settings: guessing one from its fingerprint has to stay expensive. */
const fingerprint = (setting: string): string => scryptSync(setting, 'boardsync issuer', 12).toString('base64url')
