/** After all trouble: is everything the same everywhere, and is each change there as often as its author was told? */

import { isDeepStrictEqual } from 'node:util'
import pg from 'pg'
import { connectStock, type StockClient } from '../kit/stock-client.ts'
import { until } from '../kit/until.ts'
import type { Agent } from './agents.ts'
import type { BoardView } from './board-view.ts'
import type { Person } from './person.ts'
import type { Scene } from './scene.ts'

/** Waits until nothing is under way any more, then looks. @returns what is wrong, one sentence each */
export async function verdict(scene: Scene, { timeout = 60_000 } = {}): Promise<string[]> {
  const faults: string[] = []
  for (const { seat } of scene.seats) faults.push(...seat.ownEnds)
  for (const agent of scene.agents) faults.push(...agent.faults)
  faults.push(...(await logFaults(scene, timeout)))
  for (const board of scene.boards) faults.push(...(await boardFaults(scene, board, timeout)))
  return faults
}

async function boardFaults(scene: Scene, board: string, timeout: number): Promise<string[]> {
  const people = scene.people.filter(person => person.board === board)
  const newcomers = scene.seatsOf('all', 'ws').map(seat => connectStock(seat.instance.wsUrl, board))
  try {
    const clients = [...people.map(({ client }) => client), ...newcomers]
    const [first] = people
    if (!first) return [`nobody is on ${board}`]
    const differences = () => clients.flatMap(client => differenceBetween(first.client, client) ?? [])
    const same = until(() => clients.every(({ provider }) => provider.synced) && differences().length === 0, {
      timeout,
      what: `everyone on ${board} to have the same`,
    })
    const apart = await same.then(
      () => [],
      () => differences().map(difference => `${board}: two clients differ: ${difference}`),
    )
    const agents = scene.agents.filter(agent => agent.board === board)
    return [
      ...apart,
      ...lineFaults(people, first),
      ...agents.flatMap(agent => changeFaults(agent, first.view)),
      ...people.flatMap(person => person.view.wentBack.map(fault => `${board}: ${person.name} saw that ${fault}`)),
      ...(await listFaults(scene, board, first.view)),
    ]
  } finally {
    for (const newcomer of newcomers) newcomer.stop()
  }
}

const contentOf = ({ doc }: StockClient) => ({
  records: doc.getMap('tldraw').toJSON(),
  lines: doc.getArray('lines').toArray(),
})

/** Where the boards of two clients differ, if they do. */
function differenceBetween(one: StockClient, other: StockClient): string | undefined {
  const [mine, theirs] = [contentOf(one), contentOf(other)]
  if (isDeepStrictEqual(mine, theirs)) return undefined
  const keys = new Set([...Object.keys(mine.records), ...Object.keys(theirs.records)])
  const records = [...keys].filter(key => !isDeepStrictEqual(mine.records[key], theirs.records[key]))
  return `${mine.lines.length} and ${theirs.lines.length} lines, other records: ${some(records)}`
}

/** Each line is there once, and everyone's are in the order of writing. */
function lineFaults(people: readonly Person[], at: Person): string[] {
  const lines = at.lines()
  return people.flatMap(person => {
    const found = lines.filter(line => line.startsWith(`${person.name}·`))
    const written = person.written()
    return found.join() === written.join()
      ? []
      : [`${person.name} wrote ${written.length} lines, and ${found.length} are there: ${differences(written, found)}`]
  })
}

function differences(expected: readonly string[], found: readonly string[]): string {
  const lost = expected.filter(line => !found.includes(line))
  const doubled = found.filter((line, at) => found.indexOf(line) !== at)
  return `lost ${some(lost)}, doubled ${some(doubled)}${lost.length + doubled.length === 0 ? ', out of order' : ''}`
}

