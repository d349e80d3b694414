/**
 * Takes in what other programs publish on `board:{id}:updates`: each message becomes a row of item changes, in the order of
 * arrival, and goes the way of any change from there.
 *
 *   heard by every instance ─ the holder of the board's lease keeps it ─ checked ─ stored ─ wake-up ─ item inbox
 *
 * Exactly one instance may take a message in, so a message counts as taken when this instance has the lease as it hears it,
 * or gets it by asking then. Whoever is refused forgets the message. A process that stood still may hear, late, what the
 * next holder took in long ago: it takes nothing for which it has no lease until it has heard an echo of its own.
 *
 * An instance that stops hands its boards over: it frees the lease and publishes a mark. Until it hears its own mark it takes
 * what it hears; whoever gets the lease takes only what it hears after the mark. (On one Redis, all hear all messages in one
 * order. In a Cluster, those of that very moment may be taken twice or not at all.) A second mark says that all is stored that
 * came before the first: so long the next one waits to store.
 *
 * A Redis that comes back may know of no lease. Who had one, or still has messages of before to store, asks for it at once;
 * the others wait a moment, or theirs would overtake.
 */
import type { Logger } from '../../core/base/log.ts'
import type { Metrics } from '../../core/base/metrics.ts'
import { pause } from '../../core/base/pause.ts'
import type { Bus, BusState } from '../../core/bus/bus.ts'
import { type BoardId, isBoardId } from '../../core/contract/board-id.ts'
import { boardOfChannel, everyUpdatesChannel, handoverChannel } from '../../core/contract/channels.ts'
import { rawBytesAtMost, readRawMessage } from '../../core/contract/raw-change.ts'
import { mayBeWakeUp } from '../../core/contract/wake-up.ts'
import type { Storage } from '../../core/store/storage.ts'
import { IntakeLease } from './intake-lease.ts'
import { Marks } from './marks.ts'
import { OldNews } from './old-news.ts'
import { RawStore } from './raw-store.ts'

const renewEveryMs = 1_000
/** A board whose publishers are silent for so long is free for any instance. */
const keptForMs = 30_000
/** More than it takes an instance to connect again. */
const oldHoldersFirstMs = 1_500
/** What may wait for storage, over all boards; more is dropped. */
const waitingBytesAtMost = 16 * 1024 * 1024
const storedTogetherAtMost = 100
const storeBeforeHandOverMs = 500
const storeWithinMs = 2_000

interface Arrival {
  bytes: Uint8Array
  /** Whether it came while this instance had the lease, or got it by asking then; a promise until that is known. */
  ours: boolean | Promise<boolean>
}

interface BoardIntake {
  waiting: Arrival[]
  readonly lease: IntakeLease
  lastHeard: number
  working: Promise<void> | undefined
  storing: boolean
}

export class RawIntake {
  readonly #bus: Bus
  readonly #log: Logger
  readonly #metrics: Metrics
  readonly #store: RawStore
  readonly #boards = new Map<BoardId, BoardIntake>()
  readonly #oldNews: OldNews
  #waitingBytes = 0
  #overflowing = false
  /** The bus takes no leases from us, and somebody was told so. */
  #isRefused = false
  /** Resolves once those who had leases before the bus was away have had the time to take them anew. */
  #oldHoldersServed: Promise<unknown> | undefined
  readonly #marks = new Marks()
  #stopping = false
  #timer: NodeJS.Timeout | undefined
  readonly #ends: (() => void)[] = []

  constructor(changes: Storage['changes'], bus: Bus, log: Logger, metrics: Metrics) {
    this.#bus = bus
    this.#log = log
    this.#metrics = metrics
    this.#store = new RawStore(changes, bus, log, metrics)
    this.#oldNews = new OldNews(bus)
  }

