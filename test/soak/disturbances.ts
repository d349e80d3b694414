/** What goes wrong in a deployment, one thing at a time, each over by itself. Which and when is decided by a seed. */

import { pause } from '../../core/base/pause.ts'
import type { Seat } from '../kit/seat.ts'
import { type Chance, chance } from '../simulation/chance.ts'
import type { Scene } from './scene.ts'

interface Circumstances {
  scene: Scene
  seat: Seat
  luck: Chance
  /** Lets it last for a while. */
  lasting(): Promise<void>
}

type Disturb = (given: Circumstances) => Promise<void>

/** Cuts one instance off; it comes back with its connections as they are, or broken. */
const cutOff =
  (...links: ('postgres' | 'redis')[]): Disturb =>
  async ({ seat, luck, lasting }) => {
    const silent = luck.happens(0.5)
    for (const link of links) silent ? seat.links[link].stall() : seat.links[link].refuse()
    await lasting()
    const broken = luck.happens(0.5)
    for (const link of links) {
      if (broken) seat.links[link].cut()
      seat.links[link].resume()
    }
  }

const disturbances = {
  'an instance is killed': async ({ seat, lasting }) => {
    await seat.end('SIGKILL')
    await lasting()
    await seat.start()
  },
  'an instance is told to stop': async ({ seat }) => {
    const { code } = await seat.end('SIGTERM')
    if (code !== 0) throw new Error(`an instance that was told to stop exited ${code}`)
    await seat.start()
  },
  'an instance stands still': async ({ seat, lasting }) => {
    process.kill(seat.instance.pid, 'SIGSTOP')
    await lasting()
    process.kill(seat.instance.pid, 'SIGCONT')
  },
  'an instance is cut off from Redis': cutOff('redis'),
  'an instance is cut off from Postgres': cutOff('postgres'),
  'an instance is cut off from both': cutOff('postgres', 'redis'),
  'Redis is killed': async ({ scene, lasting }) => {
    await scene.redis.halt()
    await lasting()
    await scene.redis.start()
  },
  'Redis stands still': async ({ scene, lasting }) => {
    scene.redis.pause()
    await lasting()
    scene.redis.resume()
  },
  'Postgres crashes': async ({ scene, lasting }) => {
    await scene.postgres.halt('immediate')
    await lasting()
    await scene.postgres.start()
  },
} satisfies Record<string, Disturb>

export type Disturbance = keyof typeof disturbances
export const everyDisturbance = Object.keys(disturbances) as Disturbance[]

export interface Trouble {
  seed: number
  kinds: readonly Disturbance[]
  /** The longest that one lasts, in ms. */
  lastingMs: number
  /** Asked before each: resolves when it is time for it; false ends the trouble. */
  next(luck: Chance): Promise<boolean>
  onBegin?(what: Disturbance): void
}

/** @returns how often each was done */
export async function disturb(scene: Scene, trouble: Trouble): Promise<Map<Disturbance, number>> {
  const luck = chance(trouble.seed)
  const done = new Map<Disturbance, number>()
  while (await trouble.next(luck)) {
    const what = luck.pick(trouble.kinds)
    const { seat } = luck.pick(scene.seats)
    const lasting = () => pause(luck.between(0, trouble.lastingMs))
    trouble.onBegin?.(what)
    await disturbances[what]({ scene, seat, luck, lasting })
    done.set(what, (done.get(what) ?? 0) + 1)
  }
  return done
}
