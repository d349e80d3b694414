/** What a peer lacks, when it asks with step 1: encoded for it, or the frames that joiners of a big board share. */
import * as Y from 'yjs'
import { pause } from '../../core/base/pause.ts'
import { slices } from '../../core/base/slices.ts'
import type { Replica } from '../../core/doc/replica.ts'
import { encodeSyncStep2 } from '../protocol/frames.ts'
import type { Audience } from './audience.ts'
import { type Base, baseFromBytes } from './base.ts'
import type { BoardSize } from './board-size.ts'
import type { CommitLine } from './commit-line.ts'
import type { Peer } from './peer.ts'

/** About what one entry of a state vector takes while the answer waits. */
const questionBytes = 64
/** Who asks again has those who ask after them on the board wait so many times as long as the answer took. */
const timesLeftToOthers = 19

export interface AnswersOwner {
  /** Where the document rests it begins to wake; what is admitted from here on waits for that. */
  wake(): void
  /** The document cannot be read. */
  onBroken(error: unknown): void
}

export class Answers {
  readonly #replica: Replica
  readonly #line: CommitLine
  readonly #audience: Audience
  readonly #size: BoardSize
  readonly #base: Base
  readonly #owner: AnswersOwner
  /** Done when those who asked again have been answered. */
  #again: Promise<void> = Promise.resolve()

  constructor(
    replica: Replica,
    line: CommitLine,
    audience: Audience,
    size: BoardSize,
    base: Base,
    owner: AnswersOwner,
  ) {
    this.#replica = replica
    this.#line = line
    this.#audience = audience
    this.#size = size
    this.#base = base
    this.#owner = owner
  }

  /**
   * Answers with all that came in before the question, whoever sent it; the first time as soon as other boards leave it time.
   * Clients ask once. Six bytes that have a whole board encoded are cheap to send, so who asks again gets what time there is:
   * one answer at a time on a board, for the question that came last.
   */
  answer(peer: Peer, stateVector: ReadonlyMap<number, number>): void {
    this.#line.applyAdmitted()
    this.#audience.asked(peer)
    const isWaiting = peer.question !== undefined
    peer.question = this.#knownOf(stateVector)
    if (isWaiting) return
    if (peer.hasAsked) this.#again = this.#again.then(() => this.#answerAgain(peer))
    else void this.#answer(peer)
    peer.hasAsked = true
  }

  /** Once its answer before this one is out: a peer has one at the gate. */
  async #answerAgain(peer: Peer): Promise<void> {
    await new Promise<void>(resolve => this.#line.whenCommitted(resolve))
    const tookMs = await this.#answer(peer)
    await pause(tookMs * timesLeftToOthers)
  }

  /** Does not throw. @returns how long it took (ms) */
  async #answer(peer: Peer): Promise<number> {
    try {
      for (;;) {
        if (this.#replica.rests && peer.question?.size) await this.#awake(peer.question.size)
        else if (slices.mustStop()) await slices.next()
        else return await this.#answerNow(peer)
      }
    } catch (error) {
      this.#owner.onBroken(error)
      return 0
    }
  }

  #awake(clients: number): Promise<void> {
    this.#owner.wake()
    return new Promise(resolve => this.#line.admit(questionBytes * clients, resolve))
  }

  async #answerNow(peer: Peer): Promise<number> {
    const { question } = peer
    peer.question = undefined
    if (!question || !this.#audience.peers.has(peer)) return 0
    const isAll = question.size === 0
    if (isAll && this.#size.bytes >= baseFromBytes) return this.#answerWithAll(peer)
    const begun = performance.now()
    const [missing, ...more] = isAll ? this.#replica.encodeState() : [this.#missingFor(question)]
    // A board that lies cut goes out slice by slice, as it is.
    if (!missing || more.length > 0) return this.#answerWithAll(peer)
    this.#answerWith(missing, peer)
    return performance.now() - begun
  }

  #answerWithAll(peer: Peer): Promise<number> {
    return new Promise(resolve => this.#base.give(frames => void this.#sendAll(frames, peer).then(resolve)))
  }

  /** In slices: tens of megabytes on their way into one socket would hold up every other board. Does not throw. */
  async #sendAll(frames: Iterable<Uint8Array>, peer: Peer): Promise<number> {
    const begun = performance.now()
    for (const frame of frames) {
      if (slices.mustStop()) await slices.next()
      if (!this.#audience.peers.has(peer)) return 0
      this.#audience.send(frame, peer)
    }
    this.#audience.answered(peer)
    return performance.now() - begun
  }

  /** Encoded now, sent when all of it is committed. Encoded after the wait it would hold newer edits, uncommitted ones. */
  #answerWith(missing: Uint8Array, peer: Peer): void {
    peer.answer = missing
    this.#line.whenCommitted(() => {
      if (!peer.answer) return
      this.#audience.send(encodeSyncStep2(peer.answer), peer)
      peer.answer = undefined
      this.#audience.answered(peer)
    })
  }

  #missingFor(stateVector: Map<number, number>): Uint8Array {
    return Y.encodeStateAsUpdate(this.#replica.doc, Y.encodeStateVector(stateVector))
  }

  /** What the document knows of it. Who has nothing of that gets what everybody who joins with nothing shares. */
  #knownOf(stateVector: ReadonlyMap<number, number>): Map<number, number> {
    const known = new Map<number, number>()
    if (stateVector.size === 0) return known
    for (const client of Y.decodeStateVector(this.#replica.encodeStateVector()).keys()) {
      const clock = stateVector.get(client)
      if (clock) known.set(client, clock)
    }
    return known
  }
}
