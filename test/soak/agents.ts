/**
 * Agents that ask for one change after the other, each numbered, while whom they ask may die at any moment. Each knows of
 * every change whether it has to be on the board now, or may be, for they never heard what became of it.
 */

import type { Redis } from 'ioredis'
import { pause } from '../../core/base/pause.ts'
import type { BoardView } from './board-view.ts'

export interface Surroundings {
  /** Where REST is reached. */
  url: string
  redis: Redis
  /** The board as somebody sees it who looks on. */
  view: BoardView
  board: string
  /** Milliseconds from one change to the next. */
  pace: number
}

/** How an agent asks, and with that how sure it can be. */
export const manners = ['with a key', 'without a key', 'same item', 'published with an id', 'published'] as const
export type Manner = (typeof manners)[number]

const answerWithinMs = 8_000
const againAfterMs = 150

export class Agent {
  readonly name: string
  readonly manner: Manner
  readonly board: string
  /** Changes that have to be on the board, once each. */
  readonly certain: number[] = []
  /** Changes that may be on the board, at most once each. */
  readonly doubtful: number[] = []
  /** Answers that no caller should get. */
  readonly faults: string[] = []
  readonly #around: Surroundings
  #stopped = false
  readonly #done: Promise<void>

  constructor(manner: Manner, around: Surroundings) {
    this.manner = manner
    this.board = around.board
    this.name = `${manner} on ${around.board}`.replaceAll(' ', '-')
    this.#around = around
    this.#done = this.#work()
  }

  /** How many changes it has asked for. */
  get asked(): number {
    return this.certain.length + this.doubtful.length
  }

  /** How many of the doubtful changes are there after all. */
  get arrived(): number {
    return this.doubtful.filter(number => this.#around.view.has(this.name, number)).length
  }

  /** Resolves when it has heard of the change under way, however often it has to ask. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.#done
  }

  async #work(): Promise<void> {
    let number = 1
    for (; !this.#stopped; number++) {
      await this.#note(number, this.#ask(number, this.manner))
      await pause(this.#around.pace * (0.5 + Math.random()))
    }
    // Messages of one channel are applied in order: once this one is there, nothing published is under way any more.
    if (this.manner === 'published') await this.#note(number, this.#ask(number, 'published with an id'))
  }

  async #note(number: number, asked: Promise<boolean>): Promise<void> {
    if (await asked) this.certain.push(number)
    else this.doubtful.push(number)
  }

  /** @returns whether the change is certain to be on the board, now or soon */
  async #ask(number: number, manner: Manner): Promise<boolean> {
    switch (manner) {
      case 'with a key':
        return this.#untilDone(() => this.#post(this.#item(number), `${this.name}-${number}`), [201])
      case 'same item':
        if (number === 1) {
          const item = { ...this.#item(number), id: this.name }
          return this.#untilDone(() => this.#post(item, `${this.name}-${number}`), [201])
        }
        return this.#untilDone(() => this.#patch({ x: number }, `${this.name}-${number}`), [200])
      case 'without a key': {
        const status = await this.#post(this.#item(number))
        if (![201, 202, 503, undefined].includes(status)) this.faults.push(`${this.name}: ${number} got ${status}`)
        return status === 201 || status === 202
      }
      case 'published with an id':
        while (!this.#around.view.has(this.name, number)) {
          await this.#publish({ ...this.#create(number), message_id: `${this.name}-${number}` })
          await this.#arrives(number, 2 * againAfterMs)
        }
        return true
      case 'published':
        await this.#publish(this.#create(number))
        return false
      default:
        return manner satisfies never
    }
  }

  async #untilDone(ask: () => Promise<number | undefined>, done: readonly number[]): Promise<boolean> {
    for (;;) {
      const status = await ask()
      if (status !== undefined && done.includes(status)) return true
      // Accepted, unavailable or unheard of: asked again under the same key.
      if (![202, 503, undefined].includes(status)) {
        this.faults.push(`${this.name} got ${status}`)
        return false
      }
      await pause(againAfterMs)
    }
  }

  #item(number: number): Record<string, unknown> {
    return { type: 'sticky', x: number, created_by: this.name }
  }

  #create(number: number): Record<string, unknown> {
    return { action: 'create', item: this.#item(number) }
  }

  #post(item: object, key?: string): Promise<number | undefined> {
    return this.#request('POST', 'items', item, key)
  }

  #patch(change: object, key: string): Promise<number | undefined> {
    return this.#request('PATCH', `items/${this.name}`, change, key)
  }

  /** @returns the status, or undefined when there was no answer */
  async #request(method: string, path: string, body: object, key?: string): Promise<number | undefined> {
    try {
      const answer = await fetch(`${this.#around.url}/v1/boards/${this.board}/${path}`, {
        method,
        headers: { 'content-type': 'application/json', ...(key === undefined ? {} : { 'idempotency-key': key }) },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(answerWithinMs),
      })
      await answer.arrayBuffer()
      return answer.status
    } catch {
      return undefined // the instance is gone, or too slow for us
    }
  }

  /** While Redis is away the client keeps the message and sends it later: nobody waits for that. */
  async #publish(message: object): Promise<void> {
    const { redis, board } = this.#around
    const published = redis.publish(`board:${board}:updates`, JSON.stringify(message)).catch(() => 0)
    await Promise.race([published, pause(1_000)])
  }

  async #arrives(number: number, withinMs: number): Promise<void> {
    const end = performance.now() + withinMs
    while (!this.#around.view.has(this.name, number) && performance.now() < end) await pause(10)
  }
}
