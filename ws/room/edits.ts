/**
 * What becomes of an update that a peer sends: checked, applied to the replica, handed to the commit line. What it depends on
 * and is not here is asked for.
 */
import * as Y from 'yjs'
import { isEmptyUpdate } from '../../core/base/empty-update.ts'
import { SyncError } from '../../core/base/errors.ts'
import type { Logger } from '../../core/base/log.ts'
import type { Metrics } from '../../core/base/metrics.ts'
import type { Actor } from '../../core/contract/actor.ts'
import type { Replica } from '../../core/doc/replica.ts'
import { encodeSyncStep1, encodeUpdate } from '../protocol/frames.ts'
import { checkUpdate, clocksAfter } from '../protocol/update-check.ts'
import type { Audience } from './audience.ts'
import type { BoardSize } from './board-size.ts'
import type { CommitLine } from './commit-line.ts'
import type { Peer } from './peer.ts'

/** How often an author is asked for what its updates depend on before they are only dropped. */
const unresolvedAtMost = 3

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

  constructor(
    replica: Replica,
    line: CommitLine,
    audience: Audience,
    services: EditsServices,
    owner: EditsOwner,
    size: BoardSize,
  ) {
    this.#replica = replica
    this.#line = line
    this.#audience = audience
    this.#services = services
    this.#owner = owner
    this.#size = size
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

  #admit(update: Uint8Array, apply: () => void): void {
    const { updateBytes } = this.#services.limits
    if (update.byteLength > updateBytes) {
      throw new SyncError('update-too-large', `an update may have at most ${updateBytes} bytes`)
    }
    this.#owner.wake()
    this.#line.admit(update.byteLength, apply)
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
    this.#line.whenCommitted(() => this.#audience.echo(encodeUpdate(update), peer), update.byteLength)
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

const actorOf = (peer: Peer): Actor => `human:${peer.grant.subject}`