  async start(): Promise<void> {
    this.#timer = setInterval(() => this.#tick(), renewEveryMs)
    this.#ends.push(
      this.#bus.onState(state => this.#begin(state)),
      ...(await Promise.all([
        this.#bus.subscribe(everyUpdatesChannel, (channel, message) => this.#hear(channel, message)),
        this.#bus.subscribe(handoverChannel, (_channel, mark) => this.#marks.hear(new TextDecoder().decode(mark))),
        this.#oldNews.listen(),
      ])),
    )
  }

  /** Leaves its boards to others; stores what was its own until then, and drops what takes too long: it would come late. */
  async stop(): Promise<void> {
    this.#stopping = true
    clearInterval(this.#timer)
    await Promise.race([this.#working(), pause(storeBeforeHandOverMs)])
    if (this.#bus.state === 'up') await Promise.all([...this.#boards.values()].map(({ lease }) => lease.handOver()))
    for (const end of this.#ends) end()
    const turns = [...this.#boards.values()].map(({ working, lease }) => lease.endTurn(working))
    await Promise.race([this.#working(), pause(storeWithinMs)])
    this.#store.stop()
    await Promise.all(turns)
  }

  #working(): Promise<unknown> {
    return Promise.all([...this.#boards.values()].map(board => board.working))
  }

  #hear(channel: string, bytes: Uint8Array): void {
    if (mayBeWakeUp(bytes) && readRawMessage(bytes).kind === 'wake-up') return
    const board = boardOfChannel(channel) ?? ''
    if (!isBoardId(board)) {
      this.#store.drop(channel, 'raw-board-missing', 'no board can have this id')
      return
    }
    const now = performance.now()
    const mayBeOld = this.#oldNews.mayBeHeard(now)
    const intake = this.#intakeOf(board)
    const { isReliable } = intake.lease
    if (!isReliable && (mayBeOld || this.#leavesToOthers(intake))) return
    intake.lastHeard = now
    // A copy: what is heard may be a slice of a far larger buffer. Of what is too long, no more than shows that it is.
    const kept = bytes.slice(0, rawBytesAtMost + 1)
    if (this.#waitingBytes + kept.byteLength > waitingBytesAtMost) {
      this.#overflow(board)
      return
    }
    this.#waitingBytes += kept.byteLength
    const arrival: Arrival = { bytes: kept, ours: isReliable }
    if (!isReliable) arrival.ours = this.#askFor(arrival, this.#marks.next(), intake)
    intake.waiting.push(arrival)
    intake.working ??= this.#work(board, intake)
  }

  /** The order of arrival is the order of the rows. Never throws. */
  async #work(board: BoardId, intake: BoardIntake): Promise<void> {
    for (let next = intake.waiting.shift(); next; next = intake.waiting.shift()) {
      intake.storing = await next.ours
      let bytes = next.bytes.byteLength
      if (intake.storing) {
        await intake.lease.turn
        const together = [next, ...moreOfOurs(intake.waiting)]
        bytes = together.reduce((sum, arrival) => sum + arrival.bytes.byteLength, 0)
        await this.#store.take(
          board,
          together.map(arrival => arrival.bytes),
        )
      }
      intake.storing = false
      this.#waitingBytes -= bytes
    }
    this.#overflowing = false
    intake.working = undefined
  }

  async #askFor(arrival: Arrival, number: number, intake: BoardIntake): Promise<boolean> {
    if (this.#oldHoldersServed && !isOldHolder(intake)) await this.#oldHoldersServed
    arrival.ours = !this.#leavesToOthers(intake) && (await intake.lease.covers(number))
    return arrival.ours
  }

  /** Once it stops, it takes in only what it has the lease for, and asks for no other. */
  #leavesToOthers({ lease }: BoardIntake): boolean {
    return this.#stopping && !lease.isHeld
  }

  #tick(): void {
    const now = performance.now()
    this.#oldNews.tick(now)
    for (const [board, intake] of this.#boards) {
      if (!intake.working && now - intake.lastHeard > keptForMs) this.#boards.delete(board)
      else if (intake.lease.isHeld) void intake.lease.ask()
    }
  }

  /** A bus that was away may have forgotten leases, and has nothing old to tell. */
  #begin(state: BusState): void {
    for (const intake of this.#boards.values()) {
      intake.lease.doubt()
      if (state === 'up' && isOldHolder(intake)) void intake.lease.ask()
    }
    if (state === 'up') {
      const served = pause(oldHoldersFirstMs).then(() => {
        if (this.#oldHoldersServed === served) this.#oldHoldersServed = undefined
      })
      this.#oldHoldersServed = served
    }
    this.#oldNews.ruleOut()
    this.#isRefused = false
  }

  #intakeOf(board: BoardId): BoardIntake {
    const existing = this.#boards.get(board)
    if (existing) return existing
    const lease = new IntakeLease(this.#bus, board, this.#marks, reason => this.#refused(board, reason))
    const intake: BoardIntake = { waiting: [], lease, lastHeard: 0, working: undefined, storing: false }
    this.#boards.set(board, intake)
    return intake
  }

  /** What is heard meanwhile is forgotten, unless another instance has the lease. Each time counts; one line tells of all of them. */
  #refused(board: BoardId, reason: unknown): void {
    this.#metrics.refusals.inc({ reason: 'raw-lease-refused' })
    if (!this.#isRefused) this.#log.error({ board, reason: String(reason) }, 'published changes cannot be taken in')
    this.#isRefused = true
  }

  /** Each is counted; one line tells of all of them. */
  #overflow(board: BoardId): void {
    this.#metrics.refusals.inc({ reason: 'raw-overflow' })
    if (!this.#overflowing) this.#log.warn({ board }, 'more changes are published than can be stored: some are dropped')
    this.#overflowing = true
  }
}

/** Takes from those that wait what is known to be ours and is next, to be stored with one wait for the disk. */
function moreOfOurs(waiting: Arrival[]): Arrival[] {
  const end = waiting.slice(0, storedTogetherAtMost - 1).findIndex(({ ours }) => ours !== true)
  return waiting.splice(0, end < 0 ? storedTogetherAtMost - 1 : end)
}

/** Whether nobody should get the lease before it: it may have it still, or has taken in what is not stored yet. */
const isOldHolder = ({ lease, storing, waiting }: BoardIntake): boolean =>
  lease.mayBeHeld || storing || waiting.some(({ ours }) => ours === true)
