/**
 * One schedule: a few clients and agents, a few instances that crash or stop and come back, a bus that
 * loses and doubles, a database in trouble; then peace.
 * At every moment what anybody but its author has seen is in the log; at the end all are equal, and each change was
 * applied once. All of it follows from the seed.
 */
import { vi } from 'vitest'
import * as Y from 'yjs'
import { parseBoardId } from '../../core/contract/board-id.ts'
import type { ItemChange } from '../../core/contract/change.ts'
import { updatesChannel } from '../../core/contract/channels.ts'
import { Replica } from '../../core/doc/replica.ts'
import { listItems } from '../kit/items.ts'
import { createUnreliableBus } from './bus.ts'
import { type Chance, chance } from './chance.ts'
import { SimulatedClient } from './client.ts'
import { SimulatedInstance } from './cluster.ts'
import { noMisfortune, SimulatedDatabase } from './database.ts'

const board = parseBoardId('simulated')
const steps = 60
const settleMs = 20_000

/** Runs under fake timers. @throws Error that names what did not hold */
export async function runSchedule(seed: number): Promise<void> {
  const luck = chance(seed)
  // The parts under test draw lots too (jitter): from the same seed. Not by a spy: it would keep every schedule alive.
  const { random } = Math
  Math.random = luck.number
  try {
    await run(luck)
  } finally {
    Math.random = random
  }
}

async function run(luck: Chance): Promise<void> {
  const truth = new Y.Doc()
  const database = new SimulatedDatabase(luck, (_board, update) => Y.applyUpdate(truth, update))
  const storage = database.connect()
  const bus = createUnreliableBus(luck)
  const begin = () => new SimulatedInstance(database.connect(), bus)
  const instances = Array.from({ length: luck.between(1, 3) }, begin)
  const clients = Array.from(
    { length: luck.between(2, 4) },
    (_, index) => new SimulatedClient(1000 + index, luck, client => assertDurable(client, truth)),
  )
  let asked = 0

  const reconnect = async (client: SimulatedClient) => {
    if (client.connected) return
    await luck.pick(instances).join(client, board).catch(unlessUnavailable)
  }
  const act = async () => {
    const what = luck.number()
    const client = luck.pick(clients)
    if (what < 0.5) edit(client.doc, luck)
    else if (what < 0.65) await reconnect(client)
    else if (what < 0.7) client.disconnect()
    else if (what < 0.85) {
      const id = `agent-${asked++}`
      const change = { action: 'create', item: { id, type: 'sticky', content: { text: id } } } as const
      await storage.changes.submit(newChange(id, change), true).catch(unlessUnavailable)
      bus.publish(updatesChannel(board), new TextEncoder().encode(JSON.stringify({ change_id: id })))
    } else if (what < 0.92) {
      const position = luck.between(0, instances.length - 1)
      if (luck.happens(0.7)) instances[position]?.crash()
      else void instances[position]?.stop()
      instances[position] = begin()
    } else if (what < 0.94) {
      bus.state = bus.state === 'up' ? 'down' : 'up'
    } else {
      database.misfortune = luck.happens(0.5)
        ? noMisfortune
        : { failsBefore: 0.2, failsAfter: 0.2, busy: 0.3, slowest: luck.pick([2, 40, 400]) }
    }
  }

  for (let step = 0; step < steps; step++) {
    const acted = act()
    await vi.advanceTimersByTimeAsync(luck.between(0, 60))
    void acted.catch(unlessUnavailable)
  }

  database.misfortune = noMisfortune
  bus.state = luck.pick(['up', 'up', 'down'])
  for (let waited = 0; waited < settleMs; waited += 500) {
    for (const client of clients) void reconnect(client)
    await vi.advanceTimersByTimeAsync(500)
    if (waited >= 3_000 && isPeace(database, clients, truth)) break
  }
  assertEqual(database, clients, truth)
  assertAppliedOnce(database, truth)
  for (const instance of instances) instance.crash()
}

const newChange = (publicId: string, change: ItemChange) => ({
  publicId,
  board,
  change: JSON.stringify(change),
  actor: 'agent:simulated' as const,
  idempotencyKey: undefined,
  requestHash: publicId,
})

/** Own keys and a shared one, deletions, and a bigger edit now and then. */
function edit(doc: Y.Doc, luck: Chance): void {
  const shared = doc.getMap('shared')
  doc.transact(() => {
    for (let count = luck.between(1, 3); count > 0; count--) {
      const key = luck.happens(0.3) ? 'everybody' : `${doc.clientID}-${luck.between(0, 5)}`
      if (luck.happens(0.2)) shared.delete(key)
      else shared.set(key, luck.happens(0.05) ? 'x'.repeat(300_000) : luck.between(0, 1_000_000))
    }
  })
}

/** Seen ⇒ durable: what this client has of others is in the log. */
function assertDurable(client: SimulatedClient, truth: Y.Doc): void {
  const durable = Y.decodeStateVector(Y.encodeStateVector(truth))
  for (const [author, clock] of Y.decodeStateVector(Y.encodeStateVector(client.doc))) {
    if (author !== client.doc.clientID && clock > (durable.get(author) ?? 0)) {
      throw new Error(`client ${client.doc.clientID} has seen an edit of ${author} that is not in the log`)
    }
  }
}

const contentOf = (doc: Y.Doc): string =>
  JSON.stringify([sorted(doc.getMap('shared').toJSON()), sorted(doc.getMap('tldraw').toJSON())])

const sorted = (map: Record<string, unknown>) => Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1))

function isPeace(database: SimulatedDatabase, clients: readonly SimulatedClient[], truth: Y.Doc): boolean {
  const content = contentOf(truth)
  const pending = database.changes().some(change => change.status === 'pending')
  return !pending && clients.every(client => client.connected && contentOf(client.doc) === content)
}

function assertEqual(database: SimulatedDatabase, clients: readonly SimulatedClient[], truth: Y.Doc): void {
  const stored = database.load(board)
  const loaded = stored ? new Replica(stored).doc : new Y.Doc()
  if (contentOf(loaded) !== contentOf(truth)) throw new Error('what is loaded is not what was committed')
  for (const client of clients) {
    if (!client.connected) throw new Error(`client ${client.doc.clientID} could not come back`)
    if (contentOf(client.doc) !== contentOf(truth)) {
      throw new Error(`client ${client.doc.clientID} differs from the log`)
    }
  }
}

function assertAppliedOnce(database: SimulatedDatabase, truth: Y.Doc): void {
  const there = new Set(listItems(truth).map(item => item.id))
  for (const { publicId, status } of database.changes()) {
    if (status !== 'applied') throw new Error(`change ${publicId} is ${status}`)
    if (!there.has(publicId)) throw new Error(`change ${publicId} was answered applied and is not on the board`)
  }
}

function unlessUnavailable(error: unknown): void {
  const expected = error instanceof Error && ['StorageError', 'SyncError'].includes(error.name)
  if (!expected) throw error
}
