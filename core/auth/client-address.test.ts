import { expect, test } from 'vitest'
import { clientAddress } from './client-address.ts'

test.each<[string, number, string | undefined, string]>([
  ['nothing but the connection', 0, '9.9.9.9', '10.0.0.1'],
  ['what the only proxy was called from', 1, '9.9.9.9', '9.9.9.9'],
  ['that one, whatever the caller wrote before it', 1, 'evil, 1.1.1.1, 9.9.9.9', '9.9.9.9'],
  ['what the first of two was called from', 2, '1.1.1.1, 9.9.9.9, 10.0.0.7', '9.9.9.9'],
  ['the connection where no proxy was passed', 1, undefined, '10.0.0.1'],
  ['the first there is where there are fewer proxies', 3, '9.9.9.9', '9.9.9.9'],
  ['IPv4 without its port', 1, '9.9.9.9:4711', '9.9.9.9'],
  ['IPv6 without brackets and port', 1, '[2001:DB8::1]:443', '2001:db8::1'],
  ['IPv6', 1, '2001:db8::1', '2001:db8::1'],
])('is believed to be %s', (_what, proxies, forwarded, address) => {
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }
  expect(clientAddress({ headers, socket: { remoteAddress: '::ffff:10.0.0.1' } }, proxies)).toBe(address)
})
