/** What a peer lacks, when it asks with step 1: encoded for it, or the frames that joiners of a big board share. */
import * as Y from 'yjs'
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

export class Answers {
  readonly #replica: Replica
  readonly #line: CommitLine
  readonly #audience: Audience
  readonly #size: BoardSize
  readonly #base: Base
  readonly #wake: () => void

  /** @param wake where the document rests it begins to wake; what is admitted from here on waits for that */
  constructor(replica: Replica, line: CommitLine, audience: Audience, size: BoardSize, base: Base, wake: () => void) {
    this.#replica = replica
    this.#line = line
    this.#audience = audience
    this.#size = size
    this.#base = base
    this.#wake = wake
  }

  /**
   * Answers with all that came in before the question, whoever sent it. Who asks again while the answer waits gets the later one
   * only: what waits for one peer is bounded.
   */
  answer(peer: Peer, stateVector: Map<number, number>): void {
    this.#line.applyAdmitted()
    this.#audience.asked(peer)
    peer.asked += 1
    peer.answer = undefined
    const { asked } = peer
    const isAll = stateVector.size === 0
    if (isAll && this.#size.bytes >= baseFromBytes) {
      this.#answerWithAll(peer)
    } else if (this.#replica.rests && !isAll) {
      this.#wake()
      this.#line.admit(questionBytes * stateVector.size, () => {
        if (peer.asked === asked) this.#answerWith(this.#missingFor(stateVector), peer)
      })
    } else {
      this.#answerWith(isAll ? joined(this.#replica.encodeState()) : this.#missingFor(stateVector), peer)
    }
  }

  #answerWithAll(peer: Peer): void {
    const { asked } = peer
    this.#base.give(frames => void this.#sendAll(frames, peer, asked))
  }

  /** In slices: tens of megabytes on their way into one socket would hold up every other board. Does not throw. */
  async #sendAll(frames: Iterable<Uint8Array>, peer: Peer, asked: number): Promise<void> {
    for (const frame of frames) {
      if (slices.isOver) await slices.next()
      if (peer.asked !== asked || !this.#audience.peers.has(peer)) return
      this.#audience.send(frame, peer)
    }
    this.#audience.answered(peer)
  }

  /** Encoded now, sent when all of it is committed. Encoded after the wait it would hold newer edits, uncommitted ones. */
  #answerWith(missing: Uint8Array, peer: Peer): void {
    peer.answer = missing
    const { asked } = peer
    this.#line.whenCommitted(() => {
      if (peer.asked !== asked || !peer.answer) return
      this.#audience.send(encodeSyncStep2(peer.answer), peer)
      peer.answer = undefined
      this.#audience.answered(peer)
    })
  }

  #missingFor(stateVector: Map<number, number>): Uint8Array {
    return Y.encodeStateAsUpdate(this.#replica.doc, Y.encodeStateVector(stateVector))
  }
}

/** One, where it is not a big board. */
const joined = (updates: readonly Uint8Array[]): Uint8Array =>
  updates[0] && updates.length === 1 ? updates[0] : Y.mergeUpdates([...updates])
