/** A bus between simulated instances that loses, doubles, delays and reorders messages, as its port warns it may. */
import { pino } from 'pino'
import type { Bus } from '../../core/bus/bus.ts'
import { createInProcessBus } from '../../core/bus/in-process.ts'
import type { Chance } from './chance.ts'

export function createUnreliableBus(luck: Chance): Bus {
  const bus = createInProcessBus(pino({ level: 'silent' }))
  return {
    ...bus,
    publish(channel, message) {
      const copies = luck.pick([0, 1, 1, 1, 2])
      for (let copy = 0; copy < copies; copy++) {
        setTimeout(() => bus.publish(channel, message), luck.between(0, 100))
      }
    },
  }
}
