/** What a scenario is: load on one server, figures out of it, and what they are held against. */
import type { Server, ServerName } from './servers.ts'

/** How much of it: to see that it works, for a quick look, or for figures to quote. */
export type Scale = 'smoke' | 'quick' | 'full'

export interface Figure {
  key: string
  title: string
  digits: number
}

/** Ours ≤ (or ≥, where more is better) `ratio` × the best of `to`; with no `to`, an absolute bound. */
export interface Goal {
  figure: string
  to?: readonly ServerName[]
  atMost?: number
  atLeast?: number
}

export type Figures = Record<string, number>

export interface Scenario {
  name: string
  title: string
  /** What is done, in a sentence or two, for the report. */
  about: string
  servers: readonly ServerName[]
  /** Of boardsync, beside its defaults. */
  settings?: Record<string, string>
  /** The first is charted. */
  figures: readonly Figure[]
  goals: readonly Goal[]
  /** @throws Error when anything got lost, or somebody ended with another content: such a run has no figures */
  run(server: Server, scale: Scale): Promise<Figures>
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

export const median = (values: readonly number[]): number => percentile(values, 0.5)

/** Board names of this process: no run meets another's boards. */
let boards = 0
export const newBoard = (): string => `bench-${process.pid}-${++boards}`

/** Fails loudly instead of waiting for ever: what never comes was lost. */
export async function fact(what: string, holds: () => boolean, withinMs = 60_000): Promise<void> {
  const until = Date.now() + withinMs
  while (!holds()) {
    if (Date.now() > until) throw new Error(`never: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

/** Calls `work(0)` … `work(count - 1)` at an even rate, however late the answers are. */
export async function evenly(count: number, perSecond: number, work: (index: number) => void): Promise<void> {
  const start = performance.now()
  for (let done = 0; done < count; ) {
    const due = Math.min(count, Math.floor(((performance.now() - start) / 1_000) * perSecond) + 1)
    while (done < due) work(done++)
    await new Promise(resolve => setTimeout(resolve, 3))
  }
}

/** Many at a time, and not all at once. */
export async function inParallel<T>(count: number, work: (index: number) => Promise<T>, width = 20): Promise<T[]> {
  const results: T[] = []
  let next = 0
  const lane = async () => {
    while (next < count) {
      const index = next++
      results[index] = await work(index)
    }
  }
  await Promise.all(Array.from({ length: Math.min(width, count) }, lane))
  return results
}
