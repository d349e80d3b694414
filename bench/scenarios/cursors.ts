/** Cursor storms: everybody moves the mouse. Delivered are moves × the others, however few frames bring them. */
import { Person, Reader } from '../load/person.ts'
import { evenly, fact, inParallel, newBoard, percentile, type Scale, type Scenario } from '../scenario.ts'
import type { Server, ServerName } from '../servers.ts'
import { Usage } from '../usage.ts'
import { askingForDeflated, awareness, type CursorState, isAwareness, type Message, readAwareness } from '../wire.ts'

const seconds: Record<Scale, number> = { smoke: 0.5, quick: 5, full: 12 }
/** Before anything is counted: a server's first seconds are its compiler's. */
const warmUp = 0.3
const latenciesFrom = 10

interface Storm {
  people: number
  movesPerSecond: number
  /** As stock clients do: what they hear of others they send back. */
  echo: boolean
  /** As our page does: it asks for them deflated. */
  deflated?: boolean
}

/** Spread over 32 bits, as those that Yjs picks: what deflates badly has to be there. */
const clientOf = (person: number): number => ((person + 1) * 2_654_435_761) % 2 ** 32
const tenths = (value: number): number => Math.round(value * 10) / 10

/** A cursor with name, colour and place: about 200 bytes. Everybody circles about a place of their own. */
const stateOf = (person: number, clock: number, at: number): CursorState => ({
  client: clientOf(person),
  clock,
  json: JSON.stringify({
    user: { name: `Person ${person}`, color: '#4465e9', id: `user:${person}` },
    cursor: {
      x: tenths(1_000 + person * 17 + 300 * Math.sin(person + clock / 9)),
      y: tenths(1_000 + person * 13 + 300 * Math.cos(person + clock / 9)),
      rotation: 0,
      type: 'default',
    },
    selectedShapeIds: [],
    camera: { x: 0, y: 0, z: 1 },
    at: tenths(at),
  }),
})

interface Heard extends CursorState {
  at: number
}

const statesIn = (message: Message): Heard[] =>
  message.kind === 'awareness'
    ? readAwareness(message.payload).map(state => ({ ...state, at: (JSON.parse(state.json)?.at as number) ?? 0 }))
    : []

async function run(server: Server, scale: Scale, { people: many, movesPerSecond, echo, deflated }: Storm) {
  const people = scale === 'smoke' ? Math.min(many, 8) : many
  const rounds = Math.ceil(seconds[scale] * movesPerSecond)
  const board = newBoard()
  const reader = new Reader(statesIn)
  const latencies: number[] = []
  const seen: Map<number, number>[] = []

  // Who measures nothing and echoes nothing has nothing to read before the last moves: that would be the load's own work.
  let isLastRound = false
  let bytes = 0
  const crowd: Person[] = []
  await inParallel(people, async index => {
    const own = clientOf(index)
    const clocks = new Map<number, number>()
    seen[index] = clocks
    const hear = (message: Uint8Array) => {
      bytes += message.byteLength
      if (!isAwareness(message) || !(echo || isLastRound || index < latenciesFrom)) return
      const news = reader.read(message).filter(({ client, clock }) => clock > (clocks.get(client) ?? -1))
      for (const { client, clock, at } of news) {
        clocks.set(client, clock)
        if (index < latenciesFrom && client !== own) latencies.push(performance.now() - at)
      }
      const foreign = echo ? news.filter(({ client }) => client !== own) : []
      if (foreign.length > 0) crowd[index]?.send(awareness(foreign))
    }
    crowd[index] = await Person.join(server, board, index, hear, deflated ? askingForDeflated : [])
  })
  const usage = new Usage(server.pids, scale !== 'smoke')
  const counted = Math.ceil(rounds * (1 - warmUp))
  let before = usage.cpu()
  await evenly(rounds * people, movesPerSecond * people, index => {
    if (index === (rounds - counted) * people) {
      before = usage.cpu()
      latencies.length = 0
      bytes = 0
    }
    isLastRound = index >= (rounds - 1) * people
    const person = index % people
    crowd[person]?.send(awareness([stateOf(person, Math.floor(index / people), performance.now())]))
  })
  await fact('everybody sees the last place of every cursor', () =>
    seen.every((clocks, index) =>
      crowd.every((_, other) => other === index || clocks.get(clientOf(other)) === rounds - 1),
    ),
  )
  const cpu = usage.cpu() - before
  for (const person of crowd) person.stop()
  return {
    cpuPerMillion: (cpu / (counted * people * (people - 1))) * 1e6,
    cpuShare: cpu / (counted / movesPerSecond),
    p50: percentile(latencies, 0.5),
    p95: percentile(latencies, 0.95),
    kilobytes: bytes / people / (counted / movesPerSecond) / 1000,
  }
}

