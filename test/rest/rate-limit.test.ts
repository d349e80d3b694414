/** How many requests a credential may make. */

import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import type { Authenticate } from '../../core/auth/authenticate.ts'
import { grantOf } from '../../core/auth/grant.ts'
import { releasing } from '../kit/releasing.ts'
import { Site } from '../kit/site.ts'
import { type Answer, refusalOf } from './refusals.ts'

const use = releasing(afterAll)
let site: Site
/** Whoever says a name is that one; without a name it is anybody. */
const byName: Authenticate = async credential =>
  grantOf({
    subject: credential?.reveal() ?? 'anybody',
    authenticated: credential !== undefined,
    rights: new Map([['*', 'admin']]),
    basis: { issuer: 'test' },
  })
beforeAll(async () => {
  const settings = { RATE_REST: '1/s burst 3', TRUST_PROXY: '1' }
  site = use(await Site.start({ authenticate: byName, settings }))
})
// However long the requests take, no time passes by this clock.
beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }))
afterEach(() => void vi.useRealTimers())

const as = (headers: Record<string, string>) => site.ask('GET', '/v1/boards', undefined, headers)
const left = ({ headers }: Answer) => Number(headers['ratelimit-remaining'])

test('a credential may make a burst of requests, is then told when to come back, and may then go on', async () => {
  const answers = [await as({ 'x-api-key': 'ann' }), await as({ 'x-api-key': 'ann' }), await as({ 'x-api-key': 'ann' })]
  expect(answers.map(answer => answer.statusCode)).toEqual([200, 200, 200])
  expect(answers.map(left)).toEqual([2, 1, 0])
  expect(answers[0]?.headers).toMatchObject({ 'ratelimit-limit': '3', 'ratelimit-policy': '3;w=3' })
  expect(answers[2]?.headers['ratelimit-reset']).toBe('3')

  const refused = await as({ 'x-api-key': 'ann' })
  expect(refusalOf(refused)).toBe('429 rate-limited')
  expect([refused.headers['retry-after'], left(refused)]).toEqual(['1', 0])
  vi.advanceTimersByTime(1_000)
  expect((await as({ 'x-api-key': 'ann' })).statusCode).toBe(200)
})

test('the others are not concerned, whatever they are refused', async () => {
  for (let n = 0; n < 4; n++) await as({ 'x-api-key': 'greedy' })
  expect((await as({ 'x-api-key': 'modest' })).statusCode).toBe(200)
  const missing = await site.ask('GET', '/v1/boards/none', undefined, { 'x-api-key': 'other' })
  expect([refusalOf(missing), left(missing)]).toEqual(['404 board-missing', 2])
})

test('where nobody shows who they are it is their address that counts, as the trusted proxy tells it', async () => {
  for (let n = 0; n < 4; n++) await as({ 'x-forwarded-for': `10.0.0.${n}, 1.1.1.1` })
  expect((await as({ 'x-forwarded-for': '1.1.1.1' })).statusCode).toBe(429)
  expect((await as({ 'x-forwarded-for': '1.1.1.1, 2.2.2.2' })).statusCode).toBe(200)
})

test('of IPv6 it is the network of one customer that counts', async () => {
  for (let n = 0; n < 4; n++) await as({ 'x-forwarded-for': `2001:db8:0:1::${n}` })
  expect((await as({ 'x-forwarded-for': '2001:db8:0:1:ffff::' })).statusCode).toBe(429)
  expect((await as({ 'x-forwarded-for': '2001:db8:0:2::' })).statusCode).toBe(200)
})
