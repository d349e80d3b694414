import { describe, expect, test } from 'vitest'
import { createRequestGuard } from './request-guard.ts'

const closed = { open: false, HOST: '127.0.0.1', ALLOWED_ORIGINS: [], PUBLIC_URL: undefined }
const open = { ...closed, open: true }

describe('an open server', () => {
  const guard = createRequestGuard(open)
  const statusFor = (host: string | undefined) =>
    guard({ headers: { ...(host === undefined ? {} : { host }) } })?.status

  test.each(['localhost', 'localhost:8080', 'LocalHost:8080', '127.0.0.1', '127.0.0.1:1', '[::1]', '[::1]:8080'])(
    'answers to %s',
    host => {
      expect(statusFor(host)).toBeUndefined()
    },
  )

  test.each([
    'evil.example',
    'evil.example:8080',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'localhost:8080.evil.example',
    'evil.example:8080:127.0.0.1',
    '0.0.0.0',
    '192.168.1.5',
    '::1',
    '',
    undefined,
  ])('does not answer to %s, whose DNS may point here', host => {
    expect(statusFor(host)).toBe(421)
  })

  test('answers to the address it listens at, where that is another one of this machine', () => {
    const elsewhere = createRequestGuard({ ...open, HOST: '127.0.0.2' })
    expect(elsewhere({ headers: { host: '127.0.0.2:8080' } })).toBeUndefined()
    expect(statusFor('127.0.0.2:8080')).toBe(421)
  })

  test('refuses pages from elsewhere, other ports of this machine included', () => {
    const from = (origin: string) => guard({ headers: { host: 'localhost:8080', origin } })?.status
    expect(from('http://localhost:8080')).toBeUndefined()
    for (const origin of ['http://localhost:3000', 'http://127.0.0.1:8080', 'https://evil.example', 'null', '']) {
      expect(from(origin)).toBe(403)
    }
  })
})

describe('a page', () => {
  const statusFor = (config: Parameters<typeof createRequestGuard>[0], host: string, origin?: string) =>
    createRequestGuard(config)({ headers: { host, ...(origin === undefined ? {} : { origin }) } })?.status

  test('is no matter where a request names none, as programs’ requests don’t', () => {
    expect(statusFor(closed, 'board.example')).toBeUndefined()
  })

  test('of the address that was asked is allowed, also behind a proxy that speaks https for us', () => {
    expect(statusFor(closed, 'board.example', 'http://board.example')).toBeUndefined()
    expect(statusFor(closed, 'board.example', 'https://board.example')).toBeUndefined()
    expect(statusFor(closed, 'Board.Example:81', 'http://board.example:81')).toBeUndefined()
  })

  test('of another address is refused, by a reason that names it and the setting', () => {
    for (const origin of ['https://evil.example', 'https://board.example.evil', 'https://board.example:444', 'null']) {
      const refusal = createRequestGuard(closed)({ headers: { host: 'board.example', origin } })
      expect(refusal?.status).toBe(403)
      expect(refusal?.reason).toContain(origin)
      expect(refusal?.reason).toContain('ALLOWED_ORIGINS')
    }
  })

  test('of an allowed origin is allowed, and only of exactly this one', () => {
    const config = { ...closed, ALLOWED_ORIGINS: ['https://app.example'] }
    expect(statusFor(config, 'board.example', 'https://app.example')).toBeUndefined()
    for (const origin of ['http://app.example', 'https://app.example:8443', 'https://www.app.example']) {
      expect(statusFor(config, 'board.example', origin)).toBe(403)
    }
  })

  test('has to be of the public address where one is set, whatever host a proxy passes on', () => {
    const config = { ...closed, PUBLIC_URL: 'https://board.example/some/path' }
    expect(statusFor(config, 'inner:8080', 'https://board.example')).toBeUndefined()
    expect(statusFor(config, 'inner:8080', 'http://board.example')).toBe(403)
    expect(statusFor(config, 'inner:8080', 'http://inner:8080')).toBe(403)
  })
})
