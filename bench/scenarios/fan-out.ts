/** Many people on one board; a few of them drag. What does it cost to bring each edit to each of the others? */
import * as Y from 'yjs'
import { Hearing, heardIn } from '../load/hearing.ts'
import { Person, Reader } from '../load/person.ts'
import { contentOf, contentOfDoc, makeWriter, type Writer } from '../load/writers.ts'
import { evenly, type Figures, fact, inParallel, newBoard, percentile, type Scale, type Scenario } from '../scenario.ts'
import type { Server, ServerName } from '../servers.ts'
import { Usage } from '../usage.ts'
import { edit, read } from '../wire.ts'

const seconds: Record<Scale, number> = { smoke: 0.5, quick: 6, full: 30 }
/** For so few that the compiler takes longer to see what is hot: of the 15th to 30th second it has a quarter, whosever they are. */
const longer = 60
/** Before anything is counted: a server's first seconds are its compiler's. */
const warmUp = 0.5
const latenciesFrom = 10

export interface Crowd {
  people: number
  editsPerSecond: number
  /** At full scale. */
  seconds?: number
}

export async function fanOutTo(server: Server, scale: Scale, crowd: Crowd): Promise<Figures> {
  const people = scale === 'smoke' ? Math.min(crowd.people, 8) : crowd.people
  const lasts = scale === 'full' ? (crowd.seconds ?? seconds.full) : seconds[scale]
  const writers = makeWriters(Math.min(people, 25), Math.ceil(crowd.editsPerSecond * lasts))
  const sentAt = new Map(writers.map(({ client }) => [client, [] as number[]]))
  const latencies: number[] = []
  const reader = new Reader(heardIn)
  const board = newBoard()

  const hearings: Hearing[] = []
  const witness = new Y.Doc()
  const crowdThere = await inParallel(people, async index => {
    const hearing = new Hearing(sentAt, index < people - latenciesFrom ? undefined : latencies)
    hearings[index] = hearing
    const isWitness = index === people - 1
    return Person.join(server, board, index, message => {
      hearing.take(reader.read(message))
      if (isWitness) applyTo(witness, message)
    })
  })

  const edits = writers.reduce((sum, { updates }) => sum + updates.length, 0)
  const counted = Math.ceil(edits * (1 - warmUp))
  const usage = new Usage(server.pids, scale !== 'smoke')
  let before = usage.cpu()
  await evenly(edits, crowd.editsPerSecond, index => {
    if (index === edits - counted) {
      for (const person of crowdThere) person.renew()
      before = usage.cpu()
      latencies.length = 0
    }
    const writer = writers[index % writers.length] as Writer
    const step = Math.floor(index / writers.length)
    const clock = writer.clocks[step] ?? 0
    const sent = sentAt.get(writer.client)
    if (sent) sent[clock] = performance.now()
    crowdThere[index % writers.length]?.send(edit(writer.updates[step] as Uint8Array))
  })
  const clocks = new Map(writers.map(({ client, clocks }) => [client, clocks.at(-1) ?? 0]))
  await fact('everybody has every edit', () =>
    hearings.every((one, index) => one.hasAll(clocks, writers[index]?.client)),
  )
  const cpu = usage.cpu() - before

  const expected = contentOf(writers.map(({ doc }) => doc))
  if (people <= writers.length) Y.applyUpdate(witness, Y.encodeStateAsUpdate((writers.at(-1) as Writer).doc))
  if (contentOfDoc(witness) !== expected) throw new Error('a client ended with another content')
  if (server.remembers) await checkNewcomer(server, board, expected)
  for (const person of crowdThere) person.stop()
  return {
    cpuPerMillion: (cpu / (counted * (people - 1))) * 1e6,
    p50: percentile(latencies, 0.5),
    p95: percentile(latencies, 0.95),
  }
}

function makeWriters(count: number, edits: number): Writer[] {
  return Array.from({ length: count }, (_, index) => makeWriter(1_000 + index, Math.ceil(edits / count)))
}

function applyTo(doc: Y.Doc, message: Uint8Array): void {
  const content = read(message)
  if (content.kind === 'update' || content.kind === 'step-2') Y.applyUpdate(doc, content.payload)
}

/** Who comes when all is over finds the same. */
export async function checkNewcomer(server: Server, board: string, expected: string): Promise<void> {
  const doc = new Y.Doc()
  const newcomer = await Person.join(server, board, 0, message => applyTo(doc, message))
  await fact('a newcomer has the same content', () => contentOfDoc(doc) === expected, 20_000)
  newcomer.stop()
}

const inMemory: readonly ServerName[] = ['y-websocket-server', 'hocuspocus']

const crowdOf = (crowd: Crowd, rest: Pick<Scenario, 'goals' | 'servers'>): Scenario => ({
  name: `fan-out-${crowd.people}${crowd.editsPerSecond < 50 ? '-calm' : ''}`,
  title: `${crowd.people} people on one board, ${crowd.editsPerSecond} edits/s`,
  about: 'Up to 25 of them drag a shape each; every edit goes to everybody else.',
  figures: [
    { key: 'cpuPerMillion', title: 'CPU s per 1M delivered edits', digits: 2 },
    { key: 'p50', title: 'p50 ms', digits: 1 },
    { key: 'p95', title: 'p95 ms', digits: 1 },
  ],
  run: (server, scale) => fanOutTo(server, scale, crowd),
  ...rest,
})

const everyServer: readonly ServerName[] = ['relay', 'y-websocket-server', 'hocuspocus', 'boardsync']

export const fanOut: readonly Scenario[] = [
  crowdOf(
    { people: 200, editsPerSecond: 250 },
    {
      servers: everyServer,
      goals: [
        { figure: 'cpuPerMillion', to: inMemory, atMost: 0.4 },
        { figure: 'p95', atMost: 40 },
      ],
    },
  ),
  crowdOf(
    { people: 50, editsPerSecond: 250, seconds: longer },
    {
      servers: ['relay', 'y-websocket-server', 'hocuspocus', 'hocuspocus + Postgres', 'boardsync'],
      goals: [{ figure: 'cpuPerMillion', to: inMemory, atMost: 0.5 }],
    },
  ),
  crowdOf(
    { people: 10, editsPerSecond: 250, seconds: longer },
    { servers: everyServer, goals: [{ figure: 'cpuPerMillion', to: inMemory, atMost: 1 }] },
  ),
  crowdOf({ people: 10, editsPerSecond: 10 }, { servers: everyServer, goals: [{ figure: 'p50', atMost: 5 }] }),
  {
    ...crowdOf({ people: 200, editsPerSecond: 250 }, { servers: ['boardsync', 'boardsync × 2 + Redis'], goals: [] }),
    name: 'fan-out-two-instances',
    title: '200 people on one board of one instance, and of two with Redis between them',
    about: 'CPU of both instances together. Half of the people are on each.',
  },
]
