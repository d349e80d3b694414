/**
 * What other instances commit: each of the boards open here is compared with its head in the store, all in one query,
 * and the rows that are missing are read. With a bus between them this finds what it lost, and a store that went back;
 * without, it is how instances converge, and done more often.
 */
import { SyncError } from '../../core/base/errors.ts'
import type { Logger } from '../../core/base/log.ts'
import type { Bus } from '../../core/bus/bus.ts'
import { isBoardId } from '../../core/contract/board-id.ts'
import { boardsChannel } from '../../core/contract/channels.ts'
import type { Head } from '../../core/store/board-log.ts'
import type { Storage } from '../../core/store/storage.ts'
import type { Room } from './room.ts'
import type { Rooms } from './rooms.ts'

/** So often while the bus is down. */
const withoutBusMs = 300

export class Replication {
  readonly #boards: Storage['boards']
  readonly #rooms: Rooms
  readonly #bus: Bus
  readonly #log: Logger
  readonly #everyMs: number
  #timer: NodeJS.Timeout | undefined
  #comparing = false
  /** The comparison under way may have begun too early. */
  #again = false
  readonly #unlisten: () => void
  #unsubscribe: (() => void) | undefined
  #stopped = false

  /** @param everyMs while the bus is up */
  constructor(boards: Storage['boards'], rooms: Rooms, bus: Bus, log: Logger, everyMs: number) {
    this.#boards = boards
    this.#rooms = rooms
    this.#bus = bus
    this.#log = log
    this.#everyMs = everyMs
    this.#wait()
    this.#unlisten = bus.onState(state => {
      if (state === 'up') this.#compareNow()
      this.#wait()
    })
    this.#subscribe().catch(error => log.warn({ err: error }, 'could not subscribe; looking at the store instead'))
  }

  async compare(): Promise<void> {
    // How far each was before the question: what it commits meanwhile is no sign of a store that went back.
    const before = [...this.#rooms.open()].map(room => {
      const { board, replica } = room
      return { room, board, epoch: replica.epoch, headSeq: replica.known }
    })
    if (this.#comparing || before.length === 0) return
    this.#comparing = true
    try {
      const others = await this.#boards.headsOtherThan(before)
      // Not awaited: a board that is long to read keeps no other from being compared.
      for (const { room, board, headSeq } of before) {
        if (others.has(board)) this.#bringUp(room, headSeq, others.get(board))
      }
    } catch (error) {
      this.#log.debug({ err: error }, 'could not compare boards with the store')
    } finally {
      this.#comparing = false
      if (this.#again && !this.#stopped) this.#compareNow()
    }
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
    this.#unlisten()
    this.#unsubscribe?.()
  }

  /** Not waited for: a board whose end is missed here is found by the next comparison. */
  async #subscribe(): Promise<void> {
    this.#unsubscribe = await this.#bus.subscribe(boardsChannel, (_channel, message) => {
      const board = new TextDecoder().decode(message)
      if (isBoardId(board) && this.#rooms.has(board)) this.#compareNow()
    })
    if (this.#stopped) this.#unsubscribe()
  }

  #compareNow(): void {
    this.#again = this.#comparing
    if (!this.#comparing) void this.compare()
  }

  #wait(): void {
    clearTimeout(this.#timer)
    const wait = this.#bus.state === 'down' ? Math.min(this.#everyMs, withoutBusMs) : this.#everyMs
    this.#timer = setTimeout(() => {
      void this.compare()
      this.#wait()
    }, wait)
  }

  #bringUp(room: Room, known: number, head: Head | undefined): void {
    if (!head || head.deleted) {
      this.#rooms.discard(room, new SyncError('board-deleted', 'the board was deleted'))
    } else if (head.epoch !== room.replica.epoch || head.headSeq < known) {
      this.#rooms.discard(room, new SyncError('store-went-back', 'the store went back to another state'))
    } else if (head.headSeq > room.replica.known) {
      room.log.catchUp().catch(error => this.#log.warn({ err: error, board: room.board }, 'could not read the log'))
    }
  }
}
