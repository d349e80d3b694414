/** When a room's document rests, because nobody used it for a while, and that it wakes before an edit needs it. */
import type { Replica } from '../../core/doc/replica.ts'
import type { CommitLine } from './commit-line.ts'

/** What rests has to be encoded first: up to here that takes a few milliseconds. */
const upToBytes = 512 * 1024

export class Resting {
  readonly #replica: Replica
  readonly #line: CommitLine
  readonly #afterMs: number
  readonly #bytes: () => number
  readonly #onFailed: (error: unknown) => void
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
    this.#afterMs = afterMs
    this.#bytes = bytes
    this.#onFailed = onFailed
  }

  /** To be called now and then. */
  look(): void {
    const { usedAt } = this.#replica
    const unused = usedAt !== undefined && performance.now() - usedAt >= this.#afterMs
    if (unused && this.#line.isQuiet && this.#bytes() <= upToBytes) this.#replica.rest()
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
}
