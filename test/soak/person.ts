/** Somebody with a stock client who adds numbered lines to a board, wherever the load balancer sends them. */

import { connectStock, type StockClient } from '../kit/stock-client.ts'
import { BoardView } from './board-view.ts'

export class Person {
  readonly name: string
  readonly board: string
  readonly client: StockClient
  readonly view: BoardView
  #written = 0
  readonly #timer: NodeJS.Timeout

  /** @param pace milliseconds from one line to the next */
  constructor(wsUrl: string, board: string, name: string, pace: number) {
    this.name = name
    this.board = board
    this.client = connectStock(wsUrl, board)
    this.view = new BoardView(this.client)
    this.#timer = setInterval(() => this.#write(), pace * (0.5 + Math.random()))
  }

  /** Those on the board, by whomever. */
  lines(): string[] {
    return this.client.doc.getArray<string>('lines').toArray()
  }

  /** Those this one has added, in order. */
  written(): string[] {
    return Array.from({ length: this.#written }, (_, at) => `${this.name}·${at + 1}`)
  }

  stopWriting(): void {
    clearInterval(this.#timer)
  }

  stop(): void {
    this.stopWriting()
    this.client.stop()
  }

  #write(): void {
    this.client.doc.getArray('lines').push([`${this.name}·${++this.#written}`])
    this.client.awareness.setLocalState({ user: { name: this.name }, line: this.#written })
  }
}
