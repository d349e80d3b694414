import { describe, expect, test } from 'vitest'
import { credentialOf } from './credential.ts'
import { noSessionCookie, renewedCookie, sessionCookie } from './session-cookie.ts'
import { createToken } from './token.ts'

const token = createToken('session')
const cookie = `other=1; boardsync_session=${token.reveal()}; more=2`
const origin = 'https://app.example'
const found = (headers: Record<string, string>, method = 'GET') =>
  credentialOf({ headers: { cookie, ...headers }, method, url: '/b1' })?.reveal()

describe('the cookie', () => {
  test('is the last place that is looked at', () => {
    expect(found({ origin, authorization: 'Bearer a' })).toBe('a')
    expect(found({ origin, 'x-api-key': 'b' })).toBe('b')
    expect(found({ origin, 'sec-websocket-protocol': 'bearer.c' })).toBe('c')
    expect(credentialOf({ headers: { cookie, origin }, url: '/b1?apiKey=d' })?.reveal()).toBe('d')
    expect(found({ origin })).toBe(token.reveal())
  })

  test.each<[string, Record<string, string>, string, boolean]>([
    ['a socket of a page', { upgrade: 'websocket', origin }, 'GET', true],
    ['a socket that names no page', { upgrade: 'websocket' }, 'GET', false],
    [
      'a socket that only claims to be of our page',
      { upgrade: 'websocket', 'sec-fetch-site': 'same-origin' },
      'GET',
      false,
    ],
    ['what a page of ours reads', { 'sec-fetch-site': 'same-origin' }, 'GET', true],
    ['what somebody types into the address bar', { 'sec-fetch-site': 'none' }, 'GET', true],
    ['what an old browser reads', {}, 'GET', true],
    ['what an old browser looks up', {}, 'HEAD', true],
    ['a picture on a page of the same site', { 'sec-fetch-site': 'same-site' }, 'GET', false],
    ['a picture on a page of another site', { 'sec-fetch-site': 'cross-site' }, 'GET', false],
    ['what a page of ours writes', { 'sec-fetch-site': 'same-origin' }, 'POST', true],
    ['a write that names no page', {}, 'DELETE', false],
    ['a write that claims to be typed in', { 'sec-fetch-site': 'none' }, 'POST', false],
  ])('for %s counts as it should', (_name, headers, method, counts) => {
    expect(found(headers, method)).toBe(counts ? token.reveal() : undefined)
  })

  test.each([
    '',
    'boardsync_session=',
    'boardsync_session=bs_x',
    `boardsync_session=${createToken('key').reveal()}`,
    '%',
  ])('holds sessions only, not %s', other => {
    expect(credentialOf({ headers: { cookie: other, origin } })).toBeUndefined()
  })

  test('is for this server alone, and kept from scripts and other sites', () => {
    expect(sessionCookie(token, true)).toBe(
      `boardsync_session=${token.reveal()}; Max-Age=43200; Path=/; HttpOnly; Secure; SameSite=Strict`,
    )
    expect(noSessionCookie(false)).toBe('boardsync_session=; Max-Age=0; Path=/; HttpOnly; SameSite=Strict')
  })

  const renewed = (headers: Record<string, string>, publicUrl?: string, method = 'GET') =>
    renewedCookie({ headers: { cookie, ...headers }, method }, publicUrl)

  test('is set anew where a page uses it, and stays secure', () => {
    expect(renewed({ origin })).toBe(sessionCookie(token, true))
    expect(renewed({ origin: 'http://localhost' }, 'https://boards.example')).toBe(sessionCookie(token, true))
    expect(renewed({ origin: 'http://localhost' })).toBe(sessionCookie(token, false))
    expect(renewed({ origin, cookie: '' })).toBeUndefined()
  })

  test('is set anew also by what a page of ours only reads, for which browsers name no origin', () => {
    const site = { 'sec-fetch-site': 'same-origin' }
    expect(renewed(site, 'https://boards.example')).toBe(sessionCookie(token, true))
    expect(renewed({ host: 'localhost:8080', ...site })).toBe(sessionCookie(token, false))
    // Whether a proxy ended TLS nobody knows.
    expect(renewed({ host: '10.0.0.7', ...site })).toBeUndefined()
    expect(renewed({ host: 'localhost:8080', 'sec-fetch-site': 'cross-site' })).toBeUndefined()
  })
})
