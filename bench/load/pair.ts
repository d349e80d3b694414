/** Two people who work on a small board, so that what they wait for each other's edits tells what else stops the server. */
import { fact, newBoard } from '../scenario.ts'
import type { Server } from '../servers.ts'
import { edit } from '../wire.ts'
import { Hearing, heardIn } from './hearing.ts'
import { Person, Reader } from './person.ts'
import { makeWriter } from './writers.ts'

const editEveryMs = 5
const editsAtMost = 40_000

export class Pair {
  readonly #writer = makeWriter(1_000, editsAtMost)
  readonly #sentAt: number[] = []
  readonly #latencies: number[] = []
  readonly #hearing = new Hearing(new Map([[this.#writer.client, this.#sentAt]]), this.#latencies)
  readonly #people: Person[] = []
  #step = 0
  #timer: NodeJS.Timeout | undefined

  static async start(server: Server): Promise<Pair> {
    const pair = new Pair()
    const reader = new Reader(heardIn)
    const board = newBoard()
    const author = await Person.join(server, board)
    const other = await Person.join(server, board, 0, message => pair.#hearing.take(reader.read(message)))
    pair.#people.push(author, other)
    pair.#timer = setInterval(() => pair.#draw(author), editEveryMs)
    return pair
  }

  /** How long each edit took to arrive, in ms: of those that did since this was last asked. */
  latencies(): number[] {
    return this.#latencies.splice(0)
  }

  /** @throws Error when an edit did not arrive */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    const sent = new Map([[this.#writer.client, this.#writer.clocks[this.#step - 1] ?? 0]])
    await fact('the small board has every edit', () => this.#hearing.hasAll(sent))
    for (const person of this.#people) person.stop()
  }

  #draw(author: Person): void {
    const update = this.#writer.updates[this.#step]
    if (!update) return
    this.#sentAt[this.#writer.clocks[this.#step] ?? 0] = performance.now()
    author.send(edit(update))
    this.#step += 1
  }
}
