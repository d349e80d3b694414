/** Edits of one board that wait for the log, and the batches they are committed in: rows of one author each. */
import * as Y from 'yjs'
import type { Actor } from '../../core/contract/actor.ts'
import type { LogEntry } from '../../core/store/board-log.ts'

/** An update that is applied to the replica and not in the log. */
export interface PendingEdit {
  update: Uint8Array
  actor: Actor
  /** When it came in (`performance.now()`). */
  at: number
}

/** What the committer holds of one board while it tries to commit it. */
export interface InFlight {
  entries: LogEntry[]
  bytes: number
  /** The highest seq that was known when it was taken: its rows come after that, unless the store went back. */
  known: number
  /** The number of the last edit among the entries. */
  last: number
  since: number
  /**
   * - `together`: in one statement with other boards, skipped while its row is locked
   * - `alone`: waits for its row by itself
   * - `uncertain`: an earlier try's outcome is unknown; `batchId` tells whether it took
   */
  mode: 'together' | 'alone' | 'uncertain'
  batchId: string | undefined
  /** How often it failed or was skipped; it is tried again at `retryAt`. */
  tries: number
  retryAt: number
}

/** A batch this big is not put together with others. */
export const aloneOverBytes = 256 * 1024
/** Merging is super-linear in the number of updates; a row and a frame stay of a size that all can take. */
const mergedAtMost = { updates: 200, bytes: 4 * 1024 * 1024 }

/** Takes the next batch off the front of `edits`. */
export function takeBatch(edits: PendingEdit[]): Pick<InFlight, 'entries' | 'bytes' | 'since'> {
  const { count, bytes } = mergeable(edits)
  const taken = edits.splice(0, count)
  const entries = runsOfOneActor(taken).flatMap(([actor, updates]) => merged(updates).map(data => ({ actor, data })))
  return { entries, bytes, since: taken[0]?.at ?? performance.now() }
}

/** The updates as one, or as they are where Yjs cannot merge them: that must never stop an edit that was applied. */
export function merged(updates: readonly Uint8Array[]): readonly Uint8Array[] {
  if (updates.length < 2) return updates
  try {
    return [Y.mergeUpdates([...updates])]
  } catch {
    return updates // each was applied by itself, and can be so again
  }
}

/** How many of these go into one batch, the first in any case. */
function mergeable(edits: readonly { update: Uint8Array }[]): { count: number; bytes: number } {
  let bytes = 0
  for (const [count, { update }] of edits.entries()) {
    const full = count === mergedAtMost.updates || (count > 0 && bytes + update.byteLength > mergedAtMost.bytes)
    if (full) return { count, bytes }
    bytes += update.byteLength
  }
  return { count: edits.length, bytes }
}

/** Adjacent updates of one author become one row. */
function runsOfOneActor(edits: readonly { update: Uint8Array; actor: Actor }[]): [Actor, Uint8Array[]][] {
  const runs: [Actor, Uint8Array[]][] = []
  for (const { actor, update } of edits) {
    const run = runs.at(-1)
    if (run && run[0] === actor) run[1].push(update)
    else runs.push([actor, [update]])
  }
  return runs
}
