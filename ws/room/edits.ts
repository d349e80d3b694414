/**
 * What becomes of an update that a peer sends: checked, applied to the replica, handed to the commit line. And both
 * directions of sync: what a peer lacks is answered, what its updates depend on is asked for.
 */
import * as Y from 'yjs'
import { SyncError } from '../../core/base/errors.ts'
import type { Logger } from '../../core/base/log.ts'
import type { Metrics } from '../../core/base/metrics.ts'
import { slices } from '../../core/base/slices.ts'
import type { Actor } from '../../core/contract/actor.ts'
import type { Replica } from '../../core/doc/replica.ts'
import { encodeSyncStep1, encodeSyncStep2, encodeUpdate } from '../protocol/frames.ts'
import { checkUpdate, clocksAfter } from '../protocol/update-check.ts'
import type { Audience } from './audience.ts'
import { type Base, baseFromBytes } from './base.ts'
import type { BoardSize } from './board-size.ts'
import type { CommitLine } from './commit-line.ts'
import type { Peer } from './peer.ts'

/** How often an author is asked for what its updates depend on before they are only dropped. */
const unresolvedAtMost = 3
/** About what one entry of a state vector takes while the answer waits. */
const questionBytes = 64

export interface EditsOwner {
  /** Reads what the log has and the replica lacks. */
  catchUp(): Promise<void>
  /** Where the document rests it begins to wake; what is admitted from here on waits for that. */
  wake(): void
  /** The document cannot be read, or holds a part of an update that nobody will commit: it is not to be used again. */
  onBroken(error: unknown): void
}

interface EditsServices {
  limits: { updateBytes: number }
  log: Logger
  metrics: Metrics
}

export class Edits {
  readonly #replica: Replica
  readonly #line: CommitLine
  readonly #audience: Audience
  readonly #services: EditsServices
  readonly #owner: EditsOwner
  readonly #size: BoardSize
  readonly #base: Base

  constructor(
    replica: Replica,
    line: CommitLine,
    audience: Audience,
    services: EditsServices,
    owner: EditsOwner,
    size: BoardSize,
    base: Base,
  ) {
    this.#replica = replica
    this.#line = line
    this.#audience = audience
    this.#services = services
    this.#owner = owner
    this.#size = size
    this.#base = base
  }

  /** @throws SyncError `update-too-large` */
  receive(update: Uint8Array, peer: Peer): void {
    if (!isEmptyUpdate(update)) {
      this.#admit(update, () => this.#apply(update, peer))
      return
    }
    // No reason to wake a document that rests. Its echo comes behind those of what was sent before.
    this.#line.applyAdmitted()
    this.#echo(update, peer)
  }

