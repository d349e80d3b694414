/** An upgrade as it comes in over HTTP: which board it asks for, how long it may take, how it is refused. */
import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { SyncError } from '../../core/base/errors.ts'

/** A credential that is not checked by then is not waited for any longer. */
const authenticatedWithinMs = 5_000

/**
 * `/{boardId}` or `/boards/{boardId}`, decoded once; anything else is no board id either. Proxies may pass the whole address on
 * (RFC 9112, 3.2.2).
 */
export function boardNameOf(url: string): string {
  const path = url.split('?', 1)[0] ?? ''
  const name = /^(?:[a-z]+:\/\/[^/]+)?\/(?:boards\/)?([^/]*)$/i.exec(path)?.[1] ?? ''
  try {
    return decodeURIComponent(name)
  } catch {
    return '' // not a URL encoding: refused as the board id it cannot be
  }
}

/** For HTTP/2, say, which clients offer with an ordinary request: who does not speak it answers as if they had not (RFC 9110, 7.8). */
export const isForWebSocket = ({ headers }: IncomingMessage): boolean => headers.upgrade?.toLowerCase() === 'websocket'

/** Has the server read the request once more, without the offer. */
export function answerWithoutUpgrade(server: Server, request: IncomingMessage, stream: Duplex, head: Buffer): void {
  const { method, url, httpVersion, rawHeaders } = request
  const lines = [`${method} ${url} HTTP/${httpVersion}`]
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = rawHeaders.slice(at, at + 2)
    if (!/^(upgrade|connection|http2-settings)$/i.test(name)) lines.push(`${name}: ${value}`)
  }
  stream.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]))
  server.emit('connection', stream)
}

/** Of who is refused for now: another instance answers by then, or this one is back. As REST says it. */
const retryAfterSeconds = 2

/** Closed once it is told: a client that keeps its side open would keep the connection, and the server from stopping. */
export function refuseUpgrade(stream: Duplex, status: number, reason: string): void {
  stream.once('finish', () => stream.destroy())
  const statusText = { 403: 'Forbidden', 421: 'Misdirected Request', 503: 'Service Unavailable' }[status] ?? ''
  const later = status === 503 ? `Retry-After: ${retryAfterSeconds}\r\n` : ''
  stream.end(
    `HTTP/1.1 ${status} ${statusText}\r\nConnection: close\r\n${later}Content-Type: text/plain\r\n` +
      `Content-Length: ${Buffer.byteLength(reason)}\r\n\r\n${reason}`,
  )
}

/** @throws SyncError when the credential could not be checked in time; the client does well to come back */
export function inTime<T>(authenticated: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const overdue = setTimeout(
      () => reject(new SyncError('storage-unavailable', 'the credential could not be checked in time; try again')),
      authenticatedWithinMs,
    )
    const settle = () => clearTimeout(overdue)
    authenticated.then(resolve, reject).then(settle, settle)
  })
}
