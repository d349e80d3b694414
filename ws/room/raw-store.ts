/** Published changes in their order: checked, stored as rows of item changes, told of. What cannot be is dropped. */
import { createHash, randomUUID } from 'node:crypto'
import { StorageError } from '../../core/base/errors.ts'
import type { Logger } from '../../core/base/log.ts'
import type { Metrics } from '../../core/base/metrics.ts'
import { pause } from '../../core/base/pause.ts'
import type { Bus } from '../../core/bus/bus.ts'
import type { BoardId } from '../../core/contract/board-id.ts'
import { updatesChannel } from '../../core/contract/channels.ts'
import { readRawMessage } from '../../core/contract/raw-change.ts'
import { encodeWakeUp } from '../../core/contract/wake-up.ts'
import type { NewChange, RecordedChange } from '../../core/store/change-outbox.ts'
import type { Storage } from '../../core/store/storage.ts'

const actor = 'agent:bus'
/** Storage may be away for so long before a change is given up. */
const storageAwayMs = 30_000
const retryAfterMs = 200

/** `wakeUp`: what tells the instances of it once it is stored. */
interface PublishedChange extends NewChange {
  wakeUp: Uint8Array
}

type Stored = RecordedChange | undefined | 'given-up'

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

  /** Stores messages of one board in their order. Resolves when each is stored or dropped. Never throws. */
  async take(board: BoardId, messages: readonly Uint8Array[]): Promise<void> {
    const changes = messages.flatMap(bytes => this.#read(board, bytes) ?? [])
    for (const [at, stored] of (await this.#submit(board, changes)).entries()) {
      const change = changes[at]
      if (change && stored !== 'given-up') this.#announce(change, stored)
    }
  }

  /** @returns the change that the message asks for, or undefined when it asks for none that can be */
  #read(board: BoardId, bytes: Uint8Array): PublishedChange | undefined {
    const message = readRawMessage(bytes)
    if (message.kind === 'wake-up') return undefined
    if (message.kind === 'malformed') {
      this.drop(board, 'raw-malformed', message.detail)
      return undefined
    }
    const publicId = randomUUID()
    const change = JSON.stringify(message.change)
    return {
      publicId,
      board,
      change,
      actor,
      // Behind a sign that no key of a REST caller may have. A message without an id gets one, too: it may be stored
      // although the answer was lost, and is then not stored again.
      idempotencyKey: message.messageId === undefined ? `arrival·${publicId}` : `message·${message.messageId}`,
      requestHash: createHash('sha256').update(bytes).digest('base64url'),
      wakeUp: encodeWakeUp(publicId, message.change, change),
    }
  }

  #announce({ board, publicId, requestHash, wakeUp }: PublishedChange, stored: RecordedChange | undefined): void {
    if (!stored) return void this.drop(board, 'raw-board-missing', 'there is no such board')
    if (stored.requestHash !== requestHash) {
      return void this.drop(board, 'raw-message-id-reused', 'this message_id came with another message within 24 hours')
    }
    // Under this message_id it is there already: applied, or on its way.
    if (stored.publicId === publicId) this.#bus.publish(updatesChannel(board), wakeUp)
  }

  async #submit(board: BoardId, changes: readonly NewChange[]): Promise<Stored[]> {
    const giveUpAt = performance.now() + storageAwayMs
    for (;;) {
      if (this.#stopped) return this.#giveUp(board, changes, 'this instance stops')
      try {
        return await this.#changes.submitAll(changes, false)
      } catch (error) {
        const isPassing = error instanceof StorageError && error.failure !== 'refused'
        if (!isPassing && changes.length > 1) return this.#submitSingly(board, changes)
        if (!isPassing || performance.now() > giveUpAt) return this.#giveUp(board, changes, String(error))
      }
      await pause(retryAfterMs)
    }
  }

  /** What one of them makes storage refuse takes no other with it. */
  async #submitSingly(board: BoardId, changes: readonly NewChange[]): Promise<Stored[]> {
    const answers: Stored[] = []
    for (const change of changes) answers.push(...(await this.#submit(board, [change])))
    return answers
  }

  #giveUp(board: BoardId, changes: readonly NewChange[], detail: string): 'given-up'[] {
    return changes.map(() => {
      this.drop(board, 'raw-not-stored', detail)
      return 'given-up'
    })
  }

  /** @param board its id, or the channel that names none */
  drop(board: string, reason: string, detail: string): void {
    this.#metrics.refusals.inc({ reason })
    this.#log.warn({ board, reason, detail }, 'a published change was dropped')
  }
}
