/**
 * How fast one socket is read. Over its rate, or faster than storage takes it, what changes or asks for the document waits in
 * its order: no edit is lost. Of cursors the newest of each client waits. Past a bound nothing more is read from the network.
 * Who sends about ten times as much for 30 s is told to go.
 */
import { type Rate, TokenBucket } from '../../core/base/token-bucket.ts'
import type { AwarenessState } from '../protocol/awareness-codec.ts'
import type { Frame } from '../protocol/frames.ts'
import { FloodMeter } from './flood-meter.ts'

export interface MessageRates {
  doc: Rate
  awareness: Rate
}

/** What a rate does to its socket. */
export interface RatedSocket {
  deliver(frame: Frame): void
  /** The board has so many edits on their way to storage that more of them had better wait. */
  isCrowded(): boolean
  /** Reads nothing more from the network until `resume`. */
  pause(): void
  resume(): void
  /** It sends about ten times what it may, for long. */
  onFlood(): void
}

/** As much as a few large frames take anyway; what waits in the network's buffers costs us nothing. */
const waitingBytesAtMost = 4 * 1024 * 1024
const waitingStatesAtMost = 1_000
/** Waiting messages are taken several at a time. */
const takenEveryMs = 20

export class MessageRate {
  readonly #socket: RatedSocket
  readonly #doc: TokenBucket
  readonly #awareness: TokenBucket
  readonly #docFlood: FloodMeter
  readonly #awarenessFlood: FloodMeter
  readonly #waiting = new Set<{ frame: Frame; bytes: number }>()
  #waitingBytes = 0
  readonly #cursors = new Map<number, AwarenessState>()
  #paused = false
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(rates: MessageRates, socket: RatedSocket) {
    this.#socket = socket
    this.#doc = new TokenBucket(rates.doc)
    this.#awareness = new TokenBucket(rates.awareness)
    this.#docFlood = new FloodMeter(rates.doc.perSecond)
    this.#awarenessFlood = new FloodMeter(rates.awareness.perSecond)
  }

  receive(frame: Frame, bytes: number): void {
    if (this.#closed) return
    const now = performance.now()
    const isCursor = frame.kind === 'awareness'
    if ((isCursor ? this.#awarenessFlood : this.#docFlood).arrived(now)) this.#socket.onFlood()
    if (isCursor) this.#receiveCursors(frame.states, now)
    else if (this.#waiting.size === 0 && !this.#isHeldUp(frame) && this.#doc.take(now)) this.#socket.deliver(frame)
    else this.#wait(frame, bytes)
  }

  /** @param takesRest what waits is still delivered: the client has sent it and is gone */
  close(takesRest: boolean): void {
    if (this.#closed) return
    this.#closed = true
    clearTimeout(this.#timer)
    if (takesRest) for (const { frame } of this.#waiting) this.#socket.deliver(frame)
    this.#waiting.clear()
  }

  /** What is asked brings storage nothing to do, and who joins is told of no edit before the answer. */
  #isHeldUp(frame: Frame): boolean {
    return frame.kind !== 'sync-step-1' && this.#socket.isCrowded()
  }

  #wait(frame: Frame, bytes: number): void {
    this.#waiting.add({ frame, bytes })
    this.#waitingBytes += bytes
    if (!this.#paused && this.#waitingBytes > waitingBytesAtMost) {
      this.#paused = true
      this.#docFlood.pause(performance.now())
      this.#socket.pause()
    }
    this.#takeSoon()
  }

  #receiveCursors(states: readonly AwarenessState[], now: number): void {
    if (this.#cursors.size === 0 && this.#awareness.take(now)) {
      this.#socket.deliver({ kind: 'awareness', states: [...states] })
      return
    }
    for (const state of states) {
      const waiting = this.#cursors.get(state.clientId)
      if (waiting ? state.clock >= waiting.clock : this.#cursors.size < waitingStatesAtMost) {
        this.#cursors.set(state.clientId, state)
      }
    }
    if (this.#cursors.size > 0) this.#takeSoon()
  }

  #takeSoon(): void {
    this.#timer ??= setTimeout(() => this.#take(), takenEveryMs)
  }

  #take(): void {
    this.#timer = undefined
    const now = performance.now()
    for (const waiting of this.#waiting) {
      if (this.#closed || this.#socket.isCrowded() || !this.#doc.take(now)) break
      this.#waiting.delete(waiting)
      this.#waitingBytes -= waiting.bytes
      this.#socket.deliver(waiting.frame)
    }
    if (this.#cursors.size > 0 && !this.#closed && this.#awareness.take(now)) {
      const states = [...this.#cursors.values()]
      this.#cursors.clear()
      this.#socket.deliver({ kind: 'awareness', states })
    }
    if (this.#closed) return
    if (this.#paused && this.#docFlood.isFlood(now)) this.#socket.onFlood()
    if (this.#paused && this.#waitingBytes < waitingBytesAtMost / 2) {
      this.#paused = false
      this.#docFlood.resume(now)
      this.#socket.resume()
    }
    if (this.#waiting.size > 0 || this.#cursors.size > 0) this.#takeSoon()
  }
}
