/** Turns a credential into a grant. The one place that sockets, REST and pages ask. */
import { SyncError } from '../base/errors.ts'
import type { Secret } from '../base/secret.ts'
import { everyBoard } from '../contract/role.ts'
import type { Attempts } from './attempts.ts'
import { type Grant, grantOf, isExpired } from './grant.ts'
import { type CredentialSettings, type Issuers, issuersOf } from './issuers.ts'
import { createVerifyJwt } from './jwt.ts'
import type { StoredCredentials } from './stored-credentials.ts'

/**
 * @param origin of the page that shows it, where one does
 * @param address that it comes from, as limits count it
 * @throws SyncError `credential-missing`, `credential-invalid`, `credential-expired`, `credential-unverifiable`,
 *   `too-many-attempts`; StorageError
 */
export type Authenticate = (
  credential: Secret | undefined,
  origin: string | undefined,
  address: () => string,
) => Promise<Grant>

export function createAuthenticate(
  settings: CredentialSettings,
  stored: Pick<StoredCredentials, 'grantFor'>,
  attempts: Attempts,
  issuers: Issuers = issuersOf(settings),
): Authenticate {
  const everything = new Map([[everyBoard, 'admin']] as const)
  const { open, admin, jwt } = issuers
  if (open !== undefined) {
    const anyone = grantOf({ subject: 'anyone', authenticated: false, rights: everything, basis: { issuer: open } })
    return async () => anyone
  }
  const adminGrant = admin && grantOf({ subject: 'admin', rights: everything, basis: { issuer: admin } })
  const verifyJwt = jwt && createVerifyJwt(settings, jwt)

  return async (credential, origin, address) => {
    if (!credential) throw new SyncError('credential-missing', 'a credential is needed')
    const text = credential.reveal()
    if (adminGrant && settings.ADMIN_KEY?.equals(text)) return adminGrant
    const grant = await attempts.find(
      credential,
      address,
      async () =>
        (await stored.grantFor(credential, origin)) ?? (verifyJwt && isJwt(text) ? await verifyJwt(text) : undefined),
    )
    if (!grant) throw new SyncError('credential-invalid', 'the credential is not valid: unknown, expired or revoked')
    if (isExpired(grant)) throw new SyncError('credential-expired', 'the credential has expired')
    return grant
  }
}

/** Three parts in base64url: all that is worth checking a signature for. */
const isJwt = (text: string): boolean => /^[\w-]+\.[\w-]+\.[\w-]*$/.test(text)
