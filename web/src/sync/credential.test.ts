import { describe, expect, it } from 'vitest'
import { handshakeOf, lifetimeOf } from './credential.ts'

const jwt = (payload: object) =>
  ['{"alg":"HS256"}', JSON.stringify(payload), 'signature']
    .map(part => btoa(part).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', ''))
    .join('.')

const offered = ['boardsync', 'boardsync.deflate']

describe('a token travels', () => {
  it.each(['bs_Ab-9_', jwt({ sub: 'me' })])('as a subprotocol: %s', token => {
    expect(handshakeOf(token)).toEqual({ params: {}, protocols: ['boardsync', `bearer.${token}`, 'boardsync.deflate'] })
  })

  it.each(['a b', 'a/b', 'ä', 'x='])('in the query where it cannot be one: %s', token => {
    expect(handshakeOf(token)).toEqual({ params: { token }, protocols: offered })
  })

  it.each(['', null, undefined])('not at all when there is none: %s', token => {
    expect(handshakeOf(token)).toEqual({ params: {}, protocols: offered })
  })
})

describe('how long a token holds', () => {
  it('a JWT says itself', () => {
    const lifetime = { issued: 1_700_000_000_000, expires: 1_800_000_000_000 }
    expect(lifetimeOf(jwt({ iat: 1_700_000_000, exp: 1_800_000_000, name: '??>>~~' }))).toEqual(lifetime)
    expect(lifetimeOf(jwt({ exp: 1_800_000_000 }))).toEqual({ ...lifetime, issued: undefined })
  })

  it.each([jwt({}), jwt({ exp: 'soon' }), 'bs_key', 'a.b.c', '', undefined])('others do not: %s', token => {
    expect(lifetimeOf(token)).toBeUndefined()
  })
})
