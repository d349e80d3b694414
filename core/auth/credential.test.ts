import { describe, expect, test } from 'vitest'
import { credentialOf, subprotocolsOf } from './credential.ts'

/** Every place that may hold a credential, first the one that counts first. */
const places = [
  { headers: { authorization: 'Bearer from-authorization' } },
  { headers: { 'x-api-key': 'from-x-api-key' } },
  { headers: { 'sec-websocket-protocol': 'boardsync, bearer.from-subprotocol' } },
  { url: '/b1?token=from-token' },
  { url: '/b1?apiKey=from-api-key' },
]
const names = ['from-authorization', 'from-x-api-key', 'from-subprotocol', 'from-token', 'from-api-key']

const tokenOf = (request: { headers?: Record<string, string>; url?: string }) =>
  credentialOf({ headers: request.headers ?? {}, url: request.url })?.reveal()

describe('a credential', () => {
  test.each(names.map((name, index) => [name, index] as const))(
    '%s counts before all that come after it',
    (name, index) => {
      const from = places.slice(index)
      const headers = Object.assign({}, ...from.map(place => place.headers ?? {}))
      const query = from.flatMap(place => place.url?.slice('/b1?'.length) ?? []).reverse()
      expect(tokenOf({ headers, url: `/b1?${query.join('&')}` })).toBe(name)
      expect(tokenOf(places[index] ?? {})).toBe(name)
    },
  )

  test('that is empty is none, and hides none that comes after it', () => {
    const headers = { authorization: 'Bearer ', 'x-api-key': '', 'sec-websocket-protocol': 'boardsync, bearer.' }
    expect(tokenOf({ headers, url: '/b1?token=&apiKey=from-api-key' })).toBe('from-api-key')
    expect(tokenOf({ headers, url: '/b1?token=' })).toBeUndefined()
  })

  test('of another scheme is none of ours', () => {
    expect(tokenOf({ headers: { authorization: 'Basic YTpi' } })).toBeUndefined()
    expect(tokenOf({ headers: { authorization: 'Basic YTpi' }, url: '/?token=t' })).toBe('t')
    expect(tokenOf({ headers: { authorization: 'bearer  t' } })).toBe('t')
  })

  test('is decoded where it stands in the query', () => {
    expect(tokenOf({ url: '/b1?x=1&token=a%2Bb%3D%20c' })).toBe('a+b= c')
  })

  test.each(['//', '///?a', 'http://', '*', '', '/%', '/?%', '?token'])('is not looked for in vain at %j', url => {
    expect(tokenOf({ url })).toBeUndefined()
  })

  test('is found whatever the path is', () => {
    expect(tokenOf({ url: '//?token=t' })).toBe('t')
    expect(credentialOf({ headers: {}, url: undefined })).toBeUndefined()
  })

  test('never shows itself', () => {
    expect(`${credentialOf({ headers: { 'x-api-key': 'hunter2' }, url: '/' })}`).toBe('[redacted]')
  })
})

test('subprotocols are a list, with or without spaces', () => {
  expect(subprotocolsOf({ headers: { 'sec-websocket-protocol': 'boardsync,bearer.a , other' } })).toEqual([
    'boardsync',
    'bearer.a',
    'other',
  ])
})
