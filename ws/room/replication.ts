/**
 * What other instances commit: each of the boards open here is compared with its head in the store, all in one query,
 * and the rows that are missing are read. Without a bus this is how instances converge.
 */
import { SyncError } from '../../core/base/errors.ts'
import type { Logger } from '../../core/base/log.ts'
import type { Storage } from '../../core/store/storage.ts'
import type { Room } from './room.ts'
import type { Rooms } from './rooms.ts'

export class Replication {
  readonly #boards: Storage['boards']
  readonly #rooms: Rooms
  readonly #log: Logger
  readonly #timer: NodeJS.Timeout
  #comparing = false

  constructor(boards: Storage['boards'], rooms: Rooms, log: Logger, everyMs: number) {
    this.#boards = boards
    this.#rooms = rooms
    this.#log = log
    this.#timer = setInterval(() => void this.compare(), everyMs)
  }

  async compare(): Promise<void> {
    // How far each was before the question: what it commits meanwhile is no sign of a store that went back.
    const before = new Map([...this.#rooms.open()].map(room => [room, room.replica.known]))
    if (this.#comparing || before.size === 0) return
    this.#comparing = true
    try {
      const heads = await this.#boards.heads([...before.keys()].map(room => room.board))
      // Not awaited: a board that is long to read keeps no other from being compared.
      for (const [room, known] of before) this.#bringUp(room, known, heads.get(room.board))
    } catch (error) {
      this.#log.debug({ err: error }, 'could not compare boards with the store')
    } finally {
      this.#comparing = false
    }
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #bringUp(room: Room, known: number, head: { epoch: number; headSeq: number; deleted: boolean } | undefined): void {
    if (!head || head.deleted) {
      this.#rooms.discard(room, new SyncError('board-deleted', 'the board was deleted'))
    } else if (head.epoch !== room.replica.epoch || head.headSeq < known) {
      this.#rooms.discard(room, new SyncError('store-went-back', 'the store went back to another state'))
    } else if (head.headSeq > room.replica.known) {
      room.catchUp().catch(error => this.#log.warn({ err: error, board: room.board }, 'could not read the log'))
    }
  }
}