  /** A step 2: what we lacked. @throws SyncError `update-too-large` */
  receiveAnswer(update: Uint8Array, peer: Peer): void {
    // Of a newcomer that has nothing of its own: no edit, and nobody waits for its echo.
    if (isEmptyUpdate(update)) {
      peer.awaitsStep2 = false
      return
    }
    this.#admit(update, () => {
      // Not before: edits that it completes may wait in front of it, and are not to be asked for.
      peer.awaitsStep2 = false
      this.#apply(update, peer)
    })
  }

  /** Sends step 1. Its state vector tells an author what is safe with us: no more than what is committed. */
  askForMissing(peer: Peer): void {
    peer.awaitsStep2 = true
    const stateVector = this.#replica.encodeStateVector()
    this.#line.whenCommitted(() => this.#audience.send(encodeSyncStep1(stateVector), peer))
  }

  /**
   * Answers step 1 with all that came in before it, whoever sent it. Who asks again while the answer waits gets the later one
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
      this.#owner.wake()
      this.#line.admit(questionBytes * stateVector.size, () => {
        if (peer.asked === asked) this.#answerWith(this.#missingFor(stateVector), peer)
      })
    } else {
      this.#answerWith(isAll ? joined(this.#replica.encodeState()) : this.#missingFor(stateVector), peer)
    }
  }

  #admit(update: Uint8Array, apply: () => void): void {
    const { updateBytes } = this.#services.limits
    if (update.byteLength > updateBytes) {
      throw new SyncError('update-too-large', `an update may have at most ${updateBytes} bytes`)
    }
    this.#owner.wake()
    this.#line.admit(update.byteLength, apply)
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

  /**
   * Whether the update has structs that the document lacks: more than deletions. Does not wake it.
   * @throws SyncError `frame-malformed`
   */
  bringsStructs(update: Uint8Array): boolean {
    const known = Y.decodeStateVector(this.#replica.encodeStateVector())
    return [...clocksAfter(update)].some(([client, clock]) => clock > (known.get(client) ?? 0))
  }

  /** Does not throw. Checked here and not before: what fits depends on what the document holds by now. */
  #apply(update: Uint8Array, peer: Peer): void {
    if (peer.refused) return
    const doc = this.#readDoc()
    if (!doc) return
    try {
      checkUpdate(update, doc)
      if (!this.#size.hasRoomFor(update.byteLength) && this.bringsStructs(update)) {
        throw new SyncError('board-too-large', 'the board is full; deleting is still possible')
      }
    } catch (error) {
      this.#refuse(peer, error)
      return
    }
    try {
      this.#integrate(update, peer)
    } catch (error) {
      this.#refuse(peer, error)
      this.#owner.onBroken(error)
    }
  }

  /** @returns undefined, and the room is no more, where a document that rests cannot be read: no fault of who edits it */
  #readDoc(): Y.Doc | undefined {
    try {
      return this.#replica.doc
    } catch (error) {
      this.#owner.onBroken(error)
      return undefined
    }
  }

  #integrate(update: Uint8Array, peer: Peer): void {
    const applied = this.#replica.apply(update, peer)
    if (applied.update) {
      this.#line.enqueue(applied.update, actorOf(peer))
    } else if (!applied.incomplete) {
      // Known already. The echo is what tells an author that its edit is in the log, so it gets one all the same.
      this.#echo(update, peer)
    }
    if (applied.incomplete) void this.#resolve(peer)
    else peer.unresolved = 0
  }

  #echo(update: Uint8Array, peer: Peer): void {
    this.#line.whenCommitted(() => this.#audience.send(encodeUpdate(update), peer), update.byteLength)
  }

  #refuse(peer: Peer, error: unknown): void {
    peer.refused = true
    this.#services.log.debug({ err: error }, 'update refused')
    const refusal = error instanceof SyncError ? error : new SyncError('frame-malformed', 'malformed update')
    this.#audience.close(peer, refusal)
  }

  /**
   * An update refers to structs we have not got: edits its author made before we asked for what we lack, or another
   * instance's that we have not read yet. So: read, then ask. The answer holds what was left out.
   */
  async #resolve(peer: Peer): Promise<void> {
    this.#services.metrics.refusals.inc({ reason: 'update-incomplete' })
    peer.unresolved += 1
    if (peer.awaitsStep2 || peer.unresolved > unresolvedAtMost) return
    peer.awaitsStep2 = true
    try {
      await this.#owner.catchUp()
    } catch (error) {
      this.#services.log.warn({ err: error, board: this.#line.board }, 'could not read the log')
    }
    if (this.#audience.peers.has(peer)) this.askForMissing(peer)
  }
}

/** One, where it is not a big board. */
const joined = (updates: readonly Uint8Array[]): Uint8Array =>
  updates[0] && updates.length === 1 ? updates[0] : Y.mergeUpdates([...updates])

const isEmptyUpdate = (update: Uint8Array): boolean => update.byteLength === 2 && update[0] === 0 && update[1] === 0

const actorOf = (peer: Peer): Actor => `human:${peer.grant.subject}`