function changeFaults(agent: Agent, view: BoardView): string[] {
  const own = view.items().filter(({ maker }) => maker === agent.name)
  if (agent.manner === 'same item') return counterFaults(agent, own)
  const inOrder = own.sort((a, b) => (a.index < b.index ? -1 : 1)).map(({ number }) => number)
  const times = (number: number) => inOrder.filter(other => other === number).length
  const lost = agent.certain.filter(number => times(number) === 0)
  const doubled = [...new Set(inOrder)].filter(number => times(number) > 1)
  const asked = new Set([...agent.certain, ...agent.doubtful])
  const strange = inOrder.filter(number => !asked.has(number))
  // Of a change without an answer nobody knows when it was stored.
  const known = agent.manner === 'published' ? inOrder : inOrder.filter(number => agent.certain.includes(number))
  const early = known.filter((number, at) => number < (known[at - 1] ?? 0))
  return [
    ...(lost.length > 0 ? [`${agent.name}: lost ${some(lost)}`] : []),
    ...(doubled.length > 0 ? [`${agent.name}: doubled ${some(doubled)}`] : []),
    ...(strange.length > 0 ? [`${agent.name}: never asked for ${some(strange)}`] : []),
    ...(early.length > 0 ? [`${agent.name}: out of order ${some(early)}`] : []),
  ]
}

function counterFaults(agent: Agent, own: readonly { number: number }[]): string[] {
  const last = agent.certain.at(-1)
  const values = own.map(({ number }) => number)
  return values.length === 1 && values[0] === last ? [] : [`${agent.name}: is at ${values.join(' and ')}, not ${last}`]
}

/** Every instance that answers REST lists what people see. */
async function listFaults(scene: Scene, board: string, view: BoardView): Promise<string[]> {
  const seen = view
    .items()
    .map(({ id }) => id)
    .sort()
  const faults: string[] = []
  for (const seat of scene.seatsOf('all', 'api')) {
    const listed = (await listAll(seat.instance.url, board)).sort()
    if (listed.join() !== seen.join()) {
      faults.push(`${board}: an instance lists ${listed.length} items, people see ${seen.length}`)
    }
  }
  return faults
}

async function listAll(url: string, board: string): Promise<string[]> {
  const ids: string[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const query: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`
    const answer = await fetch(`${url}/v1/boards/${board}/items?limit=500${query}`)
    const page = (await answer.json()) as { items: { id: string }[]; next: string | null }
    ids.push(...page.items.map(({ id }) => `shape:${id}`))
    cursor = page.next
  }
  return ids
}

/** The log has no hole, no change waits or was refused, and none was decided twice. */
async function logFaults(scene: Scene, timeout: number): Promise<string[]> {
  const database = new pg.Client(scene.databaseUrl)
  await database.connect()
  try {
    const faults = async (sql: string) => (await database.query<{ fault: string }>(sql)).rows.map(({ fault }) => fault)
    const pending =
      "SELECT board_id || ': change ' || id || ' waits' AS fault FROM boardsync.item_changes WHERE status = 'pending'"
    await until(async () => (await faults(pending)).length === 0, { timeout, what: 'all changes to be decided' }).catch(
      () => undefined, // told below
    )
    return [
      ...(await faults(pending)),
      ...(await faults(`SELECT board_id || ': change ' || id || ' was rejected: ' || result AS fault
              FROM boardsync.item_changes WHERE status = 'rejected'`)),
      ...(await faults(`SELECT board_id || ': several changes have seq ' || seq AS fault FROM boardsync.item_changes
              WHERE status = 'applied' GROUP BY board_id, seq HAVING count(*) > 1`)),
      ...(await faults(`SELECT board_id || ': the log has a hole' AS fault FROM boardsync.board_updates
              JOIN boardsync.boards ON boards.id = board_id GROUP BY board_id, head_seq
              HAVING count(*) <> max(seq) - min(seq) + 1 OR max(seq) <> head_seq`)),
    ]
  } finally {
    await database.end()
  }
}

const some = (found: readonly (string | number)[]): string =>
  found.length > 8 ? `${found.slice(0, 8).join(' ')} and ${found.length - 8} more` : found.join(' ') || 'none'
