/** Sets of Yjs ids, kept as ranges of clocks per client: what was written, or deleted, and not yet confirmed. */

interface Range {
  from: number
  /** Exclusive. */
  to: number
}

export class IdRanges {
  readonly #byClient = new Map<number, Range[]>()

  get isEmpty(): boolean {
    return this.#byClient.size === 0
  }

  /** The first clock of this client's that is in it. */
  firstOf(client: number): number | undefined {
    return this.#byClient.get(client)?.reduce((first, { from }) => Math.min(first, from), Number.POSITIVE_INFINITY)
  }

  *[Symbol.iterator](): Iterator<{ client: number; clock: number; length: number }> {
    for (const [client, ranges] of this.#byClient) {
      for (const { from, to } of ranges) yield { client, clock: from, length: to - from }
    }
  }

  add(client: number, clock: number, length: number): void {
    if (length <= 0) return
    const ranges = this.#byClient.get(client)
    const last = ranges?.at(-1)
    if (last && last.to === clock) last.to = clock + length
    else if (ranges) ranges.push({ from: clock, to: clock + length })
    else this.#byClient.set(client, [{ from: clock, to: clock + length }])
  }

  remove(client: number, clock: number, length: number): void {
    const ranges = this.#byClient.get(client)
    if (!ranges || length <= 0) return
    const end = clock + length
    const left = ranges.flatMap(({ from, to }) => {
      if (to <= clock || from >= end) return [{ from, to }]
      return [
        { from, to: Math.min(to, clock) },
        { from: Math.max(from, end), to },
      ].filter(part => part.from < part.to)
    })
    if (left.length > 0) this.#byClient.set(client, left)
    else this.#byClient.delete(client)
  }
}
