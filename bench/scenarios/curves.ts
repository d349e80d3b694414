/** What a thing costs as it grows: one server, one size after the other. */
import { setTimeout as pause } from 'node:timers/promises'
import { Openers } from '../load/openers.ts'
import { type Figures, newBoard, percentile, type Scale, type Scenario } from '../scenario.ts'
import type { Server } from '../servers.ts'
import { busyBoards } from './boards.ts'
import { fanOutTo } from './fan-out.ts'
import { draw, warmUp } from './opening.ts'

/** Cut down where the run only shows that the scenario works. */
const sizesFor = (scale: Scale, sizes: readonly number[]): readonly number[] =>
  scale === 'smoke' ? sizes.map((_, index) => index + 3) : sizes

const crowds = [5, 10, 25, 50, 100, 200, 400]
const crowdSeconds = 12

async function byPeople(server: Server, scale: Scale): Promise<Figures> {
  const figures: Figures = {}
  // Else the first size would pay for the compiler; here and below.
  await fanOutTo(server, scale, { people: 50, editsPerSecond: 250, seconds: crowdSeconds })
  for (const [index, people] of sizesFor(scale, crowds).entries()) {
    const { cpuPerMillion } = await fanOutTo(server, scale, { people, editsPerSecond: 250, seconds: crowdSeconds })
    figures[`people${crowds[index]}`] = cpuPerMillion ?? Number.NaN
  }
  return figures
}

const boardCounts = [100, 500, 2_000]

async function byBoards(server: Server, scale: Scale): Promise<Figures> {
  const figures: Figures = {}
  await busyBoards(server, scale)
  for (const [index, count] of sizesFor(scale, boardCounts).entries()) {
    const { cpuPerMillion } = await busyBoards(server, scale, { count })
    figures[`boards${boardCounts[index]}`] = cpuPerMillion ?? Number.NaN
  }
  return figures
}

const sizes = [1_000, 5_000, 20_000, 50_000, 100_000]

async function bySize(server: Server, scale: Scale): Promise<Figures> {
  const figures: Figures = {}
  const openers = await Openers.start()
  for (const [index, shapes] of sizesFor(scale, sizes).entries()) {
    const board = newBoard()
    const content = await draw(server, board, shapes)
    await pause(scale === 'smoke' ? 0 : 3_000)
    await server.restart()
    await warmUp(server, openers)
    const [cold = Number.NaN] = await openers.open(server, board)
    const warm: number[] = []
    for (let times = 0; times < 3; times++) warm.push(...(await openers.open(server, board)))
    await openers.check(content)
    figures[`cold${sizes[index]}`] = cold
    figures[`warm${sizes[index]}`] = percentile(warm, 0.5)
  }
  openers.stop()
  return figures
}

const columns = (prefix: string, all: readonly number[], title: (size: string) => string, digits: number) =>
  all.map(size => ({ key: `${prefix}${size}`, title: title(size.toLocaleString('en')), digits }))

export const curves: readonly Scenario[] = [
  {
    name: 'curve-people',
    title: 'What an edit costs by how many are on the board',
    about: 'CPU seconds per 1M delivered edits; 250 edits per second in all.',
    servers: ['y-websocket-server', 'boardsync'],
    figures: columns('people', crowds, size => `${size} people`, 1),
    goals: [],
    run: byPeople,
  },
  {
    name: 'curve-boards',
    title: 'What an edit costs by how many boards are drawn on',
    about: 'CPU seconds per 1M delivered edits; two people on each board, one edit per second and board.',
    servers: ['y-websocket-server', 'boardsync'],
    figures: columns('boards', boardCounts, size => `${size} boards`, 0),
    goals: [],
    run: byBoards,
  },
  {
    name: 'curve-size',
    title: 'How long opening takes by the size of the board',
    about: 'Milliseconds until the answer to step 1 is there, after a restart (cold) and again (warm).',
    servers: ['boardsync'],
    figures: [
      ...columns('cold', sizes, size => `${size} shapes, cold`, 0),
      ...columns('warm', sizes, size => `${size}, warm`, 0),
    ],
    goals: [],
    run: bySize,
  },
]
