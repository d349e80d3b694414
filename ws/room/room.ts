/**
 * A board open in this process: its replica, the peers on it, and what a room is made of (commit line, presence,
 * snapshots). It decides what becomes of a frame; bytes, close codes and storage are other files' business.
 */
import * as Y from 'yjs'
import { SyncError } from '../../core/base/errors.ts'
import type { BoardId } from '../../core/contract/board-id.ts'
import { mayWrite } from '../../core/contract/role.ts'
import { countItems } from '../../core/doc/item-count.ts'
import type { Replica } from '../../core/doc/replica.ts'
import type { StoredBoard } from '../../core/store/board-archive.ts'
import { sizeOf } from '../../core/store/state-bytes.ts'
import type { Storage } from '../../core/store/storage.ts'
import { encodePermissionDenied, type Frame } from '../protocol/frames.ts'
import { clocksAfter } from '../protocol/update-check.ts'
import { Answers } from './answers.ts'
import { Audience } from './audience.ts'
import { Base } from './base.ts'
import { BoardSize } from './board-size.ts'
import { Broadcast } from './broadcast.ts'
import { CommitLine } from './commit-line.ts'
import { Edits } from './edits.ts'
import type { Peer } from './peer.ts'
import { Presence } from './presence.ts'
import { PresenceQuestions } from './presence-questions.ts'
import type { RemotePresence } from './remote-presence.ts'
import { Resting } from './resting.ts'
import { RoomLog } from './room-log.ts'
import { type InTurn, type SnapshotPace, Snapshots } from './snapshots.ts'
import type { ChannelServices, SyncChannel } from './sync-channel.ts'

export interface RoomLimits extends SnapshotPace {
  updateBytes: number
  boardBytes: number
  peers: number
  /** A document that nobody used for this long rests. */
  restMs: number
}

/** What a room hears from other instances, and tells them. */
export interface RoomLinks {
  sync: SyncChannel
  remote: RemotePresence
}

/** What a room uses of the instance it lives in. */
export interface RoomServices extends ChannelServices {
  archive: Storage['archive']
  committer: { wake(line: CommitLine): void; forget(line: CommitLine): void }
  limits: RoomLimits
  snapshotInTurn: InTurn
}

export class Room {
  readonly board: BoardId
  readonly replica: Replica
  readonly line: CommitLine
  readonly snapshots: Snapshots
  readonly size: BoardSize
  /** What comes into the board's log, and goes on from there. */
  readonly log: RoomLog
  readonly #services: RoomServices
  readonly #audience: Audience
  readonly #edits: Edits
  readonly #answers: Answers
  readonly #presence: Presence
  readonly #presenceQuestions: PresenceQuestions
  readonly #remote: RemotePresence
  readonly #onDiscard: (error: SyncError) => void
  readonly #resting: Resting
  #closed: SyncError | undefined

