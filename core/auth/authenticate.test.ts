import { describe, expect, test } from 'vitest'
import { Secret } from '../base/secret.ts'
import { parseBoardId } from '../contract/board-id.ts'
import { Attempts } from './attempts.ts'
import { createAuthenticate } from './authenticate.ts'
import { grantOf } from './grant.ts'
import type { CredentialSettings } from './issuers.ts'
import type { StoredCredentials } from './stored-credentials.ts'

const board = parseBoardId('b1')
const key = 'a-key-of-at-least-16'
const unset = {
  ADMIN_KEY: undefined,
  JWT_SECRET: undefined,
  JWT_JWKS_URL: undefined,
  JWT_ISSUER: undefined,
  JWT_AUDIENCE: undefined,
  open: false,
}
const nothingStored: Pick<StoredCredentials, 'grantFor'> = { grantFor: async () => undefined }
const attempts = new Attempts({ perSecond: 100, burst: 1_000 })
function authenticating(settings: Partial<CredentialSettings>, stored = nothingStored) {
  const authenticate = createAuthenticate({ ...unset, ...settings } as CredentialSettings, stored, attempts)
  return (given: Secret | undefined) => authenticate(given, undefined, () => '10.0.0.1')
}

describe('an open server', () => {
  const authenticate = authenticating({ open: true })

  test.each([undefined, new Secret('anything')])(
    'lets everybody do everything, and takes nobody for anybody',
    async given => {
      const grant = await authenticate(given)
      expect(grant).toMatchObject({ subject: 'anyone', authenticated: false })
      expect(grant.roleOn(board)).toBe('admin')
    },
  )
})

describe('a server with an admin key', () => {
  const authenticate = authenticating({ ADMIN_KEY: new Secret(key) })

  test('grants everything to who shows it', async () => {
    const grant = await authenticate(new Secret(key))
    expect(grant).toMatchObject({ subject: 'admin', authenticated: true })
    expect(grant.roleOn(board)).toBe('admin')
  })

  test('says whether a credential is missing or wrong', async () => {
    await expect(authenticate(undefined)).rejects.toMatchObject({ code: 'credential-missing' })
    for (const wrong of ['', 'wrong', `${key} `, key.toUpperCase(), 'a.b.c']) {
      await expect(authenticate(new Secret(wrong))).rejects.toMatchObject({ code: 'credential-invalid' })
    }
  })
})

test('what has expired grants nothing, also while it is still remembered', async () => {
  const grant = grantOf({ subject: 'key:1', rights: new Map([['*', 'read']]), basis: { key: '1' } })
  const stored = { grantFor: async () => ({ ...grant, expiresAt: new Date(Date.now() - 1) }) }
  const authenticate = authenticating({ ADMIN_KEY: new Secret(key) }, stored)
  await expect(authenticate(new Secret('bs_x'))).rejects.toMatchObject({ code: 'credential-expired' })
})

describe('a grant', () => {
  const roleOn = (rights: [string, 'read' | 'write' | 'admin'][], name: string) =>
    grantOf({ subject: 's', rights: new Map(rights), basis: { issuer: 'test' } }).roleOn(parseBoardId(name))

  test('is for the boards it names, and by * for those it does not name', () => {
    expect(roleOn([['b1', 'read']], 'b1')).toBe('read')
    expect(roleOn([['b1', 'read']], 'b2')).toBeUndefined()
    const both = [['*', 'write'] as const, ['b1', 'read'] as const]
    expect(roleOn([...both] as never, 'b1')).toBe('read')
    expect(roleOn([...both] as never, 'b2')).toBe('write')
  })

  test.each(['constructor', '__proto__', 'toString'])(
    'is not for a board called %s because objects have such',
    name => {
      expect(roleOn([['b1', 'admin']], name)).toBeUndefined()
    },
  )
})
