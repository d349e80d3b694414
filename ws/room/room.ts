/**
 * A board open in this process: its replica, the peers on it, and what a room is made of (commit line, presence,
 * snapshots). It decides what becomes of a frame; bytes, close codes and storage are other files' business.
 */
import * as Y from 'yjs'
import { mayWrite } from '../../core/auth/authenticate.ts'
import { SyncError } from '../../core/base/errors.ts'
import type { Logger } from '../../core/base/log.ts'
import type { Metrics } from '../../core/base/metrics.ts'
import type { Actor } from '../../core/contract/actor.ts'
import type { BoardId } from '../../core/contract/board-id.ts'
import { Replica } from '../../core/doc/replica.ts'
import type { StoredBoard } from '../../core/store/board-archive.ts'
import type { Committed } from '../../core/store/board-log.ts'
import type { Storage } from '../../core/store/storage.ts'
import {
  encodePermissionDenied,
  encodeSyncStep1,
  encodeSyncStep2,
  encodeUpdate,
  type Frame,
} from '../protocol/frames.ts'
import { checkUpdate } from '../protocol/update-check.ts'
import { CommitLine } from './commit-line.ts'
import type { Peer } from './peer.ts'
import { Presence } from './presence.ts'
import { type SnapshotPace, Snapshots } from './snapshots.ts'

export interface RoomLimits extends SnapshotPace {
  updateBytes: number
  boardBytes: number
  peers: number
}

/** What a room uses of the instance it lives in. */
export interface RoomServices {
  archive: Storage['archive']
  committer: { wake(line: CommitLine): void; forget(line: CommitLine): void }
  limits: RoomLimits
  log: Logger
  metrics: Metrics
}

/** A peer whose socket takes nothing has at most this much waiting; it is then closed and comes back for the rest. */
const bufferedBytesAtMost = 32 * 1024 * 1024
/** A peer over this gets no awareness: the next cursor position is as good. */
const bufferedBytesForAwareness = 1024 * 1024
/** How often an author is asked for what its updates depend on before they are only dropped. */
const unresolvedAtMost = 3

export class Room {
  readonly board: BoardId
  readonly replica: Replica
  readonly line: CommitLine
  readonly snapshots: Snapshots
  readonly #services: RoomServices
  readonly #presence: Presence
  readonly #peers = new Set<Peer>()
  readonly #onDiscard: (error: SyncError) => void
  /** About what the board takes in the store: its state, and the rows since that was last encoded. */
  #bytes: number
  #catchingUp: Promise<void> | undefined
  #closed = false

  /** @param onDiscard the room can no longer be trusted: it holds edits that will not be in the log, or another history */
  constructor(board: BoardId, stored: StoredBoard, services: RoomServices, onDiscard: (error: SyncError) => void) {
    const { archive, committer, limits, log, metrics } = services
    this.board = board
    this.#services = services
    this.#onDiscard = onDiscard
    this.#bytes = stored.head.bytes
    this.replica = new Replica(stored)
    this.line = new CommitLine(
      board,
      { onCommitted: (committed, update) => this.#onCommitted(committed, update), onGivenUp: onDiscard },
      line => committer.wake(line),
    )
    this.snapshots = new Snapshots(board, archive, limits, () => this.#readState(), log, metrics)
    this.#presence = new Presence(
      frame => this.#broadcastAwareness(frame),
      reason => metrics.refusals.inc({ reason }),
    )
    // What an earlier process left unsaved is compacted like any other change.
    if (stored.rows.length > 0) this.snapshots.changed(stored.rows.length)
  }

  get peers(): ReadonlySet<Peer> {
    return this.#peers
  }

  /** @throws SyncError `too-many-peers` */
  join(peer: Peer): void {
    if (this.#peers.size >= this.#services.limits.peers) {
      throw new SyncError('too-many-peers', 'this board has too many peers')
    }
    this.#peers.add(peer)
    // Ours goes first: without it the edits a client made offline are never sent.
    this.#askForMissing(peer)
    const everybody = this.#presence.everybody()
    if (everybody) peer.socket.send(everybody)
  }

  leave(peer: Peer): void {
    if (!this.#peers.delete(peer)) return
    this.#presence.leave(peer)
    if (this.#peers.size === 0) void this.snapshots.save()
  }

  /** @throws SyncError when the frame has to end the connection */
  receive(frame: Frame, peer: Peer): void {
    switch (frame.kind) {
      case 'sync-step-1':
        this.#answer(peer, frame.stateVector)
        break
      case 'sync-step-2':
        peer.awaitsStep2 = false
        if (mayWrite(peer.role)) this.#admit(frame.update, peer)
        else if (bringsStructs(frame.update, this.replica.doc)) this.#deny(peer)
        break
      case 'update':
        if (mayWrite(peer.role)) this.#admit(frame.update, peer)
        else this.#deny(peer)
        break
      case 'awareness':
        this.#presence.receive(frame.states, peer)
        break
      case 'query-awareness': {
        const everybody = this.#presence.everybody()
        if (everybody) peer.socket.send(everybody)
        break
      }
      case 'unknown':
        this.#services.metrics.refusals.inc({ reason: 'unknown-message' })
        break
      default:
        frame satisfies never
    }
  }

  /** Reads what the log has and this replica lacks, and passes it on. One reading at a time. */
  catchUp(): Promise<void> {
    this.#catchingUp ??= this.#catchUp().finally(() => {
      this.#catchingUp = undefined
    })
    return this.#catchingUp
  }

  /** These rows were written and applied here outside the commit line, in a turn of it. */
  wrote(firstSeq: number, lastSeq: number, updates: readonly Uint8Array[]): void {
    this.replica.advance(firstSeq, lastSeq)
    this.#passOn(updates)
    this.snapshots.changed(updates.length)
  }

  close(error: SyncError): void {
    if (this.#closed) return
    this.#closed = true
    this.line.close()
    this.#services.committer.forget(this.line)
    this.snapshots.close()
    this.#presence.close()
    for (const peer of this.#peers) peer.socket.close(error)
    this.#peers.clear()
    this.replica.destroy()
  }

  #askForMissing(peer: Peer): void {
    peer.awaitsStep2 = true
    const stateVector = Y.encodeStateVector(this.replica.doc)
    this.line.whenCommitted(() => peer.socket.send(encodeSyncStep1(stateVector)))
  }

  /** Encoded now, sent when all of it is committed. Encoded after the wait it would hold newer edits, uncommitted ones. */
  #answer(peer: Peer, stateVector: Map<number, number>): void {
    const missing = Y.encodeStateAsUpdate(this.replica.doc, Y.encodeStateVector(stateVector))
    this.line.whenCommitted(() => peer.socket.send(encodeSyncStep2(missing)))
  }

  #admit(update: Uint8Array, peer: Peer): void {
    const { limits } = this.#services
    if (update.byteLength > limits.updateBytes) {
      throw new SyncError('update-too-large', `an update may have at most ${limits.updateBytes} bytes`)
    }
    checkUpdate(update)
    this.line.admit(update.byteLength, () => this.#apply(update, peer))
  }

  #apply(update: Uint8Array, peer: Peer): void {
    if (this.#bytes + update.byteLength > this.#services.limits.boardBytes && bringsStructs(update, this.replica.doc)) {
      this.#services.metrics.refusals.inc({ reason: 'board-too-large' })
      peer.socket.close(new SyncError('board-too-large', 'the board is full; deleting is still possible'))
      return
    }
    const applied = this.replica.apply(update, peer)
    if (applied.update) {
      this.line.enqueue(applied.update, actorOf(peer))
    } else {
      // Known already. The echo is what tells an author that its edit is in the log, so it gets one all the same.
      this.line.whenCommitted(() => peer.socket.send(encodeUpdate(update)))
    }
    if (applied.incomplete) void this.#resolve(peer)
    else peer.unresolved = 0
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
      await this.catchUp()
    } catch (error) {
      this.#services.log.warn({ err: error, board: this.board }, 'could not read the log')
    }
    if (this.#peers.has(peer)) this.#askForMissing(peer)
  }

