/**
 * The events of one board: its log followed row by row on a replica of its own, whoever writes it, and told to all who
 * listen. One reading and one encoding for many listeners.
 */
import { slices } from '../core/base/slices.ts'
import type { BoardId } from '../core/contract/board-id.ts'
import { ItemTracker } from '../core/doc/item-tracker.ts'
import { Replica } from '../core/doc/replica.ts'
import type { LogRow } from '../core/store/board-log.ts'
import type { Storage } from '../core/store/storage.ts'
import { boardMissing } from './board-missing.ts'
import { itemsFrame, type Place } from './event-frames.ts'
import type { EventStream } from './event-stream.ts'

/** What was told last is kept for those who were away for a moment. */
const recentBytesAtMost = 1024 * 1024

export class EventFeed {
  readonly board: BoardId
  readonly #past: Storage['past']
  readonly #tracker: ItemTracker
  readonly #onEnd: () => void
  readonly #listeners = new Set<EventStream>()
  /** The frames of rows after `#recentAfter`, oldest first. */
  readonly #recent: { seq: number; frame: Buffer }[] = []
  #recentAfter: number
  #recentBytes = 0
  #reading: Promise<void> | undefined
  #again: Promise<void> | undefined
  #ended = false

  private constructor(board: BoardId, tracker: ItemTracker, past: Storage['past'], onEnd: () => void) {
    this.board = board
    this.#past = past
    this.#tracker = tracker
    this.#onEnd = onEnd
    this.#recentAfter = tracker.replica.known
  }

  /**
   * @param onEnd the board was deleted, or is another one than it was: nobody is told anything more
   * @throws Problem `board-missing`; StorageError
   */
  static async open(board: BoardId, storage: Pick<Storage, 'archive' | 'past'>, onEnd: () => void): Promise<EventFeed> {
    const stored = await storage.archive.read(board, 0)
    if (!stored || stored.head.deleted) throw boardMissing()
    return new EventFeed(board, await ItemTracker.of(await Replica.load(stored)), storage.past, onEnd)
  }

  get place(): Place {
    return { epoch: this.#tracker.replica.epoch, seq: this.#tracker.replica.known }
  }

  get isOver(): boolean {
    return this.#ended
  }

  get listeners(): number {
    return this.#listeners.size
  }

  /** From now on; what was told after `seq` first. @returns false, and nothing happens, where that is too long ago */
  listen(stream: EventStream, seq: number): boolean {
    if (this.#ended || seq < this.#recentAfter) return false
    for (const told of this.#recent) if (told.seq > seq) stream.tell(told.frame)
    this.#listeners.add(stream)
    return true
  }

  leave(stream: EventStream): void {
    this.#listeners.delete(stream)
  }

  tell(frame: Buffer): void {
    for (const listener of this.#listeners) listener.tell(frame)
  }

  /**
   * Resolves when all that was committed before the call has been told.
   * @throws StorageError; Error when the log cannot be read
   */
  async catchUp(): Promise<void> {
    if (!this.#reading) {
      this.#reading = this.#read().finally(() => {
        this.#reading = undefined
      })
      return this.#reading
    }
    // The reading under way may have begun too early.
    this.#again ??= this.#reading
      .catch(() => undefined) // told to who asked for it
      .then(() => {
        this.#again = undefined
        return this.catchUp()
      })
    return this.#again
  }

  end(): void {
    if (this.#ended) return
    this.#ended = true
    for (const listener of this.#listeners) listener.finish()
    this.#listeners.clear()
    this.#tracker.replica.destroy()
    this.#onEnd()
  }

  async #read(): Promise<void> {
    if (this.#ended) return
    const { epoch, seq } = this.place
    const read = await this.#past.since(this.board, seq, false)
    if (!read || read === 'gone' || read.head.deleted || read.head.epoch !== epoch) {
      this.end()
      return
    }
    for (const row of read.rows) {
      if (this.#ended) return
      this.#pass(row, epoch)
      if (slices.mustStop()) await slices.next()
    }
  }

  #pass(row: LogRow, epoch: number): void {
    const events = this.#tracker.absorb(row, epoch)
    if (events.length === 0) return
    const frame = itemsFrame(events, epoch, row)
    this.#recent.push({ seq: row.seq, frame })
    this.#recentBytes += frame.byteLength
    while (this.#recentBytes > recentBytesAtMost) this.#forgetOldest()
    this.tell(frame)
  }

  #forgetOldest(): void {
    const oldest = this.#recent.shift()
    if (!oldest) return
    this.#recentBytes -= oldest.frame.byteLength
    this.#recentAfter = oldest.seq
  }
}
