/**
 * Hands a change in and waits for its answer: stored as a row, published as a wake-up, answered when the row says applied
 * or rejected. Bus messages are hints only: the row is looked at too, ever less often.
 */
import { randomUUID } from 'node:crypto'
import * as Y from 'yjs'
import { StorageError } from '../core/base/errors.ts'
import { pause } from '../core/base/pause.ts'
import type { Bus } from '../core/bus/bus.ts'
import type { Actor } from '../core/contract/actor.ts'
import { encodeAgentName } from '../core/contract/agent-sighting.ts'
import type { BoardId } from '../core/contract/board-id.ts'
import { type BoardChange, createsItems } from '../core/contract/change.ts'
import { agentNamesChannel, everyAcksChannel, updatesChannel } from '../core/contract/channels.ts'
import { encodeWakeUp } from '../core/contract/wake-up.ts'
import { foresee } from '../core/doc/items.ts'
import type { NewChange, RecordedChange } from '../core/store/change-outbox.ts'
import { KeyReused } from '../core/store/kept-answers.ts'
import type { Storage } from '../core/store/storage.ts'
import { boardMissing } from './board-missing.ts'
import { rejection } from './change-answer.ts'
import { Problem } from './problems.ts'

/** Looked at after these, without an ack; what is not decided by then is answered 202. Together 2 s. */
const looksAfterMs = [50, 150, 400, 400, 400, 400, 200]

/** A store that does not answer is asked once more: it may have stored the change, and only its answer be lost. */
const askedAgainAfterMs = 250

export interface ChangeRequest {
  board: BoardId
  change: BoardChange
  actor: Actor
  /** What the actor is called, where the credential says so. */
  name: string | undefined
  idempotencyKey: string | undefined
  /** Tells whether a second request under the same key is the same one. */
  requestHash: string
}

export class ChangeDesk {
  readonly #changes: Storage['changes']
  readonly #bus: Bus
  /** Who waits for which change. */
  readonly #waiting = new Map<string, Set<() => void>>()
  #unsubscribe: (() => void) | undefined

  constructor(changes: Storage['changes'], bus: Bus) {
    this.#changes = changes
    this.#bus = bus
  }

  async start(): Promise<void> {
    this.#unsubscribe = await this.#bus.subscribe(everyAcksChannel, (_channel, message) => {
      for (const hear of this.#waiting.get(new TextDecoder().decode(message)) ?? []) hear()
    })
  }

  stop(): void {
    this.#unsubscribe?.()
  }

  /**
   * @returns the change with its answer, or still pending: it is stored then, and will be decided
   * @throws Problem `board-missing`, `idempotency-key-reused`, what an empty board would reject it with where there is no
   *   board yet; `storage-unavailable` or StorageError when it could not be stored, or nobody can tell
   */
  async submit(request: ChangeRequest): Promise<RecordedChange> {
    const { board, change, actor, name } = request
    const publicId = randomUUID()
    const body = JSON.stringify(change)
    // Before it is stored: whoever applies it may be quicker than the answer of the store.
    return this.#listening(publicId, async acked => {
      const stored = await this.#store({ ...request, publicId, change: body }, change).catch(asProblem)
      if (!stored) throw boardMissing()
      if (stored.requestHash !== request.requestHash) throw keyReused()
      if (stored.status !== 'pending') return stored
      // A repeat: what it asks for is on its way already, under the first one's id.
      if (stored.publicId !== publicId) return this.#listening(stored.publicId, first => this.#decided(stored, first))
      if (name !== undefined) {
        this.#bus.publish(agentNamesChannel, new TextEncoder().encode(encodeAgentName({ actor, name })))
      }
      this.#bus.publish(updatesChannel(board), encodeWakeUp(publicId, change, body))
      return this.#decided(stored, acked)
    })
  }

  /** A board comes into being only with something on it: where there is none, the change is tried on an empty one first. */
  async #store(row: NewChange, change: BoardChange): Promise<RecordedChange | undefined> {
    const stored = await this.#storeRow(row, false)
    if (stored || !createsItems(change)) return stored
    const outcome = await foresee(new Y.Doc(), change)
    if (outcome.status === 'rejected') throw rejection(outcome)
    return this.#storeRow(row, true)
  }

  async #storeRow(row: NewChange, createBoard: boolean): Promise<RecordedChange | undefined> {
    const submit = () => this.#changes.submit(row, createBoard)
    try {
      return await submit()
    } catch (error) {
      if (!isUnavailable(error)) throw error
    }
    await pause(askedAgainAfterMs)
    return submit().catch(error => {
      // With a key the same request tells. Without one it might do it twice.
      throw isUnavailable(error) && row.idempotencyKey === undefined ? untold(row, error) : error
    })
  }

  /** @param work is handed a promise that resolves when this change is acknowledged */
  async #listening<T>(publicId: string, work: (acked: Promise<unknown>) => Promise<T>): Promise<T> {
    const listeners = this.#waiting.get(publicId) ?? new Set()
    this.#waiting.set(publicId, listeners)
    let hear = () => {}
    const acked = new Promise<void>(resolve => {
      hear = resolve
    })
    listeners.add(hear)
    try {
      return await work(acked)
    } finally {
      listeners.delete(hear)
      if (listeners.size === 0) this.#waiting.delete(publicId)
    }
  }

  async #decided(stored: RecordedChange, acked: Promise<unknown>): Promise<RecordedChange> {
    let hint: Promise<unknown> | undefined = acked
    for (const ms of looksAfterMs) {
      if (await happensWithin(ms, hint)) hint = undefined // it has said all it has to say
      const found = await this.#changes.find(stored.board, stored.publicId).catch(whileUnavailable)
      if (found && found.status !== 'pending') return found
    }
    return stored
  }
}

const keyReused = () =>
  new Problem('idempotency-key-reused', 'this Idempotency-Key came with another request within 24 hours')

function asProblem(error: unknown): never {
  throw error instanceof KeyReused ? keyReused() : error
}

const isUnavailable = (error: unknown): error is StorageError =>
  error instanceof StorageError && error.failure === 'unavailable'

const untold = ({ board, publicId }: NewChange, cause: StorageError): Problem =>
  new Problem(
    'storage-unavailable',
    `storage is unavailable, and may have stored this change or not: /v1/boards/${board}/changes/${publicId} will tell`,
    { id: publicId, cause },
  )

/** Waits for the event, if there is one, and at most this long. @returns whether it happened */
function happensWithin(ms: number, event: Promise<unknown> | undefined): Promise<boolean> {
  return new Promise(resolve => {
    const timer = setTimeout(resolve, ms, false)
    void event?.then(() => {
      clearTimeout(timer)
      resolve(true)
    })
  })
}

/** It is stored already: an outage now makes the answer late, not wrong. */
function whileUnavailable(error: unknown): undefined {
  if (!(error instanceof StorageError)) throw error
  return undefined
}