  /**
   * @param replica of what is stored
   * @param links opened before `stored` was read: so no commit is missed in between
   * @param onDiscard the room can no longer be trusted: it holds edits that will not be in the log, or another history
   */
  constructor(
    board: BoardId,
    stored: StoredBoard,
    replica: Replica,
    links: RoomLinks,
    services: RoomServices,
    onDiscard: (error: SyncError) => void,
  ) {
    const { archive, committer, limits, snapshotInTurn, log, metrics } = services
    this.board = board
    this.#services = services
    this.#onDiscard = onDiscard
    this.replica = replica
    this.line = new CommitLine(
      board,
      {
        known: () => this.replica.known,
        onCommitted: (...batch) => this.log.committed(...batch),
        onGivenUp: onDiscard,
      },
      line => committer.wake(line),
    )
    const measure = () => Y.encodeStateAsUpdate(this.replica.doc).byteLength
    this.size = new BoardSize(board, stored.head.bytes, limits.boardBytes, log, measure)
    this.#audience = new Audience(
      {
        stateVector: () => this.replica.encodeStateVector(),
        missing: stateVector => Y.encodeStateAsUpdate(this.replica.doc, stateVector),
        whenCommitted: then => this.line.whenCommitted(then),
        bytes: () => this.size.bytes,
        onCaughtUp: peer => this.#tellWhoIsHere(peer),
      },
      log,
    )
    const base = new Base(this.replica, this.line, this.size, work => this.#still(work))
    const broadcast = new Broadcast(this.line, this.#audience, base, this.size)
    const bytes = () => this.size.bytes
    const onBroken = (error: unknown) => this.#onBroken(error)
    this.#resting = new Resting(this.replica, this.line, limits.restMs, bytes, onBroken)
    const wake = () => this.#resting.wake()
    const edits = { catchUp: () => this.log.catchUp(), wake, onBroken }
    this.#edits = new Edits(this.replica, this.line, this.#audience, services, edits, this.size)
    this.#answers = new Answers(this.replica, this.line, this.#audience, this.size, base, { wake, onBroken })
    this.snapshots = new Snapshots(board, archive, limits, () => this.#readState(), snapshotInTurn, log, metrics)
    this.#presence = new Presence(
      (frame, to) => (to ? this.#audience.send(frame, to) : this.#audience.sendAwareness(frame)),
      reason => metrics.refusals.inc({ reason }),
      links.remote,
    )
    this.#presenceQuestions = new PresenceQuestions(
      () => this.#presence.everybody(),
      (frame, peer) => this.#audience.send(frame, peer),
    )
    const outlets = { broadcast, snapshots: this.snapshots, sync: links.sync }
    this.log = new RoomLog(board, replica, this.size, outlets, services, onDiscard)
    this.#remote = links.remote
    links.remote.serve(this.#presence)
    // What an earlier process left unsaved is compacted like any other change.
    if (stored.rows.length > 0) this.snapshots.changed(stored.rows.length)
  }

  get peers(): ReadonlySet<Peer> {
    return this.#audience.peers
  }

  /** Who is here, and on other instances. */
  get presence(): Presence {
    return this.#presence
  }

  /** @throws SyncError `too-many-peers`; why the room was closed, where that happened meanwhile */
  join(peer: Peer): void {
    if (this.#closed) throw this.#closed
    if (this.peers.size >= this.#services.limits.peers) {
      throw new SyncError('too-many-peers', 'this board has too many peers')
    }
    this.#audience.add(peer)
    // Ours goes first: without it the edits a client made offline are never sent.
    this.#edits.askForMissing(peer)
    this.#tellWhoIsHere(peer)
  }

  leave(peer: Peer): void {
    if (!this.#audience.remove(peer)) return
    peer.question = undefined
    peer.answer = undefined
    this.#presenceQuestions.forget(peer)
    this.#presence.leave(peer)
    if (this.peers.size === 0) void this.snapshots.save()
  }

  /** @throws SyncError when the frame has to end the connection */
  receive(frame: Frame, peer: Peer): void {
    if (this.#closed) return
    switch (frame.kind) {
      case 'sync-step-1':
        this.#answers.answer(peer, frame.stateVector)
        break
      case 'sync-step-2':
        if (mayWrite(peer.role)) this.#edits.receiveAnswer(frame.update, peer)
        else this.#receiveReadersAnswer(frame.update, peer)
        break
      case 'update':
        if (mayWrite(peer.role)) this.#edits.receive(frame.update, peer)
        else this.#deny(peer, frame.update)
        break
      case 'awareness':
        this.#presence.receive(frame.states, peer)
        break
      case 'awareness-overfull':
        this.#services.metrics.refusals.inc({ reason: 'awareness-too-many-states' })
        break
      case 'query-awareness':
        this.#presenceQuestions.ask(peer)
        break
      case 'unknown':
        this.#services.metrics.refusals.inc({ reason: 'unknown-message' })
        break
      default:
        frame satisfies never
    }
  }

  /** To be called every 5 s at least: what comes due by time alone. */
  look(): void {
    if (this.#closed) return
    this.#resting.look()
    this.#remote.look()
  }

  close(error: SyncError): void {
    if (this.#closed) return
    this.#closed = error
    this.line.close()
    this.#services.committer.forget(this.line)
    this.snapshots.close()
    this.log.close()
    this.#remote.close()
    this.#presence.close()
    this.#presenceQuestions.close()
    this.#audience.closeAll(error)
    this.replica.destroy()
  }

  #onBroken(error: unknown): void {
    if (this.#closed) return
    this.#services.log.error({ err: error, board: this.board }, 'a document cannot be used any more')
    this.#onDiscard(new SyncError('storage-unavailable', 'this board has to be read anew; connect again'))
  }

  /** @throws SyncError `frame-malformed` */
  #receiveReadersAnswer(update: Uint8Array, peer: Peer): void {
    const isFirst = peer.awaitsStep2
    peer.awaitsStep2 = false
    if (!this.#edits.bringsStructs(update)) return
    if (isFirst) void this.#denyUnlessInLog(peer, update)
    else this.#deny(peer, update)
  }

  /** Who comes from another instance has seen there what may not have been read here yet. */
  async #denyUnlessInLog(peer: Peer, update: Uint8Array): Promise<void> {
    try {
      await this.log.catchUp()
    } catch (error) {
      this.#services.log.warn({ err: error, board: this.board }, 'could not read the log')
    }
    if (this.peers.has(peer) && this.#edits.bringsStructs(update)) this.#deny(peer, update)
  }

  /** @throws SyncError `frame-malformed` */
  #deny(peer: Peer, update: Uint8Array): void {
    clocksAfter(update)
    this.#services.metrics.refusals.inc({ reason: 'read-only' })
    this.#audience.send(encodePermissionDenied('this credential may read this board, not edit it'), peer)
  }

  #tellWhoIsHere(peer: Peer): void {
    const everybody = this.#presence.everybody()
    if (everybody) this.#audience.send(everybody, peer)
  }

  /** Runs `work` in a turn, while the replica stays as the log had it at `known`. */
  #still<T>(work: () => Promise<T>): Promise<T> {
    return this.line.turn(() => this.log.keepStill(work))
  }

  async #readState() {
    // All of a big board is looked at once, which takes long: before the turn, for which its edits have to wait.
    if (!this.replica.rests) await countItems(this.replica.doc)
    return this.#still(async () => {
      const state = await this.replica.encodeWhole(this.size.bytes)
      this.size.set(sizeOf(state))
      const itemCount = await countItems(this.replica.doc)
      return { epoch: this.replica.epoch, seq: this.replica.known, state, itemCount }
    })
  }
}
