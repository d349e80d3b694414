/**
 * A room's side of the log. What comes into it goes on from here, to other instances, to every peer and into the next snapshot,
 * whichever way it came: committed by the room, written in a turn of its commit line, heard from another instance, or read.
 */
import { SyncError } from '../../core/base/errors.ts'
import type { BoardId } from '../../core/contract/board-id.ts'
import type { Replica } from '../../core/doc/replica.ts'
import type { StoredBoard } from '../../core/store/board-archive.ts'
import type { Committed } from '../../core/store/board-log.ts'
import { merged } from './batch.ts'
import type { BoardSize } from './board-size.ts'
import type { Broadcast } from './broadcast.ts'
import { LogFollower, type LogFollowerServices } from './log-follower.ts'
import type { Snapshots } from './snapshots.ts'
import type { SyncChannel } from './sync-channel.ts'

/** Where it goes. */
interface Outlets {
  broadcast: Broadcast
  snapshots: Snapshots
  sync: SyncChannel
}

export class RoomLog {
  readonly #replica: Replica
  readonly #size: BoardSize
  readonly #outlets: Outlets
  readonly #follower: LogFollower
  readonly #onDiscard: (error: SyncError) => void

  /** @param onDiscard the replica holds another history than the log */
  constructor(
    board: BoardId,
    replica: Replica,
    size: BoardSize,
    outlets: Outlets,
    services: LogFollowerServices,
    onDiscard: (error: SyncError) => void,
  ) {
    this.#replica = replica
    this.#size = size
    this.#outlets = outlets
    this.#onDiscard = onDiscard
    const { broadcast, snapshots, sync } = outlets
    this.#follower = new LogFollower(board, replica, services, {
      onRead: (updates, stored) => this.#passOnRead(updates, stored),
      onHeard: (updates, rows) => {
        broadcast.sendBehindReads(updates)
        snapshots.changed(rows)
      },
      onDiscard,
    })
    sync.follow(this.#follower)
  }

  /** As {@link CommitLineOwner.onCommitted} says. */
  committed({ epoch, firstSeq, lastSeq }: Committed, updates: readonly Uint8Array[], known: number): void {
    const { broadcast, snapshots, sync } = this.#outlets
    if (epoch !== this.#replica.epoch || firstSeq <= known) {
      this.#onDiscard(new SyncError('store-went-back', 'the store went back to another state'))
      return
    }
    sync.publish({ epoch, firstSeq, lastSeq }, updates)
    broadcast.send(updates)
    snapshots.changed(lastSeq - firstSeq + 1)
    if (!this.#replica.advance(firstSeq, lastSeq)) this.#follower.missed()
  }

  /** These rows were written and applied here outside the commit line, in a turn of it. */
  wrote(firstSeq: number, lastSeq: number, updates: readonly Uint8Array[]): void {
    const { broadcast, snapshots, sync } = this.#outlets
    this.#replica.advance(firstSeq, lastSeq)
    if (updates.length === 0) return
    const committed = merged(updates)
    sync.publish({ epoch: this.#replica.epoch, firstSeq, lastSeq }, committed)
    broadcast.sendBehindReads(committed)
    snapshots.changed(updates.length)
  }

  /** Reads what the log has and the replica lacks, and passes it on. One reading at a time. */
  catchUp(): Promise<void> {
    return this.#follower.catchUp()
  }

  /** Leaves the replica as it is while `work` lasts, whatever others commit. */
  keepStill<T>(work: () => Promise<T>): Promise<T> {
    return this.#follower.keepStill(work)
  }

  close(): void {
    this.#outlets.sync.close()
    this.#follower.close()
  }

  #passOnRead(updates: readonly Uint8Array[], stored: StoredBoard): void {
    this.#size.estimate(stored.head.bytes)
    if (updates.length === 0) return
    this.#outlets.snapshots.changed(stored.rows.length)
    this.#outlets.broadcast.sendRead(updates, stored.snapshot !== undefined)
  }
}
