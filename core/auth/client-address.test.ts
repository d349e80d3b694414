import { describe, expect, test } from 'vitest'
import { callerAddress, clientAddress } from './client-address.ts'

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

describe('limits count', () => {
  const counted = (address: string) => callerAddress({ headers: {}, socket: { remoteAddress: address } }, 0)

  test.each([
    ['10.0.0.1', '10.0.0.1'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002::9', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:db8:0:0:1::', '2001:db8:0:0::/64'],
    ['64:ff9b::192.0.2.33', '64:ff9b::192.0.2.33'],
    ['::ffff:a00:1', '::ffff:a00:1'],
    ['::1', '::1'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['unknown', 'unknown'],
  ])('%s as %s', (address, caller) => {
    expect(counted(address)).toBe(caller)
  })
})