const stormOf = (storm: Storm, rest: Pick<Scenario, 'goals' | 'servers'>): Scenario => ({
  name: `cursors-${storm.people}${storm.echo ? '-stock' : ''}`,
  title: `${storm.people} cursors at ${storm.movesPerSecond} Hz${storm.echo ? ', of clients that send back what they hear' : ''}`,
  about: 'Everybody moves all the time. A cursor state has about 250 bytes; counted is every move times the others.',
  figures: [
    { key: 'cpuPerMillion', title: 'CPU s per 1M delivered moves', digits: 3 },
    { key: 'cpuShare', title: 'cores', digits: 2 },
    { key: 'p50', title: 'p50 ms', digits: 0 },
    { key: 'p95', title: 'p95 ms', digits: 0 },
  ],
  run: (server, scale) => run(server, scale, storm),
  ...rest,
})

/** What a crowd costs each client in bytes, and the server in CPU: stock clients, then clients that ask for them deflated. */
const compared: Scenario = {
  name: 'cursors-deflated',
  title: '100 cursors at 20 Hz, deflated for who asks',
  about:
    'One board of stock clients, then one of clients that offer `boardsync.deflate`, as our page does. The same moves.',
  servers: ['boardsync'],
  figures: [
    { key: 'share', title: 'bytes, × of stock', digits: 3 },
    { key: 'stockKilobytes', title: 'kB/s to each stock client', digits: 0 },
    { key: 'kilobytes', title: 'kB/s to each that asks', digits: 0 },
    { key: 'stockCpuShare', title: 'cores, stock', digits: 3 },
    { key: 'cpuShare', title: 'cores, deflated', digits: 3 },
    { key: 'stockP95', title: 'p95 ms, stock', digits: 0 },
    { key: 'p95', title: 'p95 ms, deflated', digits: 0 },
  ],
  goals: [{ figure: 'share', atMost: 0.2 }],
  async run(server, scale) {
    const storm: Storm = { people: 100, movesPerSecond: 20, echo: false }
    const stock = await run(server, scale, storm)
    const asking = await run(server, scale, { ...storm, deflated: true })
    return {
      ...asking,
      share: asking.kilobytes / stock.kilobytes,
      stockKilobytes: stock.kilobytes,
      stockCpuShare: stock.cpuShare,
      stockP95: stock.p95,
    }
  },
}

const everyServer: readonly ServerName[] = ['relay', 'y-websocket-server', 'hocuspocus', 'boardsync']

export const cursors: readonly Scenario[] = [
  stormOf(
    { people: 100, movesPerSecond: 20, echo: false },
    { servers: everyServer, goals: [{ figure: 'cpuPerMillion', to: ['relay'], atMost: 0.1 }] },
  ),
  stormOf(
    { people: 40, movesPerSecond: 10, echo: true },
    {
      servers: ['y-websocket-server', 'hocuspocus', 'boardsync'],
      goals: [{ figure: 'cpuPerMillion', to: ['hocuspocus'], atMost: 0.2 }],
    },
  ),
  stormOf(
    { people: 500, movesPerSecond: 10, echo: false },
    {
      servers: ['boardsync'],
      goals: [
        { figure: 'cpuShare', atMost: 1 },
        { figure: 'p95', atMost: 150 },
      ],
    },
  ),
  compared,
]
