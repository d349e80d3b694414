/** The IP address a request comes from, as far as it can be believed; and who is counted as one caller by it. */
import type { IncomingMessage } from 'node:http'
import { isIP, isIPv6 } from 'node:net'

interface Request {
  headers: IncomingMessage['headers']
  socket: { remoteAddress?: string | undefined }
}

/** In them stands the whole of IPv4, translated (RFC 4291, 6052): there an address is a caller of its own. */
const networksOfIPv4 = ['0:0:0:0', '64:ff9b:0:0']

/**
 * What limits count a caller by: its IPv4 address, or its IPv6 network. One customer is given a /64 at least (RFC 6177), and
 * may take any of its 2⁶⁴ addresses for each connection.
 */
export function callerAddress(request: Request, trustedProxies: number): string {
  const address = clientAddress(request, trustedProxies)
  if (!isIPv6(address)) return address
  const [before = '', after = ''] = address.split('::')
  const [first, last] = [before, after].map(half => half.split(':').filter(Boolean)) as [string[], string[]]
  const left = Array<string>(Math.max(0, 8 - first.length - last.length)).fill('0')
  const groups = [...first, ...left, ...last].slice(0, 4)
  const network = groups.map(group => Number.parseInt(group, 16).toString(16)).join(':')
  return networksOfIPv4.includes(network) ? address : `${network}::/64`
}

/**
 * @param trustedProxies how many proxies stand before us: each adds the address it was called from to `X-Forwarded-For`. What
 *   stands before those entries anybody may have written.
 */
export function clientAddress({ headers, socket }: Request, trustedProxies: number): string {
  const forwarded = trustedProxies > 0 ? [headers['x-forwarded-for'] ?? []].flat().join(',').split(',') : []
  const chain = [...forwarded.map(entry => entry.trim()).filter(Boolean), socket.remoteAddress ?? 'unknown']
  return plain(chain[Math.max(0, chain.length - 1 - trustedProxies)] ?? 'unknown')
}

/** Without the port that some proxies add, and IPv4 as itself where it came as IPv6. */
function plain(address: string): string {
  const bare = isIP(address) ? address : address.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')
  return bare.replace(/^::ffff:(?=\d+\.)/i, '').toLowerCase()
}
