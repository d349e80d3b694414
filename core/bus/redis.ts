/**
 * The bus on Redis: pub/sub, and keys that lapse. Nothing waits for Redis: while it is down, messages are dropped, and
 * whoever listens is told when it is back (`onState`) to look for what they told of.
 */
import { randomUUID } from 'node:crypto'
import type { Logger } from '../base/log.ts'
import { pause } from '../base/pause.ts'
import type { Secret } from '../base/secret.ts'
import type { Bus, BusState } from './bus.ts'
import { failsWithItsConnection, throwRefusal } from './redis-connection.ts'
import { RedisNodes } from './redis-nodes.ts'
import { forgetBy, keepBy, keptBy, releaseLeaseBy, takeLeaseBy } from './redis-scripts.ts'

/** Bytes published that Redis has not taken yet: over it, what comes is dropped until it has. */
const unsentAtMost = 16 * 1024 * 1024
/** Who asks Redis for something on behalf of a request waits no longer. */
const answersWithinMs = 250

export function createRedisBus(url: Secret, log: Logger): Bus {
  const listeners = new Set<(state: BusState) => void>()
  const holder = randomUUID()
  let state: BusState = 'down'
  let outageLogged = false
  let closed = false
  let unsent = 0

  const review = () => {
    const now = nodes.isUp ? 'up' : 'down'
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
  const nodes = new RedisNodes(url, log, { review, failed: logOutage })

  /** Sends something of this many bytes, or drops it. */
  const send = (bytes: number, sending: () => Promise<unknown>) => {
    if (closed || unsent + bytes > unsentAtMost) return
    unsent += bytes
    sending()
      .catch(failsWithItsConnection)
      .finally(() => {
        unsent -= bytes
      })
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
    mayReachOthers: () => true,

    publish(channel, message) {
      const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength)
      send(bytes.byteLength, () => nodes.publish(channel, bytes))
    },
    async subscribe(channel, handler, onLate) {
      if (closed) return () => {}
      return nodes.topics.subscribe(channel, handler, onLate)
    },
    async lease(name, ms) {
      return (await takeLeaseBy(nodes.run, name, holder, ms).catch(throwRefusal)) ?? undefined
    },
    async release(name, channel, mark) {
      const released = await releaseLeaseBy(nodes.run, name, holder, mark).catch(failsWithItsConnection)
      // As everything that is published from here: on a Cluster only so is it in one order with the rest.
      if (released) this.publish(channel, new TextEncoder().encode(mark))
    },
    keep(group, name, value, ms) {
      send(Buffer.byteLength(value), () => keepBy(nodes.run, group, name, value, ms))
    },
    forget(group, name) {
      send(0, () => forgetBy(nodes.run, group, name))
    },
    async kept(group) {
      if (closed || state === 'down') return undefined
      const asked = keptBy(nodes.run, group).catch(failsWithItsConnection)
      return (await Promise.race([asked, pause(answersWithinMs)])) ?? undefined
    },
    async close() {
      closed = true
      listeners.clear()
      await nodes.close()
    },
  }
}
