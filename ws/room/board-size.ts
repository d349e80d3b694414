/** About how much of its limit a board takes: its state when that was last encoded, and the updates since. */
import type { Logger } from '../../core/base/log.ts'
import type { BoardId } from '../../core/contract/board-id.ts'

/** Whoever runs the instance is told once per room when this share of the limit is passed. */
const warnedAt = 0.8

export class BoardSize {
  readonly #board: BoardId
  readonly #limit: number
  readonly #log: Logger
  #bytes: number
  #warned = false

  constructor(board: BoardId, bytes: number, limit: number, log: Logger) {
    this.#board = board
    this.#limit = limit
    this.#log = log
    this.#bytes = bytes
    this.#warn()
  }

  get bytes(): number {
    return this.#bytes
  }

  hasRoomFor(bytes: number): boolean {
    return this.#bytes + bytes <= this.#limit
  }

  add(bytes: number): void {
    this.#bytes += bytes
    this.#warn()
  }

  /** Known exactly again: the state was encoded, or the store was asked. */
  set(bytes: number): void {
    this.#bytes = bytes
    this.#warn()
  }

  #warn(): void {
    if (this.#warned || this.#bytes <= this.#limit * warnedAt) return
    this.#warned = true
    this.#log.warn({ board: this.#board, bytes: this.#bytes, limit: this.#limit }, 'this board is nearly full')
  }
}
