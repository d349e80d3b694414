/**
 * The boards whose events somebody listens to, a feed each. Commits wake a feed over the bus; what the bus does not bring
 * is found by comparing all followed boards with the store, in one query. Works without rooms: it reads the log.
 */
import { StorageError } from '../core/base/errors.ts'
import type { Logger } from '../core/base/log.ts'
import type { Bus } from '../core/bus/bus.ts'
import type { BoardId } from '../core/contract/board-id.ts'
import { syncChannel } from '../core/contract/channels.ts'
import type { Storage } from '../core/store/storage.ts'
import { EventFeed } from './event-feed.ts'
import { openingFrame, type Place } from './event-frames.ts'
import { PresenceWatch } from './event-presence.ts'
import { eventsGone, readPast, replay } from './event-replay.ts'
import { EventStream } from './event-stream.ts'
import { Problem } from './problems.ts'
import type { WhoIsHere } from './who-is-here.ts'

const compareEveryMs = 1_000
/** Who comes back soon finds the feed as it was. */
const idleMs = 30_000
/** Each holds its whole board: of more than these, who left first is not waited for. */
const idleAtMost = 20
/** Whoever may read every board could have every board in memory, by listening to it. */
const streamsPerCaller = 100

interface Slot {
  feed: EventFeed | undefined
  opened: Promise<EventFeed>
  presence: PresenceWatch
  isLooking: boolean
  unsubscribe: (() => void) | undefined
  idle: NodeJS.Timeout | undefined
}

export class EventFeeds {
  readonly #storage: Pick<Storage, 'archive' | 'boards' | 'past'>
  readonly #bus: Bus
  readonly #whoIsHere: Pick<WhoIsHere, 'clientsOn'>
  readonly #log: Logger
  readonly #slots = new Map<BoardId, Slot>()
  /** Those that nobody may be listening to, from the one left first. */
  readonly #idle = new Map<BoardId, Slot>()
  readonly #streamsOf = new Map<string, number>()
  readonly #timer: NodeJS.Timeout
  #comparing = false
  #closed = false

