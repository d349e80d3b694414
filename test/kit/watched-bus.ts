/** The bus of one process, of which a test sees what is published and heard, and loses what it likes. */

import type { Bus } from '../../core/bus/bus.ts'
import { createInProcessBus } from '../../core/bus/in-process.ts'
import { silent } from './site.ts'

export interface WatchedBus extends Bus {
  /** All that was published, in order, the lost included. */
  readonly published: readonly { channel: string; message: Uint8Array }[]
  /** Who listens, once per subscription. */
  readonly subscribed: readonly string[]
  /** Messages for which it is true are lost; also those that are published later. */
  loses: (channel: string) => boolean
  /** Takes the place of delivery: the test does it by `deliver`. */
  holds: ((channel: string) => boolean) | undefined
  deliver(channel: string, message: Uint8Array): void
}

export function watchedBus(): WatchedBus {
  const bus = createInProcessBus(silent)
  const published: { channel: string; message: Uint8Array }[] = []
  const subscribed: string[] = []
  const watched: WatchedBus = {
    ...bus,
    published,
    subscribed,
    // The test may hear everything.
    mayReachOthers: () => true,
    loses: () => false,
    holds: undefined,
    deliver: (channel, message) => bus.publish(channel, message),
    publish(channel, message) {
      published.push({ channel, message })
      if (!watched.loses(channel) && !watched.holds?.(channel)) bus.publish(channel, message)
    },
    async subscribe(channel, handler, onLate) {
      const unsubscribe = await bus.subscribe(channel, handler, onLate)
      subscribed.push(channel)
      return () => {
        unsubscribe()
        const at = subscribed.indexOf(channel)
        if (at >= 0) subscribed.splice(at, 1)
      }
    },
  }
  return watched
}
