/**
 * The boards open in this process, one room each.
 *
 *            hold                     last hold released, idle
 *   (none) ────────► opening ──► open ────────────────────────► closing ──► (none)
 *                       │          │ discard: at once, unsaved
 *                       ▼          ▼
 *                     (none)     (none)
 *
 * Opening is single flight; who comes while a room closes waits and opens it anew. A load that fails leaves nothing
 * behind, least of all an empty board that could be saved.
 */
import pLimit from 'p-limit'
import { SyncError } from '../../core/base/errors.ts'
import { eachInSlices } from '../../core/base/slices.ts'
import type { BoardId } from '../../core/contract/board-id.ts'
import { isMissing, type LoadServices, loadRoom } from './load-room.ts'
import type { Room } from './room.ts'
import type { Snapshots } from './snapshots.ts'

type Slot =
  | { state: 'opening'; opened: Promise<Room> }
  | { state: 'open'; room: Room; holds: number; idle: NodeJS.Timeout | undefined }
  | { state: 'closing'; room: Room; closed: Promise<void> }

/**
 * So many snapshots are made at once. Boards that are drawn on at the same time are due at the same time; what they take of
 * the database's connections and of the event loop has to leave room for commits.
 */
const snapshotsAtOnce = 4
/**
 * A snapshot that does not come about in this time, as while storage is down and many wait for their turn, is not waited for when
 * a room closes, for those who come meanwhile wait too. The log has everything.
 */
const savedWithinMs = 4_000
/** All rooms in one go: thousands with a timer each would wake the process hundreds of times a second. */
const lookEveryMs = 5_000

export interface RoomsServices extends Omit<LoadServices, 'snapshotInTurn'> {
  /** An empty room leaves memory after this. */
  idleMs: number
}

/** A room that stays open as long as this is not released. */
export interface RoomHold {
  room: Room
  release(): void
}

export class Rooms {
  readonly #services: RoomsServices & LoadServices
  readonly #slots = new Map<BoardId, Slot>()
  readonly #openedListeners = new Set<(room: Room) => void>()
  readonly #timer: NodeJS.Timeout

