/** What attacks on tokens are tried first, and what people get wrong. */
import { createHmac } from 'node:crypto'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { releasing } from '../../test/kit/releasing.ts'
import { Secret } from '../base/secret.ts'
import { parseBoardId } from '../contract/board-id.ts'
import type { CredentialSettings } from './issuers.ts'
import { createVerifyJwt } from './jwt.ts'

const secret = 'a secret of more than thirty-two bytes'
const unset = {
  ADMIN_KEY: undefined,
  JWT_SECRET: undefined,
  JWT_JWKS_URL: undefined,
  JWT_ISSUER: undefined,
  JWT_AUDIENCE: undefined,
  open: false,
}
const verifying = (settings: Partial<CredentialSettings>) =>
  createVerifyJwt({ ...unset, ...settings } as CredentialSettings, 'jwt:test')
const seconds = () => Math.floor(Date.now() / 1_000)
const inAMinute = () => seconds() + 60

const bySecret = verifying({ JWT_SECRET: new Secret(secret), JWT_ISSUER: 'our-issuer', JWT_AUDIENCE: 'boardsync' })
const claims = (): JWTPayload => ({
  iss: 'our-issuer',
  aud: 'boardsync',
  sub: 'ann',
  name: 'Ann',
  boards: { b1: 'write', '*': 'read' },
  exp: inAMinute(),
})
const without = (...names: string[]): JWTPayload =>
  Object.fromEntries(Object.entries(claims()).filter(([name]) => !names.includes(name)))
const signed = (payload: JWTPayload, key = secret, alg = 'HS256') =>
  new SignJWT(payload).setProtectedHeader({ alg }).sign(new TextEncoder().encode(key))

describe('a token signed with the secret', () => {
  test('says who it is, on which boards, and until when', async () => {
    const payload = claims()
    const grant = await bySecret(await signed(payload))
    expect(grant).toMatchObject({ subject: 'ann', name: 'Ann', authenticated: true, basis: { issuer: 'jwt:test' } })
    expect(grant.expiresAt).toEqual(new Date((payload.exp ?? 0) * 1_000))
    expect(grant.roleOn(parseBoardId('b1'))).toBe('write')
    expect(grant.roleOn(parseBoardId('b2'))).toBe('read')
  })

  test('counts also where the secret is shorter than is advised', async () => {
    const grant = await verifying({ JWT_SECRET: new Secret('s') })(await signed(claims(), 's'))
    expect(grant.subject).toBe('ann')
  })

  test('that names nobody and no board is of nobody, and for no board', async () => {
    const grant = await bySecret(await signed(without('sub', 'boards')))
    expect(grant).toMatchObject({ authenticated: false })
    expect(grant.roleOn(parseBoardId('b1'))).toBeUndefined()
  })

  test('counts for 5 s more than it says, for clocks differ, and ends then', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    onTestFinished(() => void vi.useRealTimers())
    const exp = seconds() - 4
    const grant = await bySecret(await signed({ ...claims(), exp }))
    expect(grant.expiresAt).toEqual(new Date((exp + 5) * 1_000))
    await expect(bySecret(await signed({ ...claims(), exp: seconds() - 5 }))).rejects.toMatchObject({
      code: 'credential-expired',
    })
  })

  test('that never ends, for all that a calendar holds, is taken', async () => {
    const grant = await bySecret(await signed({ ...claims(), exp: 1e20 }))
    expect(grant.expiresAt?.getUTCFullYear()).toBe(9999)
  })

  test.each(['', null, 7, 'Ann\nEve', 'x'.repeat(201)])(
    'has a name, or one of no use and counts without it: %j',
    async name => {
      expect(await bySecret(await signed({ ...claims(), name }))).toMatchObject({ subject: 'ann', name: undefined })
    },
  )

  test('has a subject as long as OpenID Connect lets it be', async () => {
    const sub = 'x'.repeat(255)
    expect(await bySecret(await signed({ ...claims(), sub }))).toMatchObject({ subject: sub })
  })

  test('says nothing of boards by null', async () => {
    const grant = await bySecret(await signed({ ...claims(), boards: null }))
    expect([...grant.rights]).toEqual([])
  })

  test.each(['owner', '', null, 7, {}, 'constructor'])(
    'gives no right to a board by the role %j, nor by *, and the rest counts',
    async role => {
      const grant = await bySecret(await signed({ ...claims(), boards: { b1: role, b2: 'admin', '*': 'write' } }))
      const rolesOn = ['b1', 'b2', 'b3'].map(board => grant.roleOn(parseBoardId(board)))
      expect(rolesOn).toEqual([undefined, 'admin', 'write'])
      const none = await bySecret(await signed({ ...claims(), boards: { '*': role } }))
      expect(none.roleOn(parseBoardId('b1'))).toBeUndefined()
    },
  )

  test('for several audiences is for ours too', async () => {
    expect(await bySecret(await signed({ ...claims(), aud: ['other', 'boardsync'] }))).toMatchObject({ subject: 'ann' })
  })

  test.each<[string, JWTPayload]>([
    ['never expires', without('exp')],
    ['expires at a time that is none', { ...claims(), exp: 'tomorrow' as never }],
    ['is not valid yet', { ...claims(), nbf: seconds() + 60 }],
    ['is of another issuer', { ...claims(), iss: 'another' }],
    ['is of no issuer', without('iss')],
    ['is for another audience', { ...claims(), aud: 'another' }],
    ['is for no audience', without('aud')],
    ['lists boards without roles', { ...claims(), boards: ['b1'] }],
    ['has a subject that no row can hold', { ...claims(), sub: 'a\u0000b' }],
    ['has a subject longer than any name', { ...claims(), sub: 'x'.repeat(256) }],
  ])('is refused when it %s', async (_name, payload) => {
    await expect(bySecret(await signed(payload))).rejects.toMatchObject({ code: 'credential-invalid' })
  })

  test('of nobody is refused: unsigned, by another secret, by another algorithm, changed or cut', async () => {
    const good = await signed(claims())
    const [head, , signature] = good.split('.')
    const payload = Buffer.from(JSON.stringify({ ...claims(), boards: { '*': 'admin' } })).toString('base64url')
    const none = Buffer.from('{"alg":"none"}').toString('base64url')
    for (const bad of [
      new UnsecuredJWT(claims()).encode(),
      `${none}.${payload}.`,
      `${none}.${payload}.${signature}`,
      await signed(claims(), 'another secret of more than thirty-two bytes'),
      await signed(claims(), secret, 'HS512'),
      `${head}.${payload}.${signature}`,
      good.slice(0, -1),
      'a.b.c',
      '..',
    ]) {
      await expect(bySecret(bad), bad).rejects.toMatchObject({ code: 'credential-invalid' })
    }
  })

  test('shows nothing of itself when it is refused', async () => {
    const token = await signed({ ...claims(), sub: 'hunter2', aud: 'hunter2', boards: { hunter2: 'hunter2' } })
    const error = await bySecret(token).then(
      () => undefined,
      refused => refused,
    )
    expect(`${error}${JSON.stringify(error)}`).not.toMatch(/hunter2/)
    expect(`${error}`).not.toContain(token.split('.')[1])
  })
})

