/** The bus of a single process: the same port as Redis, without a server. */
import type { Logger } from '../base/log.ts'
import type { Bus, BusHandler } from './bus.ts'

interface Subscription {
  hears: (channel: string) => boolean
  handler: BusHandler
}

export function createInProcessBus(log: Logger): Bus {
  const subscriptions = new Set<Subscription>()

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
    lease: async () => true,
    async release() {},
    async close() {
      subscriptions.clear()
    },
  }
}

function matcherOf(name: string): (channel: string) => boolean {
  if (!name.includes('*')) return channel => channel === name
  const pattern = new RegExp(`^${name.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`)
  return channel => pattern.test(channel)
}
