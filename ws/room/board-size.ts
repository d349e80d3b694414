/** About how much of its limit a board takes: its state when that was last encoded, and the updates since. */
import type { Logger } from '../../core/base/log.ts'
import type { BoardId } from '../../core/contract/board-id.ts'

/** Whoever runs the instance is told once per room when this share of the limit is passed. */
const warnedAt = 0.8
/** A board that seems full is measured, which takes all of it to be encoded: again only once so much of its limit has come in. */
const measuredEvery = 1 / 8

export class BoardSize {
  readonly #board: BoardId
  readonly #limit: number
  readonly #log: Logger
  readonly #measure: () => number
  #bytes: number
  /** Bytes of updates since it was known exactly: what overwrites takes no more room than what it overwrote. */
  #estimated = Number.POSITIVE_INFINITY
  #warned = false

  /** @param measure encodes the board, and says how many bytes that are */
  constructor(board: BoardId, bytes: number, limit: number, log: Logger, measure: () => number) {
    this.#board = board
    this.#limit = limit
    this.#log = log
    this.#measure = measure
    this.#bytes = bytes
    this.#warn()
  }

  get bytes(): number {
    return this.#bytes
  }

  hasRoomFor(bytes: number): boolean {
    if (this.#bytes + bytes <= this.#limit) return true
    if (this.#estimated < this.#limit * measuredEvery) return false
    this.set(this.#measure())
    return this.#bytes + bytes <= this.#limit
  }

  add(bytes: number): void {
    this.#bytes += bytes
    this.#estimated += bytes
    this.#warn()
  }

  /** About so many: as the store counts them, which adds up updates too. */
  estimate(bytes: number): void {
    this.#estimated += Math.max(0, bytes - this.#bytes)
    this.#bytes = bytes
    this.#warn()
  }

  /** Known exactly again: the state was encoded. */
  set(bytes: number): void {
    this.#bytes = bytes
    this.#estimated = 0
    this.#warn()
  }

  #warn(): void {
    if (this.#warned || this.#bytes <= this.#limit * warnedAt) return
    this.#warned = true
    this.#log.warn({ board: this.#board, bytes: this.#bytes, limit: this.#limit }, 'this board is nearly full')
  }
}