  #deny(peer: Peer): void {
    this.#services.metrics.refusals.inc({ reason: 'read-only' })
    peer.socket.send(encodePermissionDenied('this credential may read this board, not edit it'))
  }

  #onCommitted({ epoch, firstSeq, lastSeq }: Committed, update: Uint8Array): void {
    if (epoch !== this.replica.epoch) {
      this.#onDiscard(new SyncError('store-went-back', 'the store went back to another state'))
      return
    }
    this.#passOn([update])
    this.snapshots.changed(lastSeq - firstSeq + 1)
    if (!this.replica.advance(firstSeq, lastSeq)) {
      this.catchUp().catch(error =>
        this.#services.log.warn({ err: error, board: this.board }, 'could not read the log'),
      )
    }
  }

  async #catchUp(): Promise<void> {
    const stored = await this.#services.archive.read(this.board, this.replica.known)
    if (this.#closed) return
    if (!stored || stored.head.deleted) {
      this.#onDiscard(new SyncError('board-deleted', 'the board was deleted'))
    } else if (stored.head.epoch !== this.replica.epoch) {
      this.#onDiscard(new SyncError('store-went-back', 'the store went back to another state'))
    } else {
      const updates = this.replica.absorb(stored)
      this.#bytes = stored.head.bytes
      if (updates.length === 0) return
      this.snapshots.changed(stored.rows.length)
      // Through the gate: what a snapshot brought is read from the document, which may hold more than the log.
      this.line.whenCommitted(() => this.#passOn(updates))
    }
  }

  /** Sends committed updates to every peer, their authors included, as one frame that all of them share. */
  #passOn(updates: readonly Uint8Array[]): void {
    if (updates.length === 0) return
    const update = updates.length === 1 && updates[0] ? updates[0] : Y.mergeUpdates([...updates])
    this.#bytes += update.byteLength
    const frame = encodeUpdate(update)
    for (const peer of this.#peers) {
      if (peer.socket.bufferedAmount > bufferedBytesAtMost) {
        peer.socket.close(new SyncError('too-slow', 'the connection takes too little; connect again'))
      } else {
        peer.socket.send(frame)
      }
    }
  }

  #broadcastAwareness(frame: Uint8Array): void {
    for (const peer of this.#peers) {
      if (peer.socket.bufferedAmount <= bufferedBytesForAwareness) peer.socket.send(frame)
    }
  }

  #readState() {
    return this.line.turn(async () => {
      const update = Y.encodeStateAsUpdateV2(this.replica.doc)
      this.#bytes = update.byteLength
      return { epoch: this.replica.epoch, seq: this.replica.known, update }
    })
  }
}

const actorOf = (peer: Peer): Actor => `human:${peer.grant.subject}`

/** Whether the update has structs that the document lacks: more than deletions. */
function bringsStructs(update: Uint8Array, doc: Y.Doc): boolean {
  const { to } = Y.parseUpdateMeta(update)
  return [...to].some(([client, clock]) => clock > Y.getState(doc.store, client))
}