  constructor(
    storage: Pick<Storage, 'archive' | 'boards' | 'past'>,
    bus: Bus,
    whoIsHere: Pick<WhoIsHere, 'clientsOn'>,
    log: Logger,
  ) {
    this.#storage = storage
    this.#bus = bus
    this.#whoIsHere = whoIsHere
    this.#log = log
    this.#timer = setInterval(() => {
      void this.#compare()
      for (const [board, slot] of this.#slots) if (hasListeners(slot)) void this.#lookAgain(board, slot)
    }, compareEveryMs)
  }

  /**
   * A stream of what happens to the board from now on, or after this place.
   * @param caller whom it counts for
   * @throws Problem `board-missing`, `events-gone`, `too-many-streams`, `draining`; StorageError
   */
  async stream(board: BoardId, from: Place | undefined, caller: string): Promise<EventStream> {
    const stream = new EventStream()
    this.#count(caller, stream)
    try {
      const feed = await this.#follow(board)
      stream.on('close', () => this.#leave(feed, stream))
      if (from && (from.epoch !== feed.place.epoch || from.seq > feed.place.seq)) throw eventsGone()
      const start = from ?? feed.place
      stream.tell(openingFrame(start))
      if (!feed.listen(stream, start.seq)) await this.#resume(feed, stream, start)
      return stream
    } catch (error) {
      stream.destroy()
      throw error
    }
  }

  /** Ends every stream; clients connect again, elsewhere. */
  close(): void {
    this.#closed = true
    clearInterval(this.#timer)
    for (const [board, slot] of this.#slots) this.#drop(board, slot)
  }

  #count(caller: string, stream: EventStream): void {
    const streams = this.#streamsOf.get(caller) ?? 0
    if (streams >= streamsPerCaller) {
      stream.destroy()
      throw new Problem('too-many-streams', `this credential has ${streamsPerCaller} streams open; close some first`, {
        headers: { 'retry-after': '10' },
      })
    }
    this.#streamsOf.set(caller, streams + 1)
    stream.on('close', () => {
      const left = (this.#streamsOf.get(caller) ?? 1) - 1
      if (left > 0) this.#streamsOf.set(caller, left)
      else this.#streamsOf.delete(caller)
    })
  }

  async #resume(feed: EventFeed, stream: EventStream, from: Place): Promise<void> {
    const upTo = feed.place.seq
    stream.holdBack()
    // First of all: between what is read now and what is told then nothing is missing.
    feed.listen(stream, upTo)
    const past = await readPast(this.#storage.past, feed.board, from)
    replay(past, from.seq, upTo, stream).then(
      () => stream.toldPast(),
      error => {
        this.#log.error({ err: error, board: feed.board }, 'past events could not be told')
        stream.destroy()
      },
    )
  }

  /** The board's feed, with all told that was committed before. */
  async #follow(board: BoardId): Promise<EventFeed> {
    for (;;) {
      if (this.#closed) throw new Problem('draining', 'this instance is going away; connect again')
      const slot = this.#slots.get(board) ?? this.#open(board)
      clearTimeout(slot.idle)
      this.#idle.delete(board)
      const feed = await slot.opened
      try {
        if (!hasListeners(slot)) await this.#beginWatch(board, slot)
        await feed.catchUp()
      } catch (error) {
        this.#dropWhenIdle(board, slot)
        throw error
      }
      // Only now was it seen that the board was deleted, or went back.
      if (!feed.isOver) return feed
    }
  }

  #open(board: BoardId): Slot {
    const slot: Slot = {
      feed: undefined,
      opened: EventFeed.open(board, this.#storage, () => this.#drop(board, slot)),
      presence: new PresenceWatch(),
      isLooking: false,
      unsubscribe: undefined,
      idle: undefined,
    }
    this.#slots.set(board, slot)
    slot.opened.then(
      feed => {
        slot.feed = feed
        if (this.#slots.get(board) !== slot) feed.end()
      },
      () => this.#drop(board, slot), // whoever opens it is told why
    )
    // Not waited for: what it does not bring is found by comparing.
    this.#bus
      .subscribe(syncChannel(board), () => void this.#wake(slot.feed))
      .then(
        unsubscribe => {
          slot.unsubscribe = unsubscribe
          if (this.#slots.get(board) !== slot) unsubscribe()
        },
        error => this.#log.warn({ err: error, board }, 'could not subscribe; looking at the log instead'),
      )
    return slot
  }

  #leave(feed: EventFeed, stream: EventStream): void {
    feed.leave(stream)
    const slot = this.#slots.get(feed.board)
    if (slot?.feed === feed) this.#dropWhenIdle(feed.board, slot)
  }

  #dropWhenIdle(board: BoardId, slot: Slot): void {
    clearTimeout(slot.idle)
    slot.idle = setTimeout(() => this.#dropIdle(board, slot), idleMs)
    this.#idle.delete(board)
    this.#idle.set(board, slot)
    const [first] = this.#idle
    if (first && this.#idle.size > idleAtMost) this.#dropIdle(...first)
  }

  #dropIdle(board: BoardId, slot: Slot): void {
    this.#idle.delete(board)
    if (!hasListeners(slot)) this.#drop(board, slot)
  }

  #drop(board: BoardId, slot: Slot): void {
    if (this.#slots.get(board) !== slot) return
    this.#slots.delete(board)
    this.#idle.delete(board)
    clearTimeout(slot.idle)
    slot.unsubscribe?.()
    slot.feed?.end()
  }

  /** One at a time: a store that is slow to answer would be asked until nobody else gets a connection. */
  async #compare(): Promise<void> {
    if (this.#comparing) return
    // How far each was before the question: what it reads meanwhile is no sign of a store that went back.
    const before = [...this.#slots.values()].flatMap(({ feed }) => (feed ? [{ feed, place: feed.place }] : []))
    if (before.length === 0) return
    this.#comparing = true
    try {
      const known = before.map(({ feed, place }) => ({ board: feed.board, epoch: place.epoch, headSeq: place.seq }))
      const others = await this.#storage.boards.headsOtherThan(known)
      for (const { feed, place } of before) {
        if (!others.has(feed.board)) continue
        const head = others.get(feed.board)
        if (!head || head.deleted || head.epoch !== place.epoch || head.headSeq < place.seq) feed.end()
        else if (head.headSeq > place.seq) void this.#wake(feed)
      }
    } catch (error) {
      this.#log.debug({ err: error }, 'could not compare followed boards with the store')
    } finally {
      this.#comparing = false
    }
  }

  /** Who is there when somebody begins to listen is no news to them; who comes a moment later is. */
  #beginWatch(board: BoardId, slot: Slot): Promise<void> {
    slot.presence = new PresenceWatch()
    return this.#lookWhoIsHere(board, slot)
  }

  async #lookAgain(board: BoardId, slot: Slot): Promise<void> {
    if (slot.isLooking) return
    slot.isLooking = true
    try {
      await this.#lookWhoIsHere(board, slot)
    } finally {
      slot.isLooking = false
    }
  }

  async #lookWhoIsHere(board: BoardId, { feed, presence }: Slot): Promise<void> {
    const { clients, isPartial } = await this.#whoIsHere.clientsOn(board)
    // Nobody leaves because other instances cannot be asked.
    if (isPartial) return
    for (const frame of presence.look(clients)) feed?.tell(frame)
  }

  async #wake(feed: EventFeed | undefined): Promise<void> {
    try {
      await feed?.catchUp()
    } catch (error) {
      // An outage: the next comparison wakes it again.
      if (error instanceof StorageError && error.failure !== 'refused') return
      this.#log.error({ err: error, board: feed?.board }, 'a board could not be followed')
      feed?.end()
    }
  }
}

const hasListeners = ({ feed }: Slot): boolean => feed !== undefined && feed.listeners > 0