  constructor(services: RoomsServices) {
    this.#services = { ...services, snapshotInTurn: pLimit(snapshotsAtOnce) }
    // In slices: the documents of boards that were drawn on at the same time come to rest at the same time, hundreds of them.
    const look = () => void eachInSlices(this.#slots.values(), slot => this.#look(slot))
    this.#timer = setInterval(look, Math.min(lookEveryMs, services.limits.restMs))
  }

  get size(): number {
    return this.#slots.size
  }

  /** Boards open here on which somebody is on another instance, too. */
  get shared(): number {
    let count = 0
    for (const { presence } of this.open()) if (presence.isShared) count += 1
    return count
  }

  /** The rooms that are open now. */
  *open(): Iterable<Room> {
    for (const slot of this.#slots.values()) if (slot.state === 'open') yield slot.room
  }

  /** Tells of each room that opens from now on. @returns a function that ends it */
  onOpened(listener: (room: Room) => void): () => void {
    this.#openedListeners.add(listener)
    return () => void this.#openedListeners.delete(listener)
  }

  /** The board's room, if it is open. */
  find(board: BoardId): Room | undefined {
    const slot = this.#slots.get(board)
    return slot?.state === 'open' ? slot.room : undefined
  }

  /** Whether this process has the board open. */
  has(board: BoardId): boolean {
    return this.#slots.has(board)
  }

  /**
   * Opens the board's room, or joins who has it open.
   * @param create brings the board into being
   * @throws SyncError `board-forbidden` when there is no such board, `board-deleted`; StorageError
   */
  async hold(board: BoardId, create: boolean): Promise<RoomHold> {
    for (;;) {
      const slot = this.#slots.get(board)
      if (slot?.state === 'open') return this.#holdOpen(board, slot)
      if (slot?.state === 'closing') await slot.closed
      else if (slot) await slot.opened.catch(error => rethrowUnless(create && isMissing(error), error))
      else await this.#open(board, create)
    }
  }

  /** Drops the room with what is not committed; peers are closed with this error and read the log when they return. */
  discard(room: Room, error: SyncError): void {
    const slot = this.#slots.get(room.board)
    if (slot && slot.state !== 'opening' && slot.room === room) {
      if (slot.state === 'open') clearTimeout(slot.idle)
      this.#slots.delete(room.board)
      this.#services.metrics.roomDiscards.inc({ reason: error.code })
      this.#services.log.warn({ board: room.board, code: error.code }, `room discarded: ${error.message}`)
    }
    this.#end(room, error)
  }

  /** Commits, snapshots and closes every room; peers are closed with this error. */
  async close(error: SyncError): Promise<void> {
    clearInterval(this.#timer)
    await Promise.all(
      [...this.#slots].map(async ([board, slot]) => {
        if (slot.state === 'opening') await slot.opened.catch(() => undefined) // told to whoever opens it
        const opened = this.#slots.get(board)
        // Without shortening logs: there is little time, and thousands of boards.
        if (opened?.state === 'open') await this.#close(opened.room, error, snapshots => snapshots.save())
        else if (opened?.state === 'closing') await opened.closed
      }),
    )
  }

  /** Does not throw. */
  #look(slot: Slot): void {
    if (slot.state === 'opening') return
    try {
      slot.room.look()
    } catch (error) {
      this.#services.log.error({ err: error, board: slot.room.board }, 'a room could not be looked at')
    }
  }

  #holdOpen(board: BoardId, slot: Slot & { state: 'open' }): RoomHold {
    clearTimeout(slot.idle)
    slot.holds += 1
    let released = false
    return {
      room: slot.room,
      release: () => {
        if (released) return
        released = true
        slot.holds -= 1
        if (slot.holds > 0 || this.#slots.get(board) !== slot) return
        const close = () => void this.#close(slot.room, idleError(), snapshots => snapshots.settle())
        slot.idle = setTimeout(close, this.#services.idleMs)
      },
    }
  }

  async #open(board: BoardId, create: boolean): Promise<void> {
    const opened = loadRoom(board, create, this.#services, (room, error) => this.discard(room, error))
    this.#slots.set(board, { state: 'opening', opened })
    try {
      const room = await opened
      this.#slots.set(board, { state: 'open', room, holds: 0, idle: undefined })
      for (const tell of this.#openedListeners) tell(room)
    } catch (error) {
      this.#slots.delete(board)
      throw error
    }
  }

  /** Does not throw: a document that cannot be taken apart keeps no board from being opened anew. */
  #end(room: Room, error: SyncError): void {
    try {
      room.close(error)
    } catch (failure) {
      this.#services.log.error({ err: failure, board: room.board }, 'a room could not be taken apart')
    }
  }

  /** Commits what waits, then writes a snapshot. */
  async #save(room: Room, write: (snapshots: Snapshots) => Promise<void>): Promise<void> {
    let overdue: NodeJS.Timeout | undefined
    try {
      await room.line.turn(async () => undefined)
      const late = new Promise<void>(resolve => {
        overdue = setTimeout(resolve, savedWithinMs)
      })
      await Promise.race([write(room.snapshots), late])
    } catch (error) {
      this.#services.log.debug({ err: error, board: room.board }, 'the room was discarded while it closed')
    } finally {
      clearTimeout(overdue)
    }
  }

  async #close(room: Room, error: SyncError, write: (snapshots: Snapshots) => Promise<void>): Promise<void> {
    const slot = this.#slots.get(room.board)
    if (slot?.state !== 'open' || slot.room !== room) return
    clearTimeout(slot.idle)
    const closed = this.#save(room, write).then(() => {
      if (this.#slots.get(room.board) === closing) this.#slots.delete(room.board)
      this.#end(room, error)
    })
    const closing: Slot = { state: 'closing', room, closed }
    this.#slots.set(room.board, closing)
    await closed
  }
}

const idleError = () => new SyncError('draining', 'the room was idle')

function rethrowUnless(expected: boolean, error: unknown): void {
  if (!expected) throw error
}
