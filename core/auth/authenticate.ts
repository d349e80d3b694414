/** Turns a credential into a grant. The one place that sockets, REST and pages ask. */
import type { Config } from '../base/config.ts'
import { SyncError } from '../base/errors.ts'
import type { Secret } from '../base/secret.ts'
import type { BoardId } from '../contract/board-id.ts'

/** `read` sees, `write` edits too, `admin` manages too. */
export type Role = 'read' | 'write' | 'admin'

/** What a credential allows. */
export interface Grant {
  /** Who it is, as log rows name them. */
  subject: string
  /** False in open mode, where nobody has shown who they are. */
  authenticated: boolean
  /** The role on a board; undefined: none, and the board might as well not exist. */
  roleOn(board: BoardId): Role | undefined
  /** The only boards it can have a role on; absent: there may be any number. */
  boards?: readonly BoardId[]
}

/** @throws SyncError `credential-missing` or `credential-invalid` */
export type Authenticate = (credential: Secret | undefined) => Promise<Grant>

export function createAuthenticate(config: Pick<Config, 'ADMIN_KEY' | 'open'>): Authenticate {
  const anyone: Grant = { subject: 'anyone', authenticated: false, roleOn: () => 'admin' }
  const admin: Grant = { subject: 'admin', authenticated: true, roleOn: () => 'admin' }
  return async credential => {
    if (config.open) return anyone
    if (!credential) throw new SyncError('credential-missing', 'a credential is needed')
    if (config.ADMIN_KEY?.equals(credential.reveal())) return admin
    throw new SyncError('credential-invalid', 'the credential is not valid')
  }
}

export const mayWrite = (role: Role): boolean => role !== 'read'
