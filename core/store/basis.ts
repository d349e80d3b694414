/** What tickets and sessions rest on, as their rows say it: whose they are, and with which credential they end. */

export interface Basis {
  subject: string
  authenticated: boolean
  name: string | undefined
  /** The id of an API key; or else `issuer`. */
  key: string | undefined
  /** The fingerprint of the setting that vouches for it. */
  issuer: string | undefined
  /** When the credential expires, if ever. */
  endsAt: Date | undefined
}

export interface BasisRow {
  subject: string
  authenticated: boolean
  name: string | null
  key_id: string | null
  issuer: string | null
  ends_at: Date | null
}

export const basisOf = (row: BasisRow): Basis => ({
  subject: row.subject,
  authenticated: row.authenticated,
  name: row.name ?? undefined,
  key: row.key_id ?? undefined,
  issuer: row.issuer ?? undefined,
  endsAt: row.ends_at ?? undefined,
})

/** SQL: the row of `table` rests on no key, or on one that still holds. */
export const livingKey = (table: 'tickets' | 'sessions'): string =>
  `(${table}.key_id IS NULL OR EXISTS (SELECT FROM boardsync.api_keys
     WHERE id = ${table}.key_id AND revoked_at IS NULL AND (api_keys.expires_at IS NULL OR api_keys.expires_at > now())))`
