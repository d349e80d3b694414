/** Who may use the API, from where. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { releasing } from '../kit/releasing.ts'
import { Site } from '../kit/site.ts'
import { refusalOf } from './refusals.ts'

const use = releasing(afterAll)
let site: Site
beforeAll(async () => {
  site = use(await Site.start())
  await site.ask('POST', '/v1/boards/bad/items', { type: 'sticky', id: 'a', x: 1 })
})

const items = '/v1/boards/bad/items'

describe('who may not', () => {
  let locked: Site
  const key = 'an admin key of some length'
  beforeAll(async () => {
    locked = use(await Site.start({ storage: site.storage, applies: false, settings: { ADMIN_KEY: key } }))
  })

  test('without a credential is asked for one, before anything else is looked at', async () => {
    for (const [method, url] of [
      ['GET', items],
      ['POST', items],
      ['PUT', items],
      ['GET', '/v1/boards/a.b/items'],
    ] as const) {
      const answer = await locked.ask(method, url)
      expect([refusalOf(answer), answer.headers['www-authenticate']]).toEqual(['401 credential-missing', 'Bearer'])
    }
    expect((await locked.ask('GET', '/v1/problems/internal')).statusCode).toBe(200)
  })

  test('with a wrong credential is told so', async () => {
    for (const headers of [{ authorization: 'Bearer wrong' }, { 'x-api-key': 'wrong' }]) {
      const answer = await locked.ask('GET', items, undefined, headers as Record<string, string>)
      expect(refusalOf(answer)).toBe('401 credential-invalid')
      expect(answer.headers['www-authenticate']).toMatch(/^Bearer/)
    }
  })

  test('with the right one may, but not with it in the address', async () => {
    for (const headers of [{ authorization: `bearer ${key}` }, { 'x-api-key': key }]) {
      // The scheme's value is one word; a key with spaces is for X-API-Key only.
      const status = (await locked.ask('GET', items, undefined, headers as Record<string, string>)).statusCode
      expect(status).toBe('x-api-key' in headers ? 200 : 401)
    }
    const answer = await locked.ask('GET', `/v1/boards/bad/items/a?token=${encodeURIComponent(key)}`)
    expect(refusalOf(answer)).toBe('401 credential-missing')
  })

  test('comes from a page elsewhere, or by another name of an open server, is refused', async () => {
    const foreign = await site.ask('GET', items, undefined, { origin: 'https://evil.example' })
    expect(refusalOf(foreign)).toBe('403 forbidden')
    expect(refusalOf(await site.ask('GET', items, undefined, { host: 'evil.example' }))).toBe('421 misdirected')
    expect(refusalOf(await site.ask('GET', '/nothing', undefined, { host: 'evil.example' }))).toBe('421 misdirected')
    expect(
      (await site.ask('GET', items, undefined, { host: 'localhost:8080', origin: 'http://localhost:8080' })).statusCode,
    ).toBe(200)
  })
})
