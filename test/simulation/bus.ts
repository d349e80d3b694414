/**
 * A bus between simulated instances that loses, doubles, delays and reorders messages, as its port warns it may; and is
 * down for a while, when everything is lost.
 */
import { pino } from 'pino'
import type { Bus, BusState } from '../../core/bus/bus.ts'
import { createInProcessBus } from '../../core/bus/in-process.ts'
import type { Chance } from './chance.ts'

export interface UnreliableBus extends Bus {
  state: BusState
}

export function createUnreliableBus(luck: Chance): UnreliableBus {
  const bus = createInProcessBus(pino({ level: 'silent' }))
  const unreliable: UnreliableBus = {
    ...bus,
    publish(channel, message) {
      if (unreliable.state === 'down') return
      const copies = luck.pick([0, 1, 1, 1, 2])
      for (let copy = 0; copy < copies; copy++) {
        setTimeout(() => bus.publish(channel, message), luck.between(0, 100))
      }
    },
  }
  return unreliable
}
