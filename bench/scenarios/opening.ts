/** A big board: opened by the first, by the next, by fifty at once; and what others notice of a huge one being opened. */
import { setTimeout as pause } from 'node:timers/promises'
import * as Y from 'yjs'
import { Openers } from '../load/openers.ts'
import { Pair } from '../load/pair.ts'
import { Person } from '../load/person.ts'
import { contentOfDoc, makeWriter, recordOf } from '../load/writers.ts'
import { type Figures, fact, newBoard, percentile, type Scale, type Scenario } from '../scenario.ts'
import type { Server } from '../servers.ts'
import { Usage } from '../usage.ts'
import { edit, read } from '../wire.ts'

const shapesOf: Record<Scale, number> = { smoke: 200, quick: 20_000, full: 20_000 }
const hugeOf: Record<Scale, number> = { smoke: 300, quick: 50_000, full: 100_000 }
const herdOf: Record<Scale, number> = { smoke: 3, quick: 50, full: 50 }
/** What is sent to a socket in this time waits in the server. */
const slowLineMs: Record<Scale, number> = { smoke: 50, quick: 10_000, full: 10_000 }
const shapesPerUpdate = 1_000

/** @returns the board's content, once it is all there and stored */
export async function draw(server: Server, board: string, shapes: number): Promise<string> {
  const doc = new Y.Doc()
  const author = await Person.join(server, board)
  const seen = new Y.Doc()
  const witness = await Person.join(server, board, 0, message => applyTo(seen, message))
  doc.on('update', (update: Uint8Array) => author.send(edit(update)))
  for (let first = 0; first < shapes; first += shapesPerUpdate) {
    doc.transact(() => {
      for (let index = first; index < Math.min(first + shapesPerUpdate, shapes); index++) {
        const shape = new Y.Map<unknown>()
        doc.getMap('tldraw').set(`shape:${index}`, shape)
        shape.set('base', recordOf(`shape:${index}`))
      }
    })
    // At the pace of a busy board: nobody draws all of it in one second.
    await pause(50)
  }
  await fact('the board is drawn', () => Y.getState(seen.store, doc.clientID) === Y.getState(doc.store, doc.clientID))
  const content = contentOfDoc(doc)
  author.stop()
  witness.stop()
  return content
}

function applyTo(doc: Y.Doc, message: Uint8Array): void {
  const content = read(message)
  if (content.kind === 'update' || content.kind === 'step-2') Y.applyUpdate(doc, content.payload)
}

async function bigBoard(server: Server, scale: Scale): Promise<Figures> {
  const board = newBoard()
  const content = await draw(server, board, shapesOf[scale])
  const openers = await Openers.start()
  let cold: number | undefined
  if (server.name !== 'y-websocket-server') {
    // Hocuspocus stores what it holds when it is told to end; ours has it already.
    await pause(scale === 'smoke' ? 0 : 3_000)
    await server.restart()
    await warmUp(server, openers)
    cold = (await openers.open(server, board))[0]
    await openers.check(content)
  }
  const usage = new Usage(server.pids, scale !== 'smoke')
  const warm: number[] = []
  const one = await Person.join(server, board)
  for (let times = 0; times < (scale === 'smoke' ? 1 : 7); times++) {
    warm.push(...(await openers.open(server, board)))
    await openers.check(content)
  }
  const herd = await openers.open(server, board, herdOf[scale])
  await openers.check(content)
  const before = await usage.settledRss()
  usage.resetPeak()
  await openers.open(server, board, herdOf[scale], slowLineMs[scale])
  const peak = usage.peak() - before
  await openers.check(content)
  openers.stop()
  one.stop()
  return {
    cold: cold ?? Number.NaN,
    warm: percentile(warm, 0.5),
    herdP99: percentile(herd, 0.99),
    herdPeak: peak,
  }
}

/** Its first connections are a server's slowest. */
export async function warmUp(server: Server, openers: Openers): Promise<void> {
  for (let times = 0; times < 20; times++) await openers.open(server, newBoard())
  await openers.check(contentOfDoc(new Y.Doc()))
}

/** Time to wake the document, then 2 s without an edit, and to store it. */
const untilStoredMs = 15_000

/** Two people work on a small board while a huge one is opened, opened again, and edited, for which it is stored as a whole. */
async function hugeBoard(server: Server, scale: Scale): Promise<Figures> {
  const board = newBoard()
  const content = await draw(server, board, hugeOf[scale])
  const openers = await Openers.start()
  await pause(scale === 'smoke' ? 0 : 5_000)
  await server.restart()
  await warmUp(server, openers)

  const pair = await Pair.start(server)
  await pause(1_500)
  const calm = percentile(pair.latencies(), 0.99)
  const [first = Number.NaN] = await openers.open(server, board)
  const [second = Number.NaN] = await openers.open(server, board)
  await pause(500)
  const slowest = Math.max(...pair.latencies())
  const editor = await Person.join(server, board)
  await pause(500)
  pair.latencies()
  const change = makeWriter(2_000, 1)
  editor.send(edit(change.updates[0] ?? new Uint8Array()))
  await pause(scale === 'smoke' ? 100 : untilStoredMs)
  const storing = Math.max(...pair.latencies())
  await pair.stop()
  await openers.check(content)
  openers.stop()
  editor.stop()
  return { open: first, again: second, slowest, storing, calm }
}

export const opening: readonly Scenario[] = [
  {
    name: 'big-board',
    title: 'A board of 20,000 shapes (11 MB) is opened',
    about:
      'Cold: by the first after a restart. Warm: while somebody is there. Herd: by fifty at once. Until the answer to step 1 is there. Memory: fifty on lines that take nothing for 10 s.',
    servers: ['y-websocket-server', 'hocuspocus + Postgres', 'boardsync'],
    figures: [
      { key: 'herdP99', title: 'herd p99 ms', digits: 0 },
      { key: 'cold', title: 'cold ms', digits: 0 },
      { key: 'warm', title: 'warm ms', digits: 0 },
      { key: 'herdPeak', title: 'slow herd, peak RSS, MB more', digits: 0 },
    ],
    goals: [
      { figure: 'cold', to: ['hocuspocus + Postgres'], atMost: 0.35 },
      { figure: 'warm', to: ['hocuspocus + Postgres'], atMost: 0.06 },
      { figure: 'herdP99', to: ['hocuspocus + Postgres'], atMost: 0.07 },
      { figure: 'herdPeak', to: ['hocuspocus + Postgres'], atMost: 0.12 },
    ],
    run: bigBoard,
  },
  {
    name: 'huge-board',
    title: 'A board of 100,000 shapes is opened while two people work on another',
    about:
      'How long the slowest edit of the two takes to arrive: while it is opened, in the 15 s after an edit to it, and p99 before it is touched.',
    servers: ['hocuspocus + Postgres', 'boardsync'],
    figures: [
      { key: 'slowest', title: 'slowest edit of others, ms', digits: 0 },
      { key: 'storing', title: 'slowest after an edit to it, ms', digits: 0 },
      { key: 'calm', title: 'p99 before, ms', digits: 0 },
      { key: 'open', title: 'opened in ms', digits: 0 },
      { key: 'again', title: 'again in ms', digits: 0 },
    ],
    goals: [
      { figure: 'slowest', atMost: 80 },
      { figure: 'storing', atMost: 80 },
    ],
    run: hugeBoard,
  },
]
