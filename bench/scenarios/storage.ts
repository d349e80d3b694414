/** What edits cost at rest: rows of the log, and a board that two people dragged over in turn. */
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import * as Y from 'yjs'
import { Hearing, heardIn } from '../load/hearing.ts'
import { Person } from '../load/person.ts'
import { contentOfDoc } from '../load/writers.ts'
import { type Figures, fact, newBoard, type Scale, type Scenario } from '../scenario.ts'
import type { Server } from '../servers.ts'
import { edit, read } from '../wire.ts'

const editsOf: Record<Scale, number> = { smoke: 50, quick: 20_000, full: 100_000 }
const burst = 50

async function run(server: Server, scale: Scale): Promise<Figures> {
  if (!server.database) throw new Error(`${server.name} stores nothing`)
  const board = newBoard()
  // Over one connection: on two, a step could come in before the one it follows.
  const person = await Person.join(server, board)
  const docs = [1, 2].map(client => {
    const doc = new Y.Doc()
    doc.clientID = client
    return doc
  })
  const hearing = new Hearing()
  const other = await Person.join(server, board, 0, message => hearing.take(heardIn(read(message))))
  let sentBytes = 0
  const edits = editsOf[scale]
  for (let index = 0; index < edits; index++) {
    const update = dragged(docs[index % 2] as Y.Doc, index)
    Y.applyUpdate(docs[(index + 1) % 2] as Y.Doc, update)
    person.send(edit(update))
    sentBytes += update.byteLength
    if (index % burst === burst - 1) await pause(10)
  }
  const clocks = new Map(docs.map(doc => [doc.clientID, Y.getState(doc.store, doc.clientID)]))
  await fact('the other has every edit', () => hearing.hasAll(clocks))

  const client = new pg.Client({ connectionString: server.database })
  await client.connect()
  const logged = await numberOf(
    client,
    `SELECT coalesce(sum(octet_length(data)), 0) FROM (
       SELECT data FROM boardsync.board_updates WHERE board_id = $1
       UNION ALL SELECT data FROM boardsync.board_history WHERE board_id = $1) AS stored`,
    board,
  )
  await server.restart()
  const stored = new Y.Doc()
  const newcomer = await Person.join(server, board, 0, message => {
    const heard = read(message)
    if (heard.kind === 'update' || heard.kind === 'step-2') Y.applyUpdate(stored, heard.payload)
  })
  const [drawn] = docs as [Y.Doc]
  if (contentOfDoc(stored) !== contentOfDoc(drawn)) throw new Error('the board that is stored is another one')
  const atRest = await numberOf(
    client,
    `SELECT coalesce(octet_length(state), 0) FROM boardsync.canvas_snapshots WHERE board_id = $1 ORDER BY seq DESC LIMIT 1`,
    board,
  )
  await client.end()
  newcomer.stop()
  other.stop()
  const naive = Y.encodeStateAsUpdate(drawn).byteLength
  return { logRatio: logged / sentBytes, atRestShare: atRest / naive, naive: naive / 1024, atRest: atRest / 1024 }
}

function dragged(doc: Y.Doc, step: number): Uint8Array {
  let update: Uint8Array = new Uint8Array()
  doc.once('update', (bytes: Uint8Array) => {
    update = bytes
  })
  doc.getMap('tldraw').set('shape:shared', [step, -step, 0, 'page:page', 'a1'])
  return update
}

async function numberOf(client: pg.Client, sql: string, board: string): Promise<number> {
  const { rows } = await client.query(sql, [board])
  return Number(Object.values(rows[0] ?? {})[0] ?? 0)
}

export const storage: readonly Scenario[] = [
  {
    name: 'storage',
    title: 'Two people drag one shape in turn, 100,000 steps',
    about:
      'Bytes of log and packed history against the bytes of the updates; the snapshot against the board’s V1 encoding.',
    servers: ['boardsync'],
    // One socket stands for two people who draw for half an hour.
    settings: { RATE_WS_DOC: '100000/s burst 100000' },
    figures: [
      { key: 'logRatio', title: 'log ÷ updates', digits: 2 },
      { key: 'atRestShare', title: 'at rest ÷ V1', digits: 3 },
      { key: 'naive', title: 'V1 kB', digits: 0 },
      { key: 'atRest', title: 'at rest kB', digits: 1 },
    ],
    goals: [
      { figure: 'logRatio', atMost: 1.5 },
      { figure: 'atRestShare', atMost: 0.05 },
    ],
    run,
  },
]
