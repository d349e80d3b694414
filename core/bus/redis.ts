/**
 * The bus on Redis pub/sub: one connection to publish, one to subscribe. Nothing waits for Redis: while it is down,
 * messages are dropped, and whoever listens is told when it is back (`onState`) to look for what they told of.
 *
 * A Redis Cluster takes this too, but spreads every message over all its nodes: sharded pub/sub for the channels of one
 * board is still to come. It has no patterns, so `board:*:updates` stays as it is.
 */
import { randomUUID } from 'node:crypto'
import type { Logger } from '../base/log.ts'
import type { Secret } from '../base/secret.ts'
import type { Bus, BusState } from './bus.ts'
import { connectRedis, failsWithItsConnection } from './redis-connection.ts'
import { RedisSubscriptions } from './redis-subscriptions.ts'

/** Bytes published that Redis has not taken yet: over it, what comes is dropped until it has. */
const unsentAtMost = 16 * 1024 * 1024

/** Takes a lease that is free, or renews one's own. The same as `SET NX PX`, and never anybody else's. */
const takeLease = `
  local holder = redis.call('GET', KEYS[1])
  if holder and holder ~= ARGV[1] then return 0 end
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return 1`
const releaseLease = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`

export function createRedisBus(url: Secret, log: Logger): Bus {
  const listeners = new Set<(state: BusState) => void>()
  const holder = randomUUID()
  const connected = { publisher: false, subscriber: false }
  let state: BusState = 'down'
  let outageLogged = false
  let closed = false
  let unsent = 0

  const review = () => {
    const now = connected.publisher && connected.subscriber ? 'up' : 'down'
    if (now === state || closed) return
    state = now
    if (now === 'up') {
      outageLogged = false
      log.info('Redis is there')
    } else logOutage('the connection was lost')
    for (const listener of listeners) {
      try {
        listener(now)
      } catch (error) {
        log.error({ err: error }, 'a change of the bus could not be handled')
      }
    }
  }
  const logOutage = (reason: string) => {
    if (outageLogged || closed) return
    outageLogged = true
    log.warn({ reason }, 'Redis is not there; going on without it')
  }
  const gone = (which: 'publisher' | 'subscriber') => () => {
    connected[which] = false
    review()
  }

  const publisher = connectRedis(url, 'publisher', {
    ready() {
      connected.publisher = true
      review()
    },
    closed: gone('publisher'),
    failed: logOutage,
  })
  const subscriber = connectRedis(url, 'subscriber', {
    ready: () => void resubscribe(),
    closed: gone('subscriber'),
    failed: logOutage,
  })
  const subscriptions = new RedisSubscriptions(subscriber.redis, log)
  const resubscribe = async () => {
    connected.subscriber = await subscriptions.renew()
    review()
  }

  return {
    get state() {
      return state
    },
    onState(listener) {
      const entry = (now: BusState) => listener(now)
      listeners.add(entry)
      return () => {
        listeners.delete(entry)
      }
    },
    publish(channel, message) {
      if (closed || publisher.redis.status !== 'ready' || unsent + message.byteLength > unsentAtMost) return
      unsent += message.byteLength
      publisher.redis
        .publish(channel, Buffer.from(message.buffer, message.byteOffset, message.byteLength))
        .catch(failsWithItsConnection)
        .finally(() => {
          unsent -= message.byteLength
        })
    },
    async subscribe(channel, handler) {
      if (closed) return () => {}
      return subscriptions.subscribe(channel, handler)
    },
    async lease(name, ms) {
      if (publisher.redis.status !== 'ready') return false
      const taken = await publisher.redis.eval(takeLease, 1, name, holder, ms).catch(failsWithItsConnection)
      return taken === 1
    },
    async release(name) {
      if (publisher.redis.status !== 'ready') return
      await publisher.redis.eval(releaseLease, 1, name, holder).catch(failsWithItsConnection)
    },
    async close() {
      closed = true
      listeners.clear()
      subscriptions.clear()
      await Promise.all([publisher.close(), subscriber.close()])
    },
  }
}