describe('a token signed with a published key', () => {
  const use = releasing(afterAll)
  const served = { keys: [] as object[], asked: 0, status: 200 }
  const pairs = { old: generateKeyPair('RS256'), new: generateKeyPair('ES256') }
  let url: string

  async function serve(listener: RequestListener): Promise<string> {
    const server = createServer(listener)
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    use(server, () => server.close())
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`
  }
  beforeAll(async () => {
    served.keys = [{ ...(await exportJWK((await pairs.old).publicKey)), kid: 'old', alg: 'RS256' }]
    url = await serve((_request, answer) => {
      served.asked += 1
      answer.writeHead(served.status, { 'content-type': 'application/json' }).end(JSON.stringify(served))
    })
  })
  const by = async (name: 'old' | 'new', kid: string = name) =>
    new SignJWT(claims())
      .setProtectedHeader({ alg: name === 'old' ? 'RS256' : 'ES256', kid })
      .sign((await pairs[name]).privateKey)

  test('is taken; another key is refused, and so is one that the public key was made a secret of', async () => {
    const verify = verifying({ JWT_JWKS_URL: url })
    expect(await verify(await by('old'))).toMatchObject({ subject: 'ann' })
    const { privateKey } = await generateKeyPair('RS256')
    const forged = await new SignJWT(claims()).setProtectedHeader({ alg: 'RS256', kid: 'old' }).sign(privateKey)
    const head = Buffer.from('{"alg":"HS256","kid":"old"}').toString('base64url')
    const body = Buffer.from(JSON.stringify(claims())).toString('base64url')
    const publicKey = await exportSPKI((await pairs.old).publicKey)
    const confused = `${head}.${body}.${createHmac('sha256', publicKey).update(`${head}.${body}`).digest('base64url')}`
    for (const bad of [forged, confused]) {
      await expect(verify(bad)).rejects.toMatchObject({ code: 'credential-invalid' })
    }
  })

  test('is no token for a server that has a secret, and the other way round', async () => {
    await expect(bySecret(await by('old'))).rejects.toMatchObject({ code: 'credential-invalid' })
    await expect(verifying({ JWT_JWKS_URL: url })(await signed(claims()))).rejects.toMatchObject({
      code: 'credential-invalid',
    })
  })

  test('of an unknown id has the keys fetched once, and not again for each made-up id', async () => {
    const verify = verifying({ JWT_JWKS_URL: url })
    await verify(await by('old'))
    const before = served.asked
    for (let i = 0; i < 10; i++) {
      await expect(verify(await by('new', `made-up-${i}`))).rejects.toMatchObject({ code: 'credential-invalid' })
    }
    expect(served.asked - before).toBeLessThanOrEqual(1)
  })

  test('cannot be judged while the keys cannot be fetched: that is to be tried again, not given up', async () => {
    served.status = 500
    await expect(verifying({ JWT_JWKS_URL: url })(await by('old'))).rejects.toMatchObject({
      code: 'credential-unverifiable',
    })
    served.status = 200
    const nobody = verifying({ JWT_JWKS_URL: 'http://127.0.0.1:1/keys' })
    await expect(nobody(await by('old'))).rejects.toMatchObject({ code: 'credential-unverifiable' })
    const page = await serve((_request, answer) => answer.end('<html>'))
    await expect(verifying({ JWT_JWKS_URL: page })(await by('old'))).rejects.toMatchObject({
      code: 'credential-unverifiable',
    })
  })
})
