/**
 * Which local edits are safe: remembers what this page wrote until the server has shown that it is committed.
 *
 * The server sends every committed update back to its author, so an edit is saved once an incoming sync frame covers it:
 * - an update or a sync step 2, by its structs (what was written) and its delete set (what was deleted);
 * - a sync step 1, by its state vector, which holds committed clocks only. It says nothing about deletions.
 */
import * as decoding from 'lib0/decoding'
import { messageYjsSyncStep1 } from 'y-protocols/sync'
import * as Y from 'yjs'
import { IdRanges } from './id-ranges.ts'

export interface IdRange {
  client: number
  clock: number
  length: number
}

export interface Unsaved {
  written: IdRange[]
  deleted: IdRange[]
}

export class SavedEdits {
  readonly #written = new IdRanges()
  readonly #deleted = new IdRanges()
  readonly #doc: Y.Doc
  readonly #onChange: () => void
  /** Whether this page has ever written anything. */
  hasEdited = false

  /** @param onChange called when `hasUnsaved` may have changed */
  constructor(doc: Y.Doc, onChange: () => void = () => {}) {
    this.#doc = doc
    this.#onChange = onChange
    doc.on('afterTransaction', this.#noteLocal)
  }

  /** Counts these too: edits of an earlier visit that were not confirmed then. */
  add(unsaved: Unsaved): void {
    for (const { client, clock, length } of unsaved.written) this.#written.add(client, clock, length)
    for (const { client, clock, length } of unsaved.deleted) this.#deleted.add(client, clock, length)
    if (this.hasUnsaved) this.hasEdited = true
    this.#onChange()
  }

  /** Up to where everything that this client wrote is committed. */
  confirmedOf(client: number): number {
    return this.#written.firstOf(client) ?? Y.getState(this.#doc.store, client)
  }

  get unsavedDeletions(): IdRange[] {
    return [...this.#deleted]
  }

  get hasUnsaved(): boolean {
    return !(this.#written.isEmpty && this.#deleted.isEmpty)
  }

  /** Takes the body of a y-protocols sync message (what follows the message type `0`). The decoder is not advanced. */
  receive(message: decoding.Decoder): void {
    if (!this.hasUnsaved) return
    const decoder = decoding.clone(message)
    const kind = decoding.readVarUint(decoder)
    const payload = decoding.readVarUint8Array(decoder)
    if (kind === messageYjsSyncStep1) this.#confirmStateVector(payload)
    else this.#confirmUpdate(payload)
    this.#onChange()
  }

  stop(): void {
    this.#doc.off('afterTransaction', this.#noteLocal)
  }

  readonly #noteLocal = (transaction: Y.Transaction): void => {
    if (!transaction.local) return
    const client = this.#doc.clientID
    const before = transaction.beforeState.get(client) ?? 0
    const after = transaction.afterState.get(client) ?? 0
    if (after === before && transaction.deleteSet.clients.size === 0) return
    this.#written.add(client, before, after - before)
    for (const [owner, items] of transaction.deleteSet.clients) {
      for (const { clock, len } of items) this.#deleted.add(owner, clock, len)
    }
    this.hasEdited = true
    this.#onChange()
  }

  #confirmStateVector(stateVector: Uint8Array): void {
    for (const [client, clock] of Y.decodeStateVector(stateVector)) this.#written.remove(client, 0, clock)
  }

  #confirmUpdate(update: Uint8Array): void {
    const { structs, ds } = Y.decodeUpdate(update)
    for (const struct of structs) {
      // A Skip stands for what the update does not contain.
      if (!(struct instanceof Y.Skip)) this.#written.remove(struct.id.client, struct.id.clock, struct.length)
    }
    for (const [client, items] of ds.clients) {
      for (const { clock, len } of items) this.#deleted.remove(client, clock, len)
    }
  }
}
