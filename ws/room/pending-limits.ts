/** How much may wait for storage, how long, and which boards are over that. Pure but for the clock. */
import type { CommitLine } from './commit-line.ts'

export interface PendingLimits {
  /** Bytes of one board that may wait for storage. */
  board: number
  /** Bytes of all boards together. */
  total: number
}

/** The bounds count what waits for storage, not what is just passing through. */
const waitingAfterMs = 1_000
/** Edits that waited this long are given up: their authors still have them, and send them again elsewhere. */
const givenUpAfterMs = 30_000

type Waiting = Pick<CommitLine, 'bytes' | 'waitingSince'>

/** @returns the lines of which too much waits, or has waited too long, and why */
export function excessOf<Line extends Waiting>(
  lines: Iterable<Line>,
  limits: PendingLimits,
): { line: Line; reason: string }[] {
  const excess: { line: Line; reason: string }[] = []
  let kept = 0
  for (const line of lines) {
    const waitedMs = line.waitingSince === undefined ? 0 : performance.now() - line.waitingSince
    if (waitedMs <= waitingAfterMs) continue
    if (waitedMs > givenUpAfterMs) excess.push({ line, reason: 'storage was unavailable for too long' })
    else if (line.bytes > limits.board) excess.push({ line, reason: 'too many edits of this board wait' })
    else if (kept + line.bytes > limits.total) excess.push({ line, reason: 'too many edits wait for storage' })
    else kept += line.bytes
  }
  return excess
}
