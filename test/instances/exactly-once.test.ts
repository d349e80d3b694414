/** Agents and people at work while instances of every role are killed: each change is made once, in order, everywhere. */

import { expect, test } from 'vitest'
import { releasing } from '../kit/releasing.ts'
import { until } from '../kit/until.ts'
import { disturb } from '../soak/disturbances.ts'
import { Scene } from '../soak/scene.ts'
import { verdict } from '../soak/verdict.ts'

const use = releasing()
/** The long version, with everything else that can go wrong: `npm run soak`. */
const kills = 4

test('each change is applied exactly once and in order, whichever instances are killed', {
  timeout: 300_000,
}, async () => {
  const scene = use(await Scene.set({ roles: ['all', 'ws', 'api'], boards: 2, people: 4, pace: 60 }))
  let killed = 0
  await disturb(scene, {
    seed: 20261120,
    kinds: ['an instance is killed'],
    lastingMs: 300,
    async next() {
      const before = scene.progress()
      await until(() => scene.progress() > before + 100, { what: 'work to go on', timeout: 30_000 })
      return killed++ < kills
    },
  })
  await scene.workIsOver()
  expect(await verdict(scene)).toEqual([])
  const asked = scene.agents.map(agent => `${agent.name} ${agent.certain.length} + ${agent.doubtful.length}`)
  console.log(`${kills} instances killed; changes certain + doubtful: ${asked.join(', ')}`)
})
