/** What a person has heard of the writers' edits: how far, and how late. */
import * as Y from 'yjs'
import type { Message } from '../wire.ts'

/** Clocks of one client that a message brings. */
interface Heard {
  client: number
  from: number
  to: number
}

export function heardIn(message: Message): readonly Heard[] {
  if (message.kind !== 'step-2' && message.kind !== 'update') return []
  const { from, to } = Y.parseUpdateMeta(message.payload)
  return [...to].map(([client, end]) => ({ client, from: from.get(client) ?? 0, to: end }))
}

export class Hearing {
  readonly #clocks = new Map<number, number>()
  /** When each clock of a client was sent; and where latencies go. */
  readonly #sentAt: ReadonlyMap<number, readonly number[]> | undefined
  readonly #latencies: number[]
  #gap = false

  constructor(sentAt?: ReadonlyMap<number, readonly number[]>, latencies: number[] = []) {
    this.#sentAt = sentAt
    this.#latencies = latencies
  }

  take(heard: readonly Heard[]): void {
    for (const { client, from, to } of heard) {
      const had = this.#clocks.get(client) ?? 0
      if (from > had) this.#gap = true
      if (to <= had) continue
      this.#clocks.set(client, to)
      const sent = this.#sentAt?.get(client)
      if (!sent) continue
      const now = performance.now()
      for (let clock = had + 1; clock <= to; clock++) {
        const at = sent[clock]
        if (at !== undefined) this.#latencies.push(now - at)
      }
    }
  }

  /** @param but the person itself, who need not hear its own */
  hasAll(clocks: ReadonlyMap<number, number>, but?: number): boolean {
    if (this.#gap) throw new Error('a client heard an edit whose predecessor it never got')
    for (const [client, clock] of clocks) {
      if (client !== but && (this.#clocks.get(client) ?? 0) < clock) return false
    }
    return true
  }
}
