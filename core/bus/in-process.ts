/** The bus of a single process: the same port as Redis, without a server. */
import type { Logger } from '../base/log.ts'
import type { Bus, BusHandler } from './bus.ts'

interface Subscription {
  hears: (channel: string) => boolean
  handler: BusHandler
}

interface Kept {
  value: string
  /** By `Date.now()`. */
  until: number
}

export function createInProcessBus(log: Logger): Bus {
  const subscriptions = new Set<Subscription>()

  const groups = new Map<string, Map<string, Kept>>()
  const living = (group: string) => {
    const kept = groups.get(group) ?? new Map<string, Kept>()
    for (const [name, { until }] of kept) if (until <= Date.now()) kept.delete(name)
    if (kept.size === 0) groups.delete(group)
    return [...kept]
  }

  const deliver = (channel: string, message: Uint8Array) => {
    for (const subscription of subscriptions) {
      if (!subscription.hears(channel)) continue
      try {
        subscription.handler(channel, message)
      } catch (error) {
        log.error({ err: error, channel }, 'a message of the bus could not be handled')
      }
    }
  }

  return {
    state: 'up',
    onState: () => () => {},
    publish(channel, message) {
      // In a turn of its own, as over a network: a publisher is never re-entered by its own message.
      setImmediate(deliver, channel, message)
    },
    async subscribe(channel, handler) {
      const subscription = { hears: matcherOf(channel), handler }
      subscriptions.add(subscription)
      return () => {
        subscriptions.delete(subscription)
      }
    },
    lease: async () => ({}),
    async release(_name, channel, mark) {
      this.publish(channel, new TextEncoder().encode(mark))
    },
    keep(group, name, value, ms) {
      const kept = groups.get(group) ?? new Map<string, Kept>()
      groups.set(group, kept.set(name, { value, until: Date.now() + ms }))
    },
    forget(group, name) {
      groups.get(group)?.delete(name)
    },
    async kept(group) {
      return new Map(living(group).map(([name, { value }]) => [name, value]))
    },
    async close() {
      subscriptions.clear()
      groups.clear()
    },
  }
}

function matcherOf(name: string): (channel: string) => boolean {
  if (!name.includes('*')) return channel => channel === name
  const pattern = new RegExp(`^${name.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`)
  return channel => pattern.test(channel)
}
