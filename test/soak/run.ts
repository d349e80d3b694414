/**
 * Ten minutes of a deployment in which everything goes wrong that can: three instances, fifty stock clients, agents; and a
 * verdict. `npm run soak -- --minutes 10 --seed 7`. Exits 0 when everything is the same everywhere, and each change is
 * there as often as its author was told.
 */

import { parseArgs } from 'node:util'
import { pause } from '../../core/base/pause.ts'
import type { Agent } from './agents.ts'
import { type Disturbance, disturb, everyDisturbance } from './disturbances.ts'
import { Scene } from './scene.ts'
import { verdict } from './verdict.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    people: { type: 'string', default: '50' },
    boards: { type: 'string', default: '5' },
    /** Milliseconds from one change of a person or an agent to the next. */
    pace: { type: 'string', default: '500' },
    /** One kind of disturbance only, as in `--only "Redis is killed"`; may be given several times. */
    only: { type: 'string', multiple: true, default: [] },
  },
})

const [minutes, seed, people, boards, pace] = (['minutes', 'seed', 'people', 'boards', 'pace'] as const).map(name => {
  const value = Number(values[name])
  if (!(value > 0)) fail(`--${name}: a number above 0 is needed, not ${values[name]}`)
  return value
}) as [number, number, number, number, number]
const kinds = everyDisturbance.filter(kind => values.only.length === 0 || values.only.includes(kind))
const unknown = values.only.filter(kind => !everyDisturbance.includes(kind as Disturbance))
if (unknown.length > 0) fail(`--only: there is no "${unknown[0]}"; there are: ${everyDisturbance.join(' · ')}`)

function fail(reason: string): never {
  console.error(reason)
  process.exit(2)
}

const startedAt = Date.now()
const tell = (what: string) => console.log(`${((Date.now() - startedAt) / 1_000).toFixed(1).padStart(6)} s  ${what}`)

tell(`seed ${seed}, ${minutes} min, ${people} people and ${boards * 5} agents on ${boards} boards`)
const scene = await Scene.set({ roles: ['all', 'ws', 'api'], boards, people, pace })
try {
  tell('everybody is at work')
  const end = Date.now() + minutes * 60_000
  const done = await disturb(scene, {
    seed,
    kinds,
    lastingMs: 5_000,
    async next(luck) {
      await pause(luck.between(0, 4_000))
      return Date.now() < end
    },
    onBegin: what => tell(`${what} (${scene.progress()} changes so far)`),
  })
  tell('the last disturbance is over')
  await scene.workIsOver()
  tell('nobody begins anything new')
  const faults = await verdict(scene)
  tell('verdict')
  report(done, faults)
  process.exitCode = faults.length === 0 ? 0 : 1
} finally {
  await scene.stop()
}

function report(done: ReadonlyMap<Disturbance, number>, faults: readonly string[]): void {
  console.log('\nWhat went wrong on purpose')
  for (const [what, times] of done) console.log(`  ${String(times).padStart(6)}  ${what}`)
  console.log('\nWhat was done meanwhile')
  const lines = scene.people.reduce((sum, person) => sum + person.written().length, 0)
  const closes = scene.people.reduce((sum, { client }) => sum + client.codes.length, 0)
  console.log(
    `  ${String(lines).padStart(6)}  lines written by ${people} people, who lost their connection ${closes} times`,
  )
  for (const manner of new Set(scene.agents.map(agent => agent.manner))) {
    const agents = scene.agents.filter(agent => agent.manner === manner)
    const sum = (count: (agent: Agent) => number) => agents.reduce((total, agent) => total + count(agent), 0)
    const [certain, doubtful] = [sum(agent => agent.certain.length), sum(agent => agent.doubtful.length)]
    const unanswered = `, and ${doubtful} without an answer, ${sum(agent => agent.arrived)} of which arrived`
    console.log(`  ${String(certain).padStart(6)}  changes ${manner}${doubtful > 0 ? unanswered : ''}`)
  }
  console.log(`\nWhat is wrong now: ${faults.length === 0 ? 'nothing' : ''}`)
  for (const fault of faults.slice(0, 50)) console.log(`  ${fault}`)
  console.log(`\n${faults.length === 0 ? 'passed' : 'FAILED'} with seed ${seed}`)
}
