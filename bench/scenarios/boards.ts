/** Many boards with two people each, and many connections that say nothing. */
import { setTimeout as pause } from 'node:timers/promises'
import { Hearing, heardIn } from '../load/hearing.ts'
import { Person, Reader } from '../load/person.ts'
import { contentOf, makeWriter } from '../load/writers.ts'
import { evenly, type Figures, fact, inParallel, newBoard, percentile, type Scale, type Scenario } from '../scenario.ts'
import type { Server } from '../servers.ts'
import { Usage } from '../usage.ts'
import { edit } from '../wire.ts'
import { checkNewcomer } from './fan-out.ts'

const boardsOf: Record<Scale, number> = { smoke: 5, quick: 150, full: 500 }
/** The second half counts: long enough for every board to be stored as a whole within it (at the latest 30 s after an edit). */
const secondsOf: Record<Scale, number> = { smoke: 2, quick: 8, full: 60 }
/** After so many seconds memory is looked at: later it tells more of when garbage was collected than of boards. */
const memoryAfter: Record<Scale, number> = { smoke: 1, quick: 2, full: 5 }

/** On each of `count` boards one of two people makes that many edits per second. */
export async function busyBoards(
  server: Server,
  scale: Scale,
  { count = boardsOf[scale], editsPerSecond = 1 } = {},
): Promise<Figures> {
  const seconds = secondsOf[scale]
  const usage = new Usage(server.pids, scale !== 'smoke')
  const empty = await usage.emptyRss()
  const latencies: number[] = []
  const reader = new Reader(heardIn)
  const boards = await inParallel(count, async index => {
    const board = newBoard()
    const writer = makeWriter(1_000 + index, seconds * editsPerSecond)
    const sentAt: number[] = []
    const hearing = new Hearing(new Map([[writer.client, sentAt]]), latencies)
    const author = await Person.join(server, board)
    const other = await Person.join(server, board, 0, message => hearing.take(reader.read(message)))
    return { board, writer, sentAt, hearing, author, other }
  })
  /** `from` and `to`: seconds. */
  const draw = async (fromSecond: number, toSecond: number) => {
    const [from, to] = [fromSecond * editsPerSecond, toSecond * editsPerSecond]
    await evenly(count * (to - from), count * editsPerSecond, index => {
      const own = boards[index % count]
      const step = from + Math.floor(index / count)
      if (!own) return
      own.sentAt[own.writer.clocks[step] ?? 0] = performance.now()
      own.author.send(edit(own.writer.updates[step] ?? new Uint8Array()))
    })
    await fact('everybody has every edit', () =>
      boards.every(({ hearing, writer }) => hearing.hasAll(new Map([[writer.client, writer.clocks[to - 1] ?? 0]]))),
    )
  }
  const counted = Math.ceil(seconds / 2)
  await draw(0, memoryAfter[scale])
  const rss = await usage.settledRss()
  await draw(memoryAfter[scale], seconds - counted)
  for (const { other } of boards) other.renew()
  const before = usage.cpu()
  latencies.length = 0
  await draw(seconds - counted, seconds)
  const cpu = usage.cpu() - before
  const [first] = boards
  if (first && server.remembers) await checkNewcomer(server, first.board, contentOf([first.writer.doc]))
  for (const { author, other } of boards) {
    author.stop()
    other.stop()
  }
  return {
    cpuPerMillion: (cpu / (counted * count * editsPerSecond)) * 1e6,
    rssPerBoard: ((rss - empty) / count) * 1024,
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
  }
}

const connectionsOf: Record<Scale, number> = { smoke: 20, quick: 600, full: 2_000 }

/** Connections, ten to a board, as fast as the server takes them. */
async function connecting(server: Server, scale: Scale): Promise<Figures> {
  const count = connectionsOf[scale]
  const usage = new Usage(server.pids, scale !== 'smoke')
  await warmUp(server, scale === 'smoke' ? 2 : 200)
  const empty = await usage.emptyRss()
  const prefix = newBoard()
  const before = usage.cpu()
  const start = performance.now()
  const people = await inParallel(count, index => Person.join(server, `${prefix}-${index % (count / 10)}`), 50)
  const seconds = (performance.now() - start) / 1_000
  const cpu = usage.cpu() - before
  const rss = await usage.settledRss()
  if (people.some(person => !person.open)) throw new Error('a connection was closed')
  for (const person of people) person.stop()
  return {
    perSecond: count / seconds,
    cpuEach: (cpu / count) * 1_000,
    rssEach: ((rss - empty) / count) * 1024,
  }
}

