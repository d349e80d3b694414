/** One published change after the other: checked, stored as a row of item changes, told of. What cannot be is dropped. */
import { createHash, randomUUID } from 'node:crypto'
import { StorageError } from '../../core/base/errors.ts'
import type { Logger } from '../../core/base/log.ts'
import type { Metrics } from '../../core/base/metrics.ts'
import { pause } from '../../core/base/pause.ts'
import type { Bus } from '../../core/bus/bus.ts'
import type { BoardId } from '../../core/contract/board-id.ts'
import { updatesChannel } from '../../core/contract/channels.ts'
import { readRawMessage } from '../../core/contract/raw-change.ts'
import type { NewChange, RecordedChange } from '../../core/store/change-outbox.ts'
import type { Storage } from '../../core/store/storage.ts'

const actor = 'agent:bus'
/** Storage may be away for so long before a change is given up. */
const storageAwayMs = 30_000
const retryAfterMs = 200

export class RawStore {
  readonly #changes: Storage['changes']
  readonly #bus: Bus
  readonly #log: Logger
  readonly #metrics: Metrics
  #stopped = false

  constructor(changes: Storage['changes'], bus: Bus, log: Logger, metrics: Metrics) {
    this.#changes = changes
    this.#bus = bus
    this.#log = log
    this.#metrics = metrics
  }

  /** Gives up what waits for storage, and takes nothing more: the next holder of the lease stores now. */
  stop(): void {
    this.#stopped = true
  }

  /** Resolves when the message is stored or dropped. Never throws. */
  async take(board: BoardId, bytes: Uint8Array): Promise<void> {
    if (this.#stopped) return void this.drop(board, 'raw-not-stored', 'this instance stops')
    const message = readRawMessage(bytes)
    if (message.kind === 'wake-up') return
    if (message.kind === 'malformed') return void this.drop(board, 'raw-malformed', message.detail)
    const publicId = randomUUID()
    const requestHash = createHash('sha256').update(bytes).digest('base64url')
    const stored = await this.#submit({
      publicId,
      board,
      change: JSON.stringify(message.change),
      actor,
      // Behind a sign that no key of a REST caller may have. A message without an id gets one, too: it may be stored
      // although the answer was lost, and is then not stored again.
      idempotencyKey: message.messageId === undefined ? `arrival·${publicId}` : `message·${message.messageId}`,
      requestHash,
    })
    if (stored === 'given-up') return
    if (!stored) return void this.drop(board, 'raw-board-missing', 'there is no such board')
    if (stored.requestHash !== requestHash) {
      return void this.drop(board, 'raw-message-id-reused', 'this message_id came with another message within 24 hours')
    }
    // Under this message_id it is there already: applied, or on its way.
    if (stored.publicId !== publicId) return
    this.#bus.publish(
      updatesChannel(board),
      new TextEncoder().encode(JSON.stringify({ change_id: publicId, ...message.change })),
    )
  }

  async #submit(change: NewChange): Promise<RecordedChange | undefined | 'given-up'> {
    const giveUpAt = performance.now() + storageAwayMs
    for (;;) {
      try {
        return await this.#changes.submit(change, false)
      } catch (error) {
        const isPassing = error instanceof StorageError && error.failure !== 'refused'
        if (!isPassing || this.#stopped || performance.now() > giveUpAt) {
          this.drop(change.board, 'raw-not-stored', String(error))
          return 'given-up'
        }
      }
      await pause(retryAfterMs)
    }
  }

  /** @param board its id, or the channel that names none */
  drop(board: string, reason: string, detail: string): void {
    this.#metrics.refusals.inc({ reason })
    this.#log.warn({ board, reason, detail }, 'a published change was dropped')
  }
}
