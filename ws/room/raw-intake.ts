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
 * order. In a Cluster, those of that very moment may be taken twice or not at all.)
 */
import { randomUUID } from 'node:crypto'
import type { Logger } from '../../core/base/log.ts'
import type { Metrics } from '../../core/base/metrics.ts'
import { pause } from '../../core/base/pause.ts'
import type { Bus, Lease } from '../../core/bus/bus.ts'
import { type BoardId, parseBoardId } from '../../core/contract/board-id.ts'
import { boardOfChannel, everyUpdatesChannel, handoverChannel, intakeLease } from '../../core/contract/channels.ts'
import { mayBeWakeUp, readRawMessage } from '../../core/contract/raw-change.ts'
import type { Storage } from '../../core/store/storage.ts'
import { Marks } from './marks.ts'
import { RawStore } from './raw-store.ts'

const leaseMs = 5_000
const renewEveryMs = 1_000
/** A board whose publishers are silent for so long is free for any instance. */
const keptForMs = 30_000
/** A lease with less than this left is not relied on. */
const marginMs = 250
/** A timer this late: the process stood still, and what is heard now may be old. */
const stoodStillMs = 2_000
/** What may wait for storage, over all boards; more is dropped. */
const waitingBytesAtMost = 16 * 1024 * 1024
const stopWithinMs = 2_000
const handOverWithinMs = 500

/** A message, or a mark among them. `ours`: it came while this instance had the lease. */
type Arrival = { bytes: Uint8Array; ours: boolean } | { mark: string }

interface BoardIntake {
  waiting: Arrival[]
  /** By `performance.now()`; this instance has the lease until then. */
  leasedUntil: number
  lastHeard: number
  working: Promise<void> | undefined
  /** This instance has handed it over. */
  left: boolean
}

export class RawIntake {
  readonly #bus: Bus
  readonly #log: Logger
  readonly #metrics: Metrics
  readonly #store: RawStore
  readonly #boards = new Map<BoardId, BoardIntake>()
  readonly #echoChannel = `boardsync:echo:${randomUUID()}`
  #waitingBytes = 0
  #overflowing = false
  #lastTick = performance.now()
  #mayHearOldNews = false
  readonly #marks = new Marks()
  #stopping = false
  #timer: NodeJS.Timeout | undefined
  readonly #ends: (() => void)[] = []

  constructor(changes: Storage['changes'], bus: Bus, log: Logger, metrics: Metrics) {
    this.#bus = bus
    this.#log = log
    this.#metrics = metrics
    this.#store = new RawStore(changes, bus, log, metrics)
  }