/** What the compiler needs to have seen. */
async function warmUp(server: Server, count: number): Promise<void> {
  const board = newBoard()
  const people = await inParallel(count, () => Person.join(server, board))
  for (const person of people) person.stop()
}

const idleOf: Record<Scale, number> = { smoke: 20, quick: 1_500, full: 10_000 }

/** Connections, five to a board, that stay and say nothing. */
async function idle(server: Server, scale: Scale): Promise<Figures> {
  const count = idleOf[scale]
  const usage = new Usage(server.pids, scale !== 'smoke')
  await warmUp(server, scale === 'smoke' ? 2 : 200)
  const empty = await usage.emptyRss()
  const prefix = newBoard()
  const people = await inParallel(count, index => Person.join(server, `${prefix}-${index % (count / 5)}`), 50)
  const rss = await usage.settledRss(30_000)
  // Of their coming: it is their staying that is measured.
  await usage.collectGarbage()
  const seconds = scale === 'smoke' ? 1 : 40
  const before = usage.cpu()
  await pause(seconds * 1_000)
  const cpu = usage.cpu() - before
  if (people.some(person => !person.open)) throw new Error('a connection was closed')
  for (const person of people) person.stop()
  return { rssEach: ((rss - empty) / count) * 1024, cpuShare: (cpu / seconds) * 100 }
}

/** What is told of boards that are drawn on, at whatever pace. */
const storing: Scenario['servers'] = ['relay', 'y-websocket-server', 'hocuspocus + Postgres', 'boardsync']
const cost = { key: 'cpuPerMillion', title: 'CPU s per 1M delivered edits', digits: 0 }
const latency = [
  { key: 'p50', title: 'p50 ms', digits: 1 },
  { key: 'p99', title: 'p99 ms', digits: 1 },
]
const cheap: Scenario['goals'][number] = { figure: 'cpuPerMillion', to: ['hocuspocus + Postgres'], atMost: 0.6 }

export const boards: readonly Scenario[] = [
  {
    name: 'boards',
    title: '500 boards, two people on each',
    about:
      'One edit per second and board, for a minute, of which the second half counts; memory after 5 s. Delivered means: the other one has it.',
    servers: storing,
    figures: [cost, { key: 'rssPerBoard', title: 'kB RSS per board', digits: 0 }, ...latency],
    goals: [cheap, { figure: 'rssPerBoard', to: ['hocuspocus + Postgres'], atMost: 0.5 }],
    run: (server, scale) => busyBoards(server, scale),
  },
  {
    name: 'boards-drawn-on',
    title: '500 boards, two people on each, four edits a second',
    about: 'As above, with four edits per second and board.',
    servers: storing,
    figures: [cost, ...latency],
    goals: [cheap],
    run: (server, scale) => busyBoards(server, scale, { editsPerSecond: 4 }),
  },
  {
    name: 'connections',
    title: '2,000 connections to 200 boards',
    about: 'Fifty at a time, each until it has the answer to its step 1.',
    servers: ['relay', 'y-websocket-server', 'hocuspocus', 'boardsync'],
    figures: [
      { key: 'perSecond', title: 'connections/s', digits: 0 },
      { key: 'cpuEach', title: 'CPU ms each', digits: 2 },
      { key: 'rssEach', title: 'kB RSS each', digits: 0 },
    ],
    goals: [
      { figure: 'perSecond', to: ['y-websocket-server'], atLeast: 1 },
      { figure: 'rssEach', to: ['y-websocket-server'], atMost: 1 },
    ],
    run: connecting,
  },
  {
    name: 'idle',
    title: '10,000 idle connections on 2,000 boards',
    about: 'They have joined, and say nothing for 40 s.',
    servers: ['y-websocket-server', 'hocuspocus', 'boardsync'],
    figures: [
      { key: 'rssEach', title: 'kB RSS each', digits: 0 },
      { key: 'cpuShare', title: '% of a core', digits: 1 },
    ],
    goals: [
      { figure: 'rssEach', atMost: 20 },
      { figure: 'cpuShare', atMost: 5 },
    ],
    run: idle,
  },
]
