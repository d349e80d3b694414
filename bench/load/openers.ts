/**
 * People who open big boards, in a process of their own: what taking in and looking through megabytes costs them is not to be
 * measured as a delay of those who draw meanwhile.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import * as Y from 'yjs'
import type { Server } from '../servers.ts'
import { hocuspocus, read, yWebsocket } from '../wire.ts'
import { type HowToOpen, type Opened, openLean } from './lean-person.ts'
import { contentOfDoc } from './writers.ts'

type Question =
  | { kind: 'open'; url: string; speaks: 'hocuspocus' | 'y-websocket'; board: string; people: number; waitsMs: number }
  /** Whether all that was opened so far has this content. */
  | { kind: 'check'; contentHash: string }

type Answer = { ms: number[] } | { failure: string }

export class Openers {
  readonly #process: ChildProcess

  private constructor(child: ChildProcess) {
    this.#process = child
  }

  static async start(): Promise<Openers> {
    const child = fork(fileURLToPath(import.meta.url), ['open'], {
      execArgv: ['--import', 'tsx', '--max-old-space-size=8192'],
    })
    await once(child, 'message')
    return new Openers(child)
  }

  /**
   * So many open the board at once.
   * @param waitsMs they take nothing for so long after they have asked
   * @returns how long each took, in ms
   */
  open(server: Server, board: string, people = 1, waitsMs = 0): Promise<number[]> {
    const speaks = server.dialect === hocuspocus ? 'hocuspocus' : 'y-websocket'
    return this.#ask({ kind: 'open', url: server.urls[0] ?? '', speaks, board, people, waitsMs })
  }

  /** @throws Error when somebody opened another content than this */
  async check(content: string): Promise<void> {
    await this.#ask({ kind: 'check', contentHash: hashOf(content) })
  }

  stop(): void {
    this.#process.disconnect()
  }

  async #ask(question: Question): Promise<number[]> {
    this.#process.send(question)
    const [answer] = (await once(this.#process, 'message')) as [Answer]
    if ('failure' in answer) throw new Error(answer.failure)
    return answer.ms
  }
}

const hashOf = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex')

let opened: Opened[] = []

async function answer(question: Question): Promise<number[]> {
  if (question.kind === 'check') {
    check(question.contentHash)
    opened = []
    return []
  }
  const { url, speaks, board, people, waitsMs } = question
  const server = { name: speaks, urls: [url], dialect: speaks === 'hocuspocus' ? hocuspocus : yWebsocket }
  const keep = people > 1 ? keepOnce() : undefined
  const now = await Promise.all(
    Array.from({ length: people }, () => openLean(server, board, { waitsMs, ...(keep && { keep }) })),
  )
  opened.push(...now)
  return now.map(({ ms }) => ms)
}

/** What all of them get is kept once: to come by the memory for fifty times the same takes longer than to receive it. */
function keepOnce(): NonNullable<HowToOpen['keep']> {
  const firsts: Buffer[] = []
  return (pieces, nth) => {
    const first = firsts[nth]
    if (!first) {
      firsts[nth] = Buffer.concat(pieces)
      return [firsts[nth]]
    }
    let at = 0
    for (const piece of pieces) {
      if (!first.subarray(at, at + piece.length).equals(piece)) return pieces
      at += piece.length
    }
    return at === first.length ? [first] : pieces
  }
}

/** Equal bytes are looked at once: fifty times a big board is more than this process could hold. */
function check(contentHash: string): void {
  const known = new Set<string>()
  for (const { messages } of opened) {
    const bytes = createHash('sha256')
    for (const piece of messages.flat()) bytes.update(piece)
    const key = bytes.digest('hex')
    if (known.has(key)) continue
    known.add(key)
    const doc = new Y.Doc()
    for (const pieces of messages) {
      const message = read(new Uint8Array(Buffer.concat(pieces)))
      if (message.kind === 'update' || message.kind === 'step-2') Y.applyUpdate(doc, message.payload)
    }
    if (hashOf(contentOfDoc(doc)) !== contentHash) throw new Error('somebody opened another board than was drawn')
  }
}

if (process.argv[2] === 'open') {
  process.on('message', (question: Question) => {
    answer(question).then(
      ms => process.send?.({ ms }),
      error => process.send?.({ failure: String(error) }),
    )
  })
  process.send?.('ready')
}
