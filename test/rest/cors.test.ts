/** Pages of other origins: those of ALLOWED_ORIGINS may use the API, the rest is refused. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { releasing } from '../kit/releasing.ts'
import { Site } from '../kit/site.ts'
import { refusalOf } from './refusals.ts'

const use = releasing(afterAll)
const allowed = 'https://app.example'
let site: Site
beforeAll(async () => {
  const settings = { ALLOWED_ORIGINS: `https://other.example,${allowed}`, ADMIN_KEY: 'a-key-for-tests-0123456789' }
  site = use(await Site.start({ settings }))
})

const key = { 'x-api-key': 'a-key-for-tests-0123456789' }
const preflight = { 'access-control-request-method': 'PATCH', 'access-control-request-headers': 'x-api-key,if-match' }

describe('a page of an allowed origin', () => {
  test('is told before it asks that it may, without a credential', async () => {
    for (const url of ['/v1/boards', '/v1/boards/b/items/a', '/v1/nothing']) {
      const answer = await site.ask('OPTIONS', url, undefined, { origin: allowed, ...preflight })
      expect([answer.statusCode, answer.body]).toEqual([204, ''])
      expect(answer.headers).toMatchObject({
        'access-control-allow-origin': allowed,
        'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
        'access-control-allow-headers': 'x-api-key,if-match',
      })
    }
  })

  test('may read answers, also refusals, and the headers that matter', async () => {
    const answers = [
      await site.ask('POST', '/v1/boards', { id: 'made' }, { origin: allowed, ...key }),
      await site.ask('GET', '/v1/boards/none', undefined, { origin: allowed, ...key }),
      await site.ask('GET', '/v1/boards', undefined, { origin: allowed }),
      await site.ask('GET', '/v1/nothing', undefined, { origin: allowed }),
      await site.ask('POST', '/v1/boards', '{', { origin: allowed, ...key }),
    ]
    expect(answers.map(answer => answer.statusCode)).toEqual([201, 404, 401, 404, 400])
    for (const { headers } of answers) {
      expect(headers['access-control-allow-origin']).toBe(allowed)
      expect(headers.vary).toContain('Origin')
      const exposed = String(headers['access-control-expose-headers']).split(', ')
      expect(exposed).toEqual(expect.arrayContaining(['ETag', 'Location', 'RateLimit-Remaining', 'Retry-After']))
    }
  })

  test('asks with OPTIONS alone what any other caller would be told', async () => {
    const answer = await site.ask('OPTIONS', '/v1/boards', undefined, { origin: allowed, ...key })
    expect(refusalOf(answer)).toBe('405 method-not-allowed')
  })
})

test('a page of another origin is refused, preflight included', async () => {
  for (const origin of ['https://app.example.evil', 'https://APP.example', 'http://app.example', 'null']) {
    for (const method of ['OPTIONS', 'GET'] as const) {
      const answer = await site.ask(method, '/v1/boards', undefined, { origin, ...preflight, ...key })
      expect(refusalOf(answer)).toBe('403 forbidden')
      expect(answer.headers['access-control-allow-origin']).toBeUndefined()
    }
  }
})

test('without the setting no answer speaks of origins', async () => {
  const own = use(await Site.start({ storage: site.storage, applies: false }))
  const answer = await own.ask('GET', '/v1/boards', undefined, { origin: 'http://localhost' })
  expect([answer.statusCode, answer.headers['access-control-allow-origin']]).toEqual([200, undefined])
})
