/**
 * Item changes on their way onto a board. A drain is a turn in the room's own commit line, never beside it:
 *
 *   1. open the room (without peers if need be); in its turn nothing is pending and no edit is applied
 *   2. one short transaction: lock the board's row; the head moved → read the log, again; decide the pending changes in
 *      order on the replica; write their rows, answers and the new head
 *   3. rolled back, or outcome unknown → the replica may hold what the log does not: the room is dropped and read again
 *
 * A turn is short, however much there is to do: people's edits wait while it lasts.
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
import { acksChannel, boardOfChannel, everyUpdatesChannel } from '../../core/contract/channels.ts'
import { mayBeWakeUp } from '../../core/contract/wake-up.ts'
import type { DecidedChange, DrainOutcome } from '../../core/store/change-drain.ts'
import type { Storage } from '../../core/store/storage.ts'
import { ChangeThrew, ItemDecider } from './item-decider.ts'
import type { Room } from './room.ts'
import type { Rooms } from './rooms.ts'

const sweepEveryMs = 1_000
/** Instances with the board open go first; the others after a moment, each at a time of its own. */
const notOpenHereMs = 4
/** A turn, and the transaction it is in, takes up nothing new after this; what is left is for the next turn. */
const turnMs = 200
/** So long the sockets have their say: the embedded database answers without ever leaving it to them. */
const betweenTurnsMs = 10

/** What told of the changes: a message of the bus, or a look at the store for what no message told of. */
type ToldBy = 'message' | 'sweep'

export class ItemInbox {
  readonly #changes: Storage['changes']
  readonly #rooms: Rooms
  readonly #bus: Bus
  readonly #log: Logger
  readonly #metrics: Metrics
  readonly #wrote: (room: Room, decided: readonly DecidedChange[]) => void
  /** Boards being drained; `again`: something came in meanwhile. */
  readonly #draining = new Map<BoardId, { again: boolean; done: Promise<void> }>()
  readonly #decider = new ItemDecider()
  #stopped = false
  #timer: NodeJS.Timeout | undefined
  #sweeping = false
  #unsubscribe: (() => void) | undefined

  /** @param wrote is told of what was decided and committed */
  constructor(
    changes: Storage['changes'],
    rooms: Rooms,
    bus: Bus,
    log: Logger,
    metrics: Metrics,
    wrote: (room: Room, decided: readonly DecidedChange[]) => void,
  ) {
    this.#wrote = wrote
    this.#changes = changes
    this.#rooms = rooms
    this.#bus = bus
    this.#log = log
    this.#metrics = metrics
  }

  async start(): Promise<void> {
    this.#unsubscribe = await this.#bus.subscribe(everyUpdatesChannel, (channel, message) =>
      this.#hear(channel, message),
    )
    this.#timer = setInterval(() => void this.sweep(), sweepEveryMs)
    await this.sweep()
  }

  /** Stops taking in; resolves when what was being drained is. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#unsubscribe?.()
    clearInterval(this.#timer)
    await Promise.all([...this.#draining.values()].map(({ done }) => done))
  }

  /** Drains every board that has changes waiting; not while it does so already. */
  async sweep(): Promise<void> {
    if (this.#sweeping) return
    this.#sweeping = true
    try {
      for (const board of await this.#changes.boardsWithPending()) this.wake(board, 'sweep')
    } catch (error) {
      this.#log.debug({ err: error }, 'could not look for item changes')
    } finally {
      this.#sweeping = false
    }
  }

  /** This board has changes waiting. */
  wake(board: BoardId, by: ToldBy): void {
    if (this.#stopped) return
    const running = this.#draining.get(board)
    if (running) {
      running.again = true
      return
    }
    const state = { again: false, done: Promise.resolve() }
    this.#draining.set(board, state)
    state.done = this.#drainAll(board, by, state)
  }

  #hear(channel: string, message: Uint8Array): void {
    // What another program asks for is stored first (`RawIntake`), which then wakes us.
    if (!mayBeWakeUp(message)) return
    const name = boardOfChannel(channel)
    try {
      this.wake(parseBoardId(name ?? ''), 'message')
    } catch (error) {
      this.#metrics.refusals.inc({ reason: 'channel-malformed' })
      this.#log.warn({ err: error, channel }, 'not a channel of a board')
    }
  }

  async #drainAll(board: BoardId, by: ToldBy, state: { again: boolean }): Promise<void> {
    try {
      if (!this.#rooms.has(board)) await pause(Math.random() * notOpenHereMs)
      do {
        state.again = false
        const { room, release } = await this.#rooms.hold(board, false)
        try {
          // Of a big board that takes a while: before the turn, as edits wait for that.
          await room.replica.wakeToChange()
          const more = await room.line.turn(() => this.#takeTurn(room, by))
          if (more) state.again = true
        } finally {
          release()
        }
        if (state.again) await pause(betweenTurnsMs)
      } while (state.again && !this.#stopped)
    } catch (error) {
      // Whatever is left is swept up.
      this.#log.warn({ err: error, board }, 'could not apply item changes')
    } finally {
      this.#draining.delete(board)
    }
  }

  /** @returns whether the next turn has more to do */
  async #takeTurn(room: Room, by: ToldBy): Promise<boolean> {
    const end = performance.now() + turnMs
    while (performance.now() < end && !this.#stopped) {
      const outcome = await this.#drain(room, end)
      switch (outcome.kind) {
        case 'drained':
          this.#metrics.itemChangesFound.inc({ by }, outcome.decided.length)
          this.#onDrained(room, outcome.decided, outcome.firstSeq, outcome.lastSeq)
          break
        case 'nothing-pending':
          return false
        case 'busy':
          await pause(5 + Math.random() * 15)
          break
        case 'behind':
          await room.log.catchUp()
          break
        case 'threw':
          return true
        case 'store-went-back':
          this.#rooms.discard(room, new SyncError('store-went-back', 'the store went back to another state'))
          return false
        default:
          outcome satisfies never
      }
    }
    return true
  }

  /** One batch, in one transaction. A room that is left with edits the log has not got is discarded. */
  async #drain(room: Room, end: number): Promise<DrainOutcome | { kind: 'threw' }> {
    const { board, replica, size } = room
    await replica.wakeToChange()
    const known = { epoch: replica.epoch, seq: replica.known }
    let edited = false
    const note = () => {
      edited = true
    }
    replica.doc.on('update', note)
    try {
      return await this.#changes.drain(board, known, randomUUID(), changes =>
        this.#decider.decide(replica, size, changes, end),
      )
    } catch (error) {
      if (edited) this.#rooms.discard(room, new SyncError('storage-unavailable', 'item changes were not committed'))
      if (!(error instanceof ChangeThrew)) throw error
      this.#log.error({ err: error.cause, board, change: error.publicId }, 'an item change cannot be applied')
      return { kind: 'threw' }
    } finally {
      replica.doc.off('update', note)
    }
  }

  #onDrained(room: Room, decided: readonly DecidedChange[], firstSeq: number, lastSeq: number): void {
    const updates = decided.flatMap(({ update }) => (update ? [update] : []))
    room.log.wrote(firstSeq, lastSeq, updates)
    for (const { publicId, status } of decided) {
      this.#metrics.itemChanges.inc({ status })
      this.#bus.publish(acksChannel(room.board), new TextEncoder().encode(publicId))
    }
    this.#wrote(room, decided)
  }
}
