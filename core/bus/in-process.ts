/** The bus of a single process: the same port as Redis, without a server. */
import type { Logger } from '../base/log.ts'
import type { Bus, BusHandler } from './bus.ts'

interface Kept {
  value: string
  /** By `performance.now()`. */
  until: number
}

export function createInProcessBus(log: Logger): Bus {
  /** By channel or pattern: with thousands of boards open, a message concerns a handful of them. */
  const handlers = new Map<string, Set<BusHandler>>()
  const patterns = new Map<string, RegExp>()

  const groups = new Map<string, Map<string, Kept>>()
  const living = (group: string) => {
    const kept = groups.get(group) ?? new Map<string, Kept>()
    for (const [name, { until }] of kept) if (until <= performance.now()) kept.delete(name)
    if (kept.size === 0) groups.delete(group)
    return [...kept]
  }

  const matching = (channel: string) =>
    [...patterns].flatMap(([name, pattern]) => (pattern.test(channel) ? [name] : []))
  const deliver = (channel: string, message: Uint8Array) => {
    for (const name of [channel, ...matching(channel)]) {
      for (const handler of handlers.get(name) ?? []) {
        try {
          handler(channel, message)
        } catch (error) {
          log.error({ err: error, channel }, 'a message of the bus could not be handled')
        }
      }
    }
  }

  return {
    state: 'up',
    onState: () => () => {},
    mayReachOthers: channel => (handlers.get(channel)?.size ?? 0) > 1 || matching(channel).length > 0,
    publish(channel, message) {
      // In a turn of its own, as over a network: a publisher is never re-entered by its own message.
      setImmediate(deliver, channel, message)
    },
    async subscribe(channel, handler) {
      // Its own: who subscribes twice with one handler hears twice.
      const own: BusHandler = (...heard) => handler(...heard)
      const all = handlers.get(channel) ?? new Set()
      handlers.set(channel, all.add(own))
      if (channel.includes('*')) patterns.set(channel, patternOf(channel))
      return () => {
        if (!all.delete(own) || all.size > 0 || handlers.get(channel) !== all) return
        handlers.delete(channel)
        patterns.delete(channel)
      }
    },
    lease: async () => ({}),
    async release(_name, channel, mark) {
      this.publish(channel, new TextEncoder().encode(mark))
    },
    keep(group, name, value, ms) {
      const kept = groups.get(group) ?? new Map<string, Kept>()
      groups.set(group, kept.set(name, { value, until: performance.now() + ms }))
    },
    forget(group, name) {
      const kept = groups.get(group)
      if (kept?.delete(name) && kept.size === 0) groups.delete(group)
    },
    async kept(group) {
      return new Map(living(group).map(([name, { value }]) => [name, value]))
    },
    async close() {
      handlers.clear()
      patterns.clear()
      groups.clear()
    },
  }
}

const patternOf = (name: string): RegExp =>
  new RegExp(`^${name.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`)
