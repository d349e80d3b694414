/** The bus of a single process: the same port as Redis, without a server. */
import type { Bus, BusHandler } from './bus.ts'

export function createInProcessBus(): Bus {
  const handlers = new Map<string, Set<BusHandler>>()
  const patterns = new Map<string, RegExp>()
  let closed = false

  const deliver = (channel: string, message: Uint8Array) => {
    if (closed) return
    for (const [name, subscribed] of handlers) {
      const pattern = patterns.get(name)
      if (pattern ? pattern.test(channel) : name === channel) {
        for (const handler of [...subscribed]) handler(channel, message)
      }
    }
  }

  return {
    state: 'up',
    publish(channel, message) {
      // In a turn of its own, as over a network: a publisher is never re-entered by its own message.
      setImmediate(deliver, channel, message)
    },
    async subscribe(channel, handler) {
      const subscribed = handlers.get(channel) ?? new Set()
      handlers.set(channel, subscribed)
      if (channel.includes('*')) patterns.set(channel, patternOf(channel))
      // Wrapped, so that one function subscribed twice is two subscriptions.
      const own: BusHandler = (from, message) => handler(from, message)
      subscribed.add(own)
      return () => {
        subscribed.delete(own)
        if (subscribed.size === 0) {
          handlers.delete(channel)
          patterns.delete(channel)
        }
      }
    },
    async close() {
      closed = true
    },
  }
}

const patternOf = (glob: string): RegExp =>
  new RegExp(`^${glob.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`)