  async start(): Promise<void> {
    this.#timer = setInterval(() => this.#tick(), renewEveryMs)
    this.#lastTick = performance.now()
    this.#ends.push(
      this.#bus.onState(() => this.#begin()),
      ...(await Promise.all([
        this.#bus.subscribe(everyUpdatesChannel, (channel, message) => this.#hear(channel, message)),
        this.#bus.subscribe(handoverChannel, (_channel, message) => this.#hearMark(message)),
        this.#bus.subscribe(this.#echoChannel, () => {
          this.#mayHearOldNews = false
        }),
      ])),
    )
  }

  /** Leaves its boards to others; stores what was its own until then, as far as that goes. */
  async stop(): Promise<void> {
    this.#stopping = true
    clearInterval(this.#timer)
    await Promise.race([this.#working(), pause(handOverWithinMs)])
    if (this.#bus.state === 'up') await this.#handOver()
    for (const end of this.#ends) end()
    await Promise.race([this.#working(), pause(stopWithinMs)])
    this.#store.stop()
  }

  async #handOver(): Promise<void> {
    const held = [...this.#boards].filter(([, { leasedUntil }]) => leasedUntil > performance.now())
    const handed = held.map(async ([board]) => {
      const mark = `${board} ${randomUUID()}`
      const heard = this.#marks.heard(mark, handOverWithinMs)
      await Promise.race([this.#bus.release(intakeLease(board), handoverChannel, mark), pause(handOverWithinMs)])
      await heard
    })
    await Promise.all(handed)
  }

  #working(): Promise<unknown> {
    return Promise.all([...this.#boards.values()].map(board => board.working))
  }

  #hear(channel: string, bytes: Uint8Array): void {
    if (mayBeWakeUp(bytes) && readRawMessage(bytes).kind === 'wake-up') return
    const board = boardIn(channel)
    if (board === undefined) return
    const now = performance.now()
    if (now - this.#lastTick > stoodStillMs) this.#askForEcho()
    const intake = this.#intakeOf(board)
    const ours = intake.leasedUntil - marginMs > now
    if (!ours && (this.#mayHearOldNews || this.#stopping)) return
    intake.lastHeard = now
    if (this.#waitingBytes + bytes.byteLength > waitingBytesAtMost) {
      this.#overflow(board)
      return
    }
    this.#waitingBytes += bytes.byteLength
    // A copy: what is heard may be a slice of a far larger buffer.
    intake.waiting.push({ bytes: bytes.slice(), ours })
    intake.working ??= this.#work(board, intake)
  }

  #hearMark(bytes: Uint8Array): void {
    const mark = new TextDecoder().decode(bytes)
    const intake = this.#boards.get(mark.split(' ')[0] as BoardId)
    if (intake) {
      intake.waiting.push({ mark })
      if (this.#stopping) Object.assign(intake, { left: true, leasedUntil: 0 })
    }
    this.#marks.hear(mark)
  }

  /** One at a time: the order of arrival is the order of the rows. Never throws. */
  async #work(board: BoardId, intake: BoardIntake): Promise<void> {
    while (intake.waiting.length > 0) {
      const arrived = intake.waiting.splice(0)
      const isDecided = arrived.every(arrival => 'mark' in arrival || arrival.ours)
      const lease = isDecided ? undefined : await this.#lease(board, intake)
      // The mark may have come while the lease was asked for; if it came before that, all of this is after it.
      if (lease?.after !== undefined) arrived.push(...intake.waiting.splice(0))
      const from = arrived.findLastIndex(arrival => 'mark' in arrival && arrival.mark === lease?.after) + 1
      for (const [index, arrival] of arrived.entries()) {
        if ('mark' in arrival) continue
        if (arrival.ours || (lease && index >= from)) await this.#store.take(board, arrival.bytes)
        this.#waitingBytes -= arrival.bytes.byteLength
      }
    }
    this.#overflowing = false
    intake.working = undefined
  }

  async #lease(board: BoardId, intake: BoardIntake): Promise<Lease | undefined> {
    const asked = performance.now()
    const lease = await this.#bus.lease(intakeLease(board), leaseMs)
    // What is heard before the mark is not ours, though we have the lease.
    if (lease?.after !== undefined) await this.#marks.heard(lease.after, handOverWithinMs)
    intake.leasedUntil = lease && !intake.left ? asked + leaseMs : 0
    return lease
  }

  #tick(): void {
    const now = performance.now()
    if (now - this.#lastTick > stoodStillMs) this.#askForEcho()
    else if (this.#mayHearOldNews) this.#bus.publish(this.#echoChannel, new Uint8Array())
    this.#lastTick = now
    for (const [board, intake] of this.#boards) {
      if (!intake.working) intake.waiting = [] // marks, with nothing to mark
      if (!intake.working && now - intake.lastHeard > keptForMs) this.#boards.delete(board)
      else if (intake.leasedUntil > now) void this.#lease(board, intake)
    }
  }

  #askForEcho(): void {
    this.#lastTick = performance.now()
    this.#mayHearOldNews = true
    this.#bus.publish(this.#echoChannel, new Uint8Array())
  }

  /** A bus that was away may have forgotten leases, and has nothing old to tell. */
  #begin(): void {
    for (const intake of this.#boards.values()) intake.leasedUntil = 0
    this.#mayHearOldNews = false
  }

  #intakeOf(board: BoardId): BoardIntake {
    const existing = this.#boards.get(board)
    if (existing) return existing
    const intake: BoardIntake = { waiting: [], leasedUntil: 0, lastHeard: 0, working: undefined, left: false }
    this.#boards.set(board, intake)
    return intake
  }

  /** Each is counted; one line tells of all of them. */
  #overflow(board: BoardId): void {
    this.#metrics.refusals.inc({ reason: 'raw-overflow' })
    if (!this.#overflowing) this.#log.warn({ board }, 'more changes are published than can be stored: some are dropped')
    this.#overflowing = true
  }
}

/** A channel that is none of a board is told of by the item inbox. */
function boardIn(channel: string): BoardId | undefined {
  try {
    return parseBoardId(boardOfChannel(channel) ?? '')
  } catch {
    return undefined
  }
}
