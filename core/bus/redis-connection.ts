/** One connection to Redis that comes back by itself, and notices within 3 s that nobody answers on it any more. */
import { Redis, ReplyError } from 'ioredis'
import type { Secret } from '../base/secret.ts'

/** Each connection asks for a sign of life this often … */
const pingEveryMs = 1_000
/** … and is given up when nothing has come for so long: a Redis that hangs looks like one that is idle. */
const silentAtMostMs = 2_000
const connectWithinMs = 2_000
const longestRetryMs = 1_000

export interface RedisConnection {
  readonly redis: Redis
  close(): Promise<void>
}

/** @param purpose shows in Redis's `CLIENT LIST` */
export function connectRedis(
  url: Secret,
  purpose: string,
  on: { ready(): void; closed(): void; failed(reason: string): void },
): RedisConnection {
  const redis = new Redis(url.reveal(), {
    connectionName: `boardsync-${purpose}`,
    protocol: 2,
    disableClientInfo: true,
    // Nothing waits for Redis: a command on a connection that is down, or that goes down under it, fails at once.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    // Subscriptions are made again by `RedisNode`, which knows when all of them are there.
    autoResubscribe: false,
    connectTimeout: connectWithinMs,
    socketTimeout: silentAtMostMs,
    retryStrategy: attempt => Math.min(50 * 2 ** Math.min(attempt - 1, 10), longestRetryMs) * (0.5 + Math.random() / 2),
    // A replica after a failover of a managed Redis: the name now leads to another server.
    reconnectOnError: error => error.message.startsWith('READONLY'),
  })
  redis.on('ready', on.ready)
  redis.on('close', on.closed)
  // The message only: the error itself carries the command, and with it the password.
  redis.on('error', (error: Error) => on.failed(reasonOf(error)))
  const pings = setInterval(() => {
    if (redis.status === 'ready') redis.ping().catch(failsWithItsConnection)
  }, pingEveryMs)
  return {
    redis,
    async close() {
      clearInterval(pings)
      redis.disconnect()
    },
  }
}

/** For commands whose failure says no more than that the connection is gone, which `closed` tells. */
export function failsWithItsConnection(): void {}

/** What a server that is not ours to ask at the moment says; that too passes. */
const passing = /^(?:MOVED|ASK|TRYAGAIN|CLUSTERDOWN|LOADING|READONLY|MASTERDOWN)\b/

/** For commands that a Redis may refuse to take from us: it has no memory left, or we no right. */
export function throwRefusal(error: Error): void {
  // The message only: the error itself carries the command.
  if (error instanceof ReplyError && !passing.test(error.message)) throw new Error(error.message)
}

/** A refused connection to several addresses of one name is an `AggregateError` without a message. */
function reasonOf(error: Error): string {
  const code = 'code' in error ? String(error.code) : ''
  return error.message || code || error.name
}
