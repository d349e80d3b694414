/** Cursor storms: everybody moves the mouse. Delivered are moves × the others, however few frames bring them. */
import { Person, Reader } from '../load/person.ts'
import { evenly, type Figures, fact, inParallel, newBoard, percentile, type Scale, type Scenario } from '../scenario.ts'
import type { Server, ServerName } from '../servers.ts'
import { Usage } from '../usage.ts'
import { awareness, type CursorState, type Message, readAwareness } from '../wire.ts'

const seconds: Record<Scale, number> = { smoke: 0.5, quick: 5, full: 12 }
/** Before anything is counted: a server's first seconds are its compiler's. */
const warmUp = 0.3
const latenciesFrom = 10

interface Storm {
  people: number
  movesPerSecond: number
  /** As stock clients do: what they hear of others they send back. */
  echo: boolean
}

/** A cursor with name, colour and place: about 200 bytes. */
const stateOf = (client: number, clock: number, at: number): CursorState => ({
  client,
  clock,
  json: JSON.stringify({
    user: { name: `Person ${client}`, color: '#4465e9', id: `user:${client}` },
    cursor: { x: 100.5 + clock, y: 2_000.25 - clock, rotation: 0, type: 'default' },
    selectedShapeIds: [],
    camera: { x: 0, y: 0, z: 1 },
    at: Math.round(at * 10) / 10,
  }),
})

interface Heard extends CursorState {
  at: number
}

const statesIn = (message: Message): Heard[] =>
  message.kind === 'awareness'
    ? readAwareness(message.payload).map(state => ({ ...state, at: (JSON.parse(state.json)?.at as number) ?? 0 }))
    : []

async function run(server: Server, scale: Scale, { people: many, movesPerSecond, echo }: Storm): Promise<Figures> {
  const people = scale === 'smoke' ? Math.min(many, 8) : many
  const rounds = Math.ceil(seconds[scale] * movesPerSecond)
  const board = newBoard()
  const reader = new Reader(statesIn)
  const latencies: number[] = []
  const seen: Map<number, number>[] = []

  // Who measures nothing and echoes nothing has nothing to read before the last moves: that would be the load's own work.
  let isLastRound = false
  const crowd: Person[] = []
  await inParallel(people, async index => {
    const clocks = new Map<number, number>()
    seen[index] = clocks
    crowd[index] = await Person.join(server, board, index, message => {
      if (message[0] !== 1 || !(echo || isLastRound || index < latenciesFrom)) return
      const news = reader.read(message).filter(({ client, clock }) => clock > (clocks.get(client) ?? -1))
      for (const { client, clock, at } of news) {
        clocks.set(client, clock)
        if (index < latenciesFrom && client !== index) latencies.push(performance.now() - at)
      }
      const foreign = echo ? news.filter(({ client }) => client !== index) : []
      if (foreign.length > 0) crowd[index]?.send(awareness(foreign))
    })
  })
  const usage = new Usage(server.pids, scale !== 'smoke')
  const counted = Math.ceil(rounds * (1 - warmUp))
  let before = usage.cpu()
  await evenly(rounds * people, movesPerSecond * people, index => {
    if (index === (rounds - counted) * people) {
      before = usage.cpu()
      latencies.length = 0
    }
    isLastRound = index >= (rounds - 1) * people
    const client = index % people
    crowd[client]?.send(awareness([stateOf(client, Math.floor(index / people), performance.now())]))
  })
  await fact('everybody sees the last place of every cursor', () =>
    seen.every((clocks, index) => crowd.every((_, other) => other === index || clocks.get(other) === rounds - 1)),
  )
  const cpu = usage.cpu() - before
  for (const person of crowd) person.stop()
  return {
    cpuPerMillion: (cpu / (counted * people * (people - 1))) * 1e6,
    cpuShare: cpu / (counted / movesPerSecond),
    p50: percentile(latencies, 0.5),
    p95: percentile(latencies, 0.95),
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
]
