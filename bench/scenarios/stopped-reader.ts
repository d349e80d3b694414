/** One of a board's people stops reading, as a suspended laptop does, while the others are sent megabytes. */
import { setTimeout as pause } from 'node:timers/promises'
import * as Y from 'yjs'
import { Hearing, heardIn } from '../load/hearing.ts'
import { Person, Reader } from '../load/person.ts'
import { contentOfDoc } from '../load/writers.ts'
import { type Figures, fact, newBoard, type Scale, type Scenario } from '../scenario.ts'
import type { Server } from '../servers.ts'
import { Usage } from '../usage.ts'
import { edit, read } from '../wire.ts'

const secondsOf: Record<Scale, number> = { smoke: 1, quick: 8, full: 12 }
const perSecond = 50
const bytesEach = 100_000

async function run(server: Server, scale: Scale): Promise<Figures> {
  const board = newBoard()
  const usage = new Usage(server.pids, scale !== 'smoke')
  const doc = new Y.Doc()
  const author = await Person.join(server, board)
  const content = new Y.Doc()
  const take = (message: Uint8Array) => {
    const heard = read(message)
    if (heard.kind === 'update' || heard.kind === 'step-2') Y.applyUpdate(content, heard.payload)
  }
  let stopped = await Person.join(server, board, 0, take)
  const reader = new Reader(heardIn)
  const hearing = new Hearing()
  const other = await Person.join(server, board, 0, message => hearing.take(reader.read(message)))

  const write = (index: number) => {
    let update: Uint8Array = new Uint8Array()
    doc.once('update', (bytes: Uint8Array) => {
      update = bytes
    })
    // Ever the same ten keys: what is overwritten is no part of the document any more.
    doc.getMap('tldraw').set(`blob:${index % 10}`, noise(bytesEach, index))
    author.send(edit(update))
  }
  const writeFor = async (seconds: number, from: number) => {
    for (let index = 0; index < seconds * perSecond; index++) {
      write(from + index)
      await pause(1_000 / perSecond)
    }
  }
  const heardByOther = () => hearing.hasAll(new Map([[doc.clientID, Y.getState(doc.store, doc.clientID)]]))

  // Once without: what a board that is drawn on takes anyway is not the reader's.
  await writeFor(secondsOf[scale], 0)
  await fact('the others have every edit', heardByOther)
  const before = await usage.held()
  stopped.pause()
  await writeFor(secondsOf[scale], 1_000)
  await fact('the others have every edit', heardByOther)
  const growth = (await usage.held()) - before
  stopped.resume()
  // Sent away while it took nothing, it comes back, as stock clients do.
  await pause(scale === 'smoke' ? 200 : 2_000)
  if (!stopped.open) stopped = await Person.join(server, board, 0, take)
  await fact('the one who stopped is right again', () => contentOfDoc(content) === contentOfDoc(doc), 30_000)
  for (const person of [author, stopped, other]) person.stop()
  return { growth, offered: (secondsOf[scale] * perSecond * bytesEach) / 1024 / 1024 }
}

/** Bytes that no compression makes smaller, different every time. */
const noise = (bytes: number, seed: number): Uint8Array => {
  let state = seed + 1
  return Uint8Array.from({ length: bytes }, () => {
    state = (state * 48_271) % 2_147_483_647
    return state & 255
  })
}

export const stoppedReader: readonly Scenario[] = [
  {
    name: 'stopped-reader',
    title: 'One reader stops while 5 MB/s are offered',
    about:
      'What the server holds more, its garbage collected, when the others have everything; then it reads on and has to end right.',
    servers: ['relay', 'y-websocket-server', 'hocuspocus', 'boardsync'],
    figures: [
      { key: 'growth', title: 'MB held more', digits: 0 },
      { key: 'offered', title: 'MB offered', digits: 0 },
    ],
    goals: [{ figure: 'growth', atMost: 16 }],
    run,
  },
]
