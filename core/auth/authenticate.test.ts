import { describe, expect, test } from 'vitest'
import { Secret } from '../base/secret.ts'
import { parseBoardId } from '../contract/board-id.ts'
import { createAuthenticate, mayWrite } from './authenticate.ts'

const board = parseBoardId('b1')
const key = 'a-key-of-at-least-16'

describe('an open server', () => {
  const authenticate = createAuthenticate({ ADMIN_KEY: undefined, open: true })

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
  const authenticate = createAuthenticate({ ADMIN_KEY: new Secret(key), open: false })

  test('grants everything to who shows it', async () => {
    const grant = await authenticate(new Secret(key))
    expect(grant).toMatchObject({ subject: 'admin', authenticated: true })
    expect(grant.roleOn(board)).toBe('admin')
  })

  test('says whether a credential is missing or wrong', async () => {
    await expect(authenticate(undefined)).rejects.toMatchObject({ code: 'credential-missing' })
    for (const wrong of ['', 'wrong', `${key} `, key.toUpperCase()]) {
      await expect(authenticate(new Secret(wrong))).rejects.toMatchObject({ code: 'credential-invalid' })
    }
  })
})

test('readers alone may not write', () => {
  expect((['read', 'write', 'admin'] as const).map(mayWrite)).toEqual([false, true, true])
})
