/**
 * Item changes on their way onto a board. A drain is a turn in the room's own commit line, never beside it:
 *
 *   1. open the room (without peers if need be); in its turn nothing is pending and no edit is applied
 *   2. one short transaction: lock the board's row; the head moved → read the log, again; decide the pending changes in
 *      order on the replica; write their rows, answers and the new head
 *   3. rolled back, or outcome unknown → the replica may hold what the log does not: the room is dropped and read again
 *
 * Woken by `board:*:updates`; a sweep picks up what no wake-up reached.
 */
import { randomUUID } from 'node:crypto'
import { SyncError } from '../../core/base/errors.ts'
import type { Logger } from '../../core/base/log.ts'
import type { Metrics } from '../../core/base/metrics.ts'
import { pause } from '../../core/base/pause.ts'
import type { Bus } from '../../core/bus/bus.ts'
import { type BoardId, parseBoardId } from '../../core/contract/board-id.ts'
import { type ChangeOutcome, itemChangeSchema } from '../../core/contract/change.ts'
import { acksChannel, boardOfChannel, everyUpdatesChannel } from '../../core/contract/channels.ts'
import { applyChange } from '../../core/doc/items.ts'
import type { DecidedChange, PendingChange } from '../../core/store/change-outbox.ts'
import type { Storage } from '../../core/store/storage.ts'
import type { Room } from './room.ts'
import type { Rooms } from './rooms.ts'

const sweepEveryMs = 1_000
/** Instances with the board open go first; the others after a moment, each at a time of its own. */
const notOpenHereMs = 4
/** A change that throws this often is rejected, so that it does not block its board. */
const throwsAtMost = 3
/** One client id for all that this process writes: each one stays in every state vector of the board for ever. */
const writerClientId = Math.floor(Math.random() * 2 ** 32)

export class ItemInbox {
  readonly #changes: Storage['changes']
  readonly #rooms: Rooms
  readonly #bus: Bus
  readonly #log: Logger
  readonly #metrics: Metrics
  /** Boards being drained; true: something came in meanwhile. */
  readonly #draining = new Map<BoardId, { again: boolean; done: Promise<void> }>()
  readonly #throws = new Map<number, number>()
  #timer: NodeJS.Timeout | undefined
  #unsubscribe: (() => void) | undefined

  constructor(changes: Storage['changes'], rooms: Rooms, bus: Bus, log: Logger, metrics: Metrics) {
    this.#changes = changes
    this.#rooms = rooms
    this.#bus = bus
    this.#log = log
    this.#metrics = metrics
  }

  async start(): Promise<void> {
    this.#unsubscribe = await this.#bus.subscribe(everyUpdatesChannel, channel => this.#hear(channel))
    this.#timer = setInterval(() => void this.sweep(), sweepEveryMs)
    await this.sweep()
  }

  /** Stops taking in; resolves when what was being drained is. */
  async stop(): Promise<void> {
    this.#unsubscribe?.()
    clearInterval(this.#timer)
    await Promise.all([...this.#draining.values()].map(({ done }) => done))
  }

  /** Drains every board that has changes waiting. */
  async sweep(): Promise<void> {
    try {
      for (const board of await this.#changes.boardsWithPending()) this.wake(board)
    } catch (error) {
      this.#log.debug({ err: error }, 'could not look for item changes')
    }
  }

  /** This board has changes waiting. */
  wake(board: BoardId): void {
    const running = this.#draining.get(board)
    if (running) {
      running.again = true
      return
    }
    const state = { again: false, done: Promise.resolve() }
    this.#draining.set(board, state)
    state.done = this.#drainAll(board, state)
  }

  #hear(channel: string): void {
    const name = boardOfChannel(channel)
    try {
      this.wake(parseBoardId(name ?? ''))
    } catch (error) {
      this.#metrics.refusals.inc({ reason: 'channel-malformed' })
      this.#log.warn({ err: error, channel }, 'not a channel of a board')
    }
  }

  async #drainAll(board: BoardId, state: { again: boolean }): Promise<void> {
    try {
      if (!this.#rooms.has(board)) await pause(Math.random() * notOpenHereMs)
      do {
        state.again = false
        const { room, release } = await this.#rooms.hold(board, false)
        try {
          await room.line.turn(() => this.#drain(room))
        } finally {
          release()
        }
      } while (state.again)
    } catch (error) {
      // Whatever is left is swept up.
      this.#log.warn({ err: error, board }, 'could not apply item changes')
    } finally {
      this.#draining.delete(board)
    }
  }

  async #drain(room: Room): Promise<void> {
    const { board, replica } = room
    for (;;) {
      let touched = false
      const decide = (changes: readonly PendingChange[]) => {
        touched = true
        return changes.map(change => this.#decide(room, change))
      }
      try {
        const known = { epoch: replica.epoch, seq: replica.known }
        const outcome = await this.#changes.drain(board, known, randomUUID(), decide)
        switch (outcome.kind) {
          case 'drained':
            this.#onDrained(room, outcome.decided, outcome.firstSeq, outcome.lastSeq)
            break
          case 'nothing-pending':
            return
          case 'busy':
            await pause(5 + Math.random() * 15)
            break
          case 'behind':
            await room.catchUp()
            break
          case 'store-went-back':
            this.#rooms.discard(room, new SyncError('store-went-back', 'the store went back to another state'))
            return
          default:
            outcome satisfies never
        }
      } catch (error) {
        if (touched) this.#rooms.discard(room, new SyncError('storage-unavailable', 'item changes were not committed'))
        throw error
      }
    }
  }

  #decide(room: Room, { id, publicId, change, actor }: PendingChange): DecidedChange {
    const thrown = this.#throws.get(id) ?? 0
    let outcome: ChangeOutcome | undefined
    let update: Uint8Array | undefined
    try {
      if (thrown >= throwsAtMost) {
        outcome = { status: 'rejected', reason: 'internal', detail: 'applying this change fails inside the server' }
      } else {
        update = room.replica.edit(writerClientId, () => {
          outcome = applyChange(room.replica.doc, itemChangeSchema.parse(JSON.parse(change)))
        })
      }
      if (!outcome) throw new Error('the change was not decided')
    } catch (error) {
      this.#throws.set(id, thrown + 1)
      throw error
    }
    this.#throws.delete(id)
    return { id, publicId, status: outcome.status, result: JSON.stringify(outcome), actor, update }
  }

  #onDrained(room: Room, decided: readonly DecidedChange[], firstSeq: number, lastSeq: number): void {
    const updates = decided.flatMap(({ update }) => (update ? [update] : []))
    room.wrote(firstSeq, lastSeq, updates)
    for (const { publicId, status } of decided) {
      this.#metrics.itemChanges.inc({ status })
      this.#bus.publish(acksChannel(room.board), new TextEncoder().encode(publicId))
    }
  }
}
