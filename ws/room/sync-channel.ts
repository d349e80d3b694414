/**
 * Commits of a board, told to the other instances that have it open and heard from them. A hint: whatever is lost here is
 * found in the log.
 */
import type { Logger } from '../../core/base/log.ts'
import type { Metrics } from '../../core/base/metrics.ts'
import type { Bus } from '../../core/bus/bus.ts'
import type { BoardId } from '../../core/contract/board-id.ts'
import { syncChannel } from '../../core/contract/channels.ts'
import type { Committed } from '../../core/store/board-log.ts'
import { BoardChannel } from './board-channel.ts'
import { decodeSyncMessage, encodeSyncMessage, type SyncMessage } from './sync-message.ts'

export interface ChannelServices {
  bus: Bus
  /** Names this instance: its own messages come back to it. */
  instance: string
  log: Logger
  metrics: Metrics
}

export interface SyncFollower {
  /** Another instance committed this, or says so. */
  hear(message: SyncMessage): void
  /** Something may have been committed unheard. */
  missed(): void
}

export class SyncChannel {
  readonly #services: ChannelServices
  #channel: BoardChannel | undefined
  #follower: SyncFollower | undefined
  /** Something came while nobody followed: while the board was being read. */
  #unread = false

  private constructor(services: ChannelServices) {
    this.#services = services
  }

  static async open(board: BoardId, services: ChannelServices): Promise<SyncChannel> {
    const opened = new SyncChannel(services)
    const { bus, log } = services
    const hear = (bytes: Uint8Array) => opened.#hear(bytes)
    opened.#channel = await BoardChannel.open(bus, syncChannel(board), hear, () => opened.#missed(), log)
    return opened
  }

  /** From now on; what came before is read from the log. */
  follow(follower: SyncFollower): void {
    this.#follower = follower
    if (this.#unread) follower.missed()
  }

  /** After the commit, never before. @param updates all that was committed, as a rule merged into one */
  publish(committed: Committed, updates: readonly Uint8Array[]): void {
    if (!this.#channel?.reachesOthers) return
    const update = updates.length === 1 ? updates[0] : undefined
    this.#channel.publish(encodeSyncMessage({ ...committed, instance: this.#services.instance, update }))
  }

  close(): void {
    this.#channel?.close()
  }

  #hear(bytes: Uint8Array): void {
    const message = decodeSyncMessage(bytes)
    if (!message) {
      this.#services.metrics.refusals.inc({ reason: 'bus-message-malformed' })
    } else if (message.instance !== this.#services.instance) {
      if (this.#follower) this.#follower.hear(message)
      else this.#unread = true
    }
  }

  #missed(): void {
    if (this.#follower) this.#follower.missed()
    else this.#unread = true
  }
}
