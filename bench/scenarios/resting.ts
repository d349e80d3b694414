/** Boards that are open and that nobody edits: what they take while their document is awake, when it rests, and to wake it. */
import { setTimeout as pause } from 'node:timers/promises'
import * as Y from 'yjs'
import { Hearing, heardIn } from '../load/hearing.ts'
import { Person, Reader } from '../load/person.ts'
import { recordOf } from '../load/writers.ts'
import { type Figures, fact, inParallel, newBoard, percentile, type Scale, type Scenario } from '../scenario.ts'
import type { Server } from '../servers.ts'
import { Usage } from '../usage.ts'
import { edit } from '../wire.ts'

const boardsOf: Record<Scale, number> = { smoke: 3, quick: 100, full: 400 }
const shapesPerBoard = 50
/** Longer than a document has to be unused before it rests. */
const unusedForMs = 45_000

async function run(server: Server, scale: Scale): Promise<Figures> {
  const count = boardsOf[scale]
  const usage = new Usage(server.pids, scale !== 'smoke')
  const empty = await usage.emptyRss()
  const reader = new Reader(heardIn)
  const boards = await inParallel(count, () => drawnBoard(server, reader))
  const awake = await usage.settledRss()
  await pause(scale === 'smoke' ? 0 : unusedForMs)
  const resting = await usage.settledRss()

  const times: number[] = []
  for (const { doc, author, hearing } of boards) {
    const start = performance.now()
    author.send(edit(changeOf(doc, () => doc.getMap('tldraw').set('shape:late', recordOf('shape:late')))))
    const clocks = new Map([[doc.clientID, Y.getState(doc.store, doc.clientID)]])
    await fact('the echo of the first edit', () => hearing.hasAll(clocks))
    times.push(performance.now() - start)
  }
  for (const { author } of boards) author.stop()
  return {
    resting: ((resting - empty) / count) * 1024,
    awake: ((awake - empty) / count) * 1024,
    firstEdit: percentile(times, 0.5),
  }
}

async function drawnBoard(server: Server, reader: Reader<ReturnType<typeof heardIn>>) {
  const doc = new Y.Doc()
  const hearing = new Hearing()
  const author = await Person.join(server, newBoard(), 0, message => hearing.take(reader.read(message)))
  const update = changeOf(doc, () => {
    for (let index = 0; index < shapesPerBoard; index++) {
      const shape = new Y.Map<unknown>()
      doc.getMap('tldraw').set(`shape:${index}`, shape)
      shape.set('base', recordOf(`shape:${index}`))
    }
  })
  author.send(edit(update))
  const clocks = new Map([[doc.clientID, Y.getState(doc.store, doc.clientID)]])
  await fact('the echo of what was drawn', () => hearing.hasAll(clocks))
  return { doc, author, hearing }
}

/** @returns the update that the change makes, as one transaction */
function changeOf(doc: Y.Doc, change: () => void): Uint8Array {
  let update: Uint8Array = new Uint8Array()
  doc.once('update', (bytes: Uint8Array) => {
    update = bytes
  })
  doc.transact(change)
  return update
}

export const resting: readonly Scenario[] = [
  {
    name: 'resting',
    title: '400 open boards of 50 shapes that nobody edits',
    about:
      'One person on each. Resting: 45 s after the last edit. First edit: until its author has the echo (looked at every 5 ms).',
    servers: ['y-websocket-server', 'boardsync'],
    figures: [
      { key: 'resting', title: 'kB RSS per board, resting', digits: 0 },
      { key: 'awake', title: 'kB RSS per board, awake', digits: 0 },
      { key: 'firstEdit', title: 'first edit ms', digits: 1 },
    ],
    goals: [],
    run,
  },
]
