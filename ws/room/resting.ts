/** When a room's document rests, because nobody used it for a while, and that it wakes before an edit needs it. */
import type { Replica } from '../../core/doc/replica.ts'
import type { CommitLine } from './commit-line.ts'

const lookEveryMs = 5_000
/** What rests has to be encoded first: up to here that takes a few milliseconds. */
const upToBytes = 512 * 1024

export class Resting {
  readonly #replica: Replica
  readonly #line: CommitLine
  readonly #onFailed: (error: unknown) => void
  readonly #timer: NodeJS.Timeout
  #waking = false

  /**
   * @param bytes about the size of the board
   * @param onFailed the document cannot be woken: the room is not to be used any more
   */
  constructor(
    replica: Replica,
    line: CommitLine,
    afterMs: number,
    bytes: () => number,
    onFailed: (error: unknown) => void,
  ) {
    this.#replica = replica
    this.#line = line
    this.#onFailed = onFailed
    this.#timer = setInterval(
      () => {
        const { usedAt } = replica
        const unused = usedAt !== undefined && Date.now() - usedAt >= afterMs
        if (unused && line.isQuiet && bytes() <= upToBytes) replica.rest()
      },
      Math.min(afterMs, lookEveryMs),
    )
  }

  /** Where the document rests it begins to wake, in a turn: what is admitted to the commit line from here on waits for that. */
  wake(): void {
    if (!this.#replica.rests || this.#waking) return
    this.#waking = true
    this.#line
      .turn(() => this.#replica.wake())
      .catch(error => this.#onFailed(error))
      .finally(() => {
        this.#waking = false
      })
  }

  close(): void {
    clearInterval(this.#timer)
  }
}
