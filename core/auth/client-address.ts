/** The IP address a request comes from, as far as it can be believed. */
import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'

/**
 * @param trustedProxies how many proxies stand before us: each adds the address it was called from to `X-Forwarded-For`. What
 *   stands before those entries anybody may have written.
 */
export function clientAddress(
  { headers, socket }: { headers: IncomingMessage['headers']; socket: { remoteAddress?: string | undefined } },
  trustedProxies: number,
): string {
  const forwarded = trustedProxies > 0 ? [headers['x-forwarded-for'] ?? []].flat().join(',').split(',') : []
  const chain = [...forwarded.map(entry => entry.trim()).filter(Boolean), socket.remoteAddress ?? 'unknown']
  return plain(chain[Math.max(0, chain.length - 1 - trustedProxies)] ?? 'unknown')
}

/** Without the port that some proxies add, and IPv4 as itself where it came as IPv6. */
function plain(address: string): string {
  const bare = isIP(address) ? address : address.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')
  return bare.replace(/^::ffff:(?=\d+\.)/i, '').toLowerCase()
}
