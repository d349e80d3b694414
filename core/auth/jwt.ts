/** JSON Web Tokens (RFC 7519) → grants. Which algorithms count is pinned here; what the token's header says only has to fit. */
import { createRemoteJWKSet, errors, type JWTVerifyOptions, type JWTVerifyResult, jwtVerify } from 'jose'
import { z } from 'zod'
import { SyncError } from '../base/errors.ts'
import { roles } from '../contract/role.ts'
import { type Grant, grantOf } from './grant.ts'
import type { CredentialSettings } from './issuers.ts'

/** Clocks differ by so much. */
const leewaySeconds = 5
/** What a date of a database can hold; a token that expires later does not expire. */
const latestMs = Date.UTC(9999, 0)
/** A key id that the fetched keys lack has them fetched again, this seldom: anybody can make up key ids. */
const refetchAfterMs = 30_000
const fetchTimeoutMs = 3_000

/** By a shared secret or by published keys, never by what the token chooses: else a public key would pass as a secret. */
const secretAlgorithms = ['HS256']
const publicKeyAlgorithms = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
]

/**
 * What goes into rows and frames is printable, and of a reasonable length: a subject as long as OpenID Connect has it, and a
 * name that is not usable is none. `boards` is read as entries: a board may be named like something that every object has.
 */
const claimsSchema = z.object({
  exp: z.number(),
  sub: z
    .string()
    .regex(/^\P{Cc}{1,255}$/u, 'must have 1 to 255 printable characters')
    .optional(),
  name: z
    .string()
    .regex(/^\P{Cc}{1,200}$/u)
    .optional()
    .catch(undefined),
  boards: z
    .custom<object>(value => typeof value === 'object' && value !== null && !Array.isArray(value), 'must be an object')
    .nullish()
    .transform(boards => Object.entries(boards ?? {}))
    // A role that there is not is none. The board keeps its entry: what `*` says is not for it.
    .pipe(z.array(z.tuple([z.string(), z.enum(roles).nullable().catch(null)]))),
})

/** @throws SyncError `credential-invalid`, `credential-expired`, `credential-unverifiable` */
export type VerifyJwt = (token: string) => Promise<Grant>

/** @param issuer the fingerprint of these settings */
export function createVerifyJwt(settings: CredentialSettings, issuer: string): VerifyJwt {
  const verify = signatureCheck(settings)
  return async token => {
    const { payload } = await verify(token).catch(error => {
      throw failureOf(error)
    })
    const claims = claimsSchema.safeParse(payload)
    if (!claims.success) {
      const faults = claims.error.issues.map(({ path, message }) => `${String(path[0])}: ${message}`)
      throw new SyncError('credential-invalid', `the token's claims cannot be used: ${faults.join('; ')}`)
    }
    const { sub, name, boards, exp } = claims.data
    return grantOf({
      subject: sub ?? 'anyone',
      authenticated: sub !== undefined,
      name,
      rights: new Map(boards),
      basis: { issuer },
      expiresAt: endOf(exp),
    })
  }
}

/** The leeway is for the moment of looking at it: who is let in within it stays for the rest of it. */
function endOf(exp: number): Date {
  const at = Math.min(exp * 1_000, latestMs)
  return new Date(at > Date.now() ? at : at + leewaySeconds * 1_000)
}

function signatureCheck(settings: CredentialSettings): (token: string) => Promise<JWTVerifyResult> {
  const { JWT_SECRET, JWT_JWKS_URL, JWT_ISSUER, JWT_AUDIENCE } = settings
  const options: JWTVerifyOptions = {
    clockTolerance: leewaySeconds,
    requiredClaims: ['exp'],
    ...(JWT_ISSUER === undefined ? {} : { issuer: JWT_ISSUER }),
    ...(JWT_AUDIENCE === undefined ? {} : { audience: JWT_AUDIENCE }),
  }
  if (JWT_JWKS_URL !== undefined) {
    const keys = createRemoteJWKSet(new URL(JWT_JWKS_URL), {
      cooldownDuration: refetchAfterMs,
      timeoutDuration: fetchTimeoutMs,
    })
    return token => jwtVerify(token, keys, { ...options, algorithms: publicKeyAlgorithms })
  }
  const secret = new TextEncoder().encode(JWT_SECRET?.reveal())
  return token => jwtVerify(token, secret, { ...options, algorithms: secretAlgorithms })
}

function failureOf(error: unknown): SyncError {
  if (error instanceof errors.JWTExpired) return new SyncError('credential-expired', 'the token has expired')
  const unreachable = !(error instanceof errors.JOSEError) || isOfKeySet(error)
  return unreachable
    ? new SyncError('credential-unverifiable', 'the keys that tokens are signed with cannot be fetched; try again', {
        cause: error,
      })
    : new SyncError('credential-invalid', `the credential is not valid: ${error.message}`)
}

/** Not the token's fault: the key set could not be read. jose's plain `JOSEError` is an answer other than 200. */
const isOfKeySet = (error: errors.JOSEError): boolean =>
  error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid || error.code === 'ERR_JOSE_GENERIC'
