/** What is on a board, as somebody sees it who has it open: every item by who made it and which of theirs it is. */

import { readRecord, recordsOf } from '../../core/doc/record-layout.ts'
import type { StockClient } from '../kit/stock-client.ts'

export interface SeenItem {
  id: string
  maker: string
  number: number
  /** Its place in the drawing order: each new item is above those before it. */
  index: string
}

export class BoardView {
  readonly client: StockClient
  /** Counters are changed, one up each time: what this one saw going back. */
  readonly wentBack: string[] = []
  readonly #items = new Map<string, SeenItem>()
  readonly #made = new Map<string, Set<number>>()

  constructor(client: StockClient) {
    this.client = client
    recordsOf(client.doc).observeDeep(events => {
      for (const event of events) {
        const keys = event.path.length === 0 ? event.keys.keys() : [String(event.path[0])]
        for (const key of keys) this.#look(key)
      }
    })
  }

  items(): SeenItem[] {
    return [...this.#items.values()]
  }

  /** Whether this maker's change of this number has arrived. */
  has(maker: string, number: number): boolean {
    return this.#made.get(maker)?.has(number) ?? false
  }

  #look(key: string): void {
    const record = readRecord(key, recordsOf(this.client.doc).get(key))
    if (record?.typeName !== 'shape') return
    const maker = String((record.meta as Record<string, unknown>).created_by)
    const number = Number(record.x)
    const before = this.#items.get(key)
    if (before && number < before.number) this.wentBack.push(`${key} went from ${before.number} back to ${number}`)
    this.#items.set(key, { id: key, maker, number, index: String(record.index) })
    const made = this.#made.get(maker) ?? new Set()
    this.#made.set(maker, made.add(number))
  }
}
