/** What a credential allows, and what that right rests on. */
import type { BoardId } from '../contract/board-id.ts'
import { type Rights, type Role, roleIn } from '../contract/role.ts'

export interface Grant {
  /** Who it is, as log rows name them. */
  subject: string
  /** False where nobody has shown who they are: in open mode, and by a token that names no subject. */
  authenticated: boolean
  /** As others should read it, where the credential says so. */
  name: string | undefined
  rights: Rights
  /** The role on a board; undefined: none, and the board might as well not exist. */
  roleOn(board: BoardId): Role | undefined
  basis: GrantBasis
  /** From then on it allows nothing. */
  expiresAt: Date | undefined
}

/** What has to hold for the grant to hold: an API key that is not revoked, or a setting that is as it was. */
export type GrantBasis = ({ key: string } | { issuer: string }) & {
  /** The session that stands between, by the hash of its token (hexadecimal). */
  session?: string
}

/** @param given `expiresAt`, `name`: none; without `authenticated` the subject has shown who it is */
export function grantOf(
  given: Pick<Grant, 'subject' | 'rights' | 'basis'> & Partial<Pick<Grant, 'authenticated' | 'name' | 'expiresAt'>>,
): Grant {
  return {
    authenticated: true,
    name: undefined,
    expiresAt: undefined,
    ...given,
    roleOn: board => roleIn(given.rights, board),
  }
}

export const isExpired = ({ expiresAt }: Pick<Grant, 'expiresAt'>): boolean =>
  expiresAt !== undefined && expiresAt.getTime() <= Date.now()
