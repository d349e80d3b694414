/**
 * One copy of a board's Y.Doc and how far it has read the log. The log is the truth: a replica can be dropped at any
 * moment and read again.
 *
 * `known` is the highest seq up to which *every* row is applied.
 */
import * as Y from 'yjs'
import { eachInSlices } from '../base/slices.ts'
import type { StoredBoard } from '../store/board-archive.ts'
import type { LogRow } from '../store/board-log.ts'
import { type DocumentBytes, isCut, type StateBytes, sizeOf } from '../store/state-bytes.ts'
import { BoardIndex } from './board-index.ts'
import { type Applied, DocChanges, editAs } from './doc-changes.ts'
import { cutInSlices, encodeInSlices } from './live-encoding.ts'
import { RestingDoc } from './resting-doc.ts'
import { sliceApart } from './slicer.ts'
import { cutFromBytes, isBestCut } from './slices.ts'

/** Origin of transactions that apply what the log says. */
const fromLog: unique symbol = Symbol('from the log')

export type SliceState = (state: Uint8Array) => Promise<DocumentBytes>

export class Replica {
  readonly epoch: number
  #document: RestingDoc
  #known = 0
  /** Of the snapshot that the document rests as. */
  #onUnreadable: StoredBoard['onUnreadable']
  readonly #changes = new DocChanges()

  /** A row that Yjs cannot read is passed over: one damaged row keeps no board from opening. */
  constructor(stored: StoredBoard) {
    this.epoch = stored.head.epoch
    for (let { rows } = stored; ; ) {
      this.#document = new RestingDoc(() => this.#changes.newDoc(), fromLog)
      try {
        // A first load has nobody to tell what changed.
        this.#read({ ...stored, rows }, undefined)
        return
      } catch (error) {
        this.#document.destroy() // a part of what failed may be in it
        if (!(error instanceof UnreadableRow)) throw error
        rows = rows.filter(row => row !== error.row)
      }
    }
  }

  /**
   * As the constructor does it, in slices where there is much to read; a big snapshot without rows rests until it is used.
   * @param slice cuts a big state that does not lie in its snapshot cut, in a thread of its own
   */
  static async load(stored: StoredBoard, slice: SliceState = sliceApart): Promise<Replica> {
    const { snapshot, rows, head, onUnreadable } = stored
    const isBig = snapshot && (isCut(snapshot.state) || snapshot.state.byteLength >= cutFromBytes)
    if (!isBig && rows.reduce((bytes, row) => bytes + row.data.byteLength, 0) < cutFromBytes) return new Replica(stored)
    const replica = new Replica({ head: { ...head, headSeq: 0 }, snapshot: isBig ? undefined : snapshot, rows: [] })
    try {
      if (isBig) {
        const bytes = isCut(snapshot.state) ? snapshot.state : await slice(snapshot.state)
        replica.#document = new RestingDoc(() => replica.#changes.newDoc(), fromLog, bytes)
        replica.#known = snapshot.seq
        replica.#onUnreadable = onUnreadable
      }
      if (rows.length > 0) await replica.wake()
      await eachInSlices(rows, row => replica.#readRow(row, undefined, onUnreadable))
      replica.#known = Math.max(replica.#known, head.headSeq)
      return replica
    } catch {
      // The other way knows what to do with what cannot be read.
      replica.destroy()
      return new Replica(stored)
    }
  }

  get known(): number {
    return this.#known
  }

  /** Not to be kept: a document that nobody uses rests, and wakes as another. */
  get doc(): Y.Doc {
    return this.#document.doc
  }

  /** When the document was last used; undefined while it rests. */
  get usedAt(): number | undefined {
    return this.#document.usedAt
  }

  get rests(): boolean {
    return this.usedAt === undefined
  }

  rest(): void {
    this.#document.rest()
  }

  /** Resolves when the document is awake; before that it wakes when it is used, and stops other work as long as it takes. */
  wake(): Promise<void> {
    return this.#document.wake().catch(error => this.#tellUnreadable(error))
  }

  /** As {@link wake}, for who will change items: what there is of a big board is looked through once, in slices. */
  async wakeToChange(): Promise<void> {
    await this.wake()
    await BoardIndex.prepare(this.doc)
  }

  /** The same for who will read many items, or often: without it each costs some microseconds each time. */
  async wakeToRead(): Promise<void> {
    await this.#document.unpack().catch(error => this.#tellUnreadable(error))
    await BoardIndex.prepare(this.doc)
  }

  /** The whole state as V1 updates in order. Does not wake the document. */
  encodeState(): readonly Uint8Array[] {
    return this.#document.encodeState()
  }

  /**
   * The whole state for a snapshot, encoded in slices. The replica has to stay as it is meanwhile.
   * @param bytes its size and that of the rows since, as the store counts them
   * @throws Error when it does not stay
   */
  async encodeWhole(bytes: number): Promise<StateBytes> {
    await this.wake()
    const { doc } = this
    if (isBestCut(bytes, doc)) {
      const state = { slices: await cutInSlices(doc), stateVector: Y.encodeStateVector(doc) }
      // The rows had what is overwritten by now.
      if (isBestCut(sizeOf(state), doc)) return state
    }
    return encodeInSlices(doc)
  }

  /** As {@link encodeState}, in slices. The replica has to stay as it is meanwhile. */
  async cutState(): Promise<readonly Uint8Array[]> {
    if (this.rests) return this.encodeState()
    // The other way stops everything else, and lacks nothing.
    return cutInSlices(this.doc).catch(() => this.encodeState())
  }

  /** Does not wake the document. */
  encodeStateVector(): Uint8Array {
    return this.#document.encodeStateVector()
  }

  /** Applies what the store has and this replica lacks. @returns the updates (V1) that changed the document */
  absorb(stored: StoredBoard): Uint8Array[] {
    const changes: Uint8Array[] = []
    this.#read(stored, update => changes.push(update))
    return changes
  }

  /** Rows `firstSeq` … `lastSeq` are applied here already. @returns whether every row up to `lastSeq` now is */
  advance(firstSeq: number, lastSeq: number): boolean {
    if (firstSeq > this.#known + 1) return false
    this.#known = Math.max(this.#known, lastSeq)
    return true
  }

  /** As {@link DocChanges.apply} does it. */
  apply(update: Uint8Array, origin: unknown): Applied {
    return this.#changes.apply(this.doc, update, origin)
  }

  /** As {@link editAs} does it. */
  edit(clientId: number, change: () => void): Uint8Array | undefined {
    return editAs(this.doc, clientId, change)
  }

  destroy(): void {
    this.#document.destroy()
  }

  #tellUnreadable(error: unknown): never {
    this.#onUnreadable?.('snapshot', `Yjs cannot read it: ${error}`, false)
    throw error
  }

  #read(stored: StoredBoard, note: ((update: Uint8Array) => void) | undefined): void {
    const { snapshot, rows, head, onUnreadable } = stored
    if (snapshot && snapshot.seq > this.#known) {
      const before = this.#readSnapshot(snapshot.state, onUnreadable)
      if (before) note?.(Y.encodeStateAsUpdate(this.doc, Y.encodeStateVector(before)))
    }
    for (const row of rows) this.#readRow(row, note, onUnreadable)
    this.#known = Math.max(this.#known, head.headSeq)
  }

  #readSnapshot(state: StateBytes, onUnreadable: StoredBoard['onUnreadable']): Map<number, number> | undefined {
    try {
      return this.#changes.applyState(this.doc, state, fromLog)
    } catch (error) {
      // This load fails; the next one finds the snapshot before it.
      onUnreadable?.('snapshot', `Yjs cannot read it: ${error}`, false)
      throw error
    }
  }

  #readRow(
    row: LogRow,
    note: ((update: Uint8Array) => void) | undefined,
    onUnreadable: StoredBoard['onUnreadable'],
  ): void {
    if (row.seq <= this.#known) return
    const { update, incomplete } = this.#applyRow(row, onUnreadable)
    if (update) note?.(update)
    // Whole when it was committed: what it refers to was damaged since.
    if (incomplete) onUnreadable?.(row, 'it refers to edits that cannot be read', true)
  }

  #applyRow(row: LogRow, onUnreadable: StoredBoard['onUnreadable']): Applied {
    try {
      return this.apply(row.data, fromLog)
    } catch (error) {
      onUnreadable?.(row, `Yjs cannot read it: ${error}`, decodes(row.data))
      throw new UnreadableRow(row, { cause: error })
    }
  }
}

class UnreadableRow extends Error {
  readonly row: LogRow

  constructor(row: LogRow, options: ErrorOptions) {
    super(`row ${row.seq} cannot be read: ${options.cause}`, options)
    this.row = row
  }
}

function decodes(update: Uint8Array): boolean {
  try {
    Y.decodeUpdate(update)
    return true
  } catch {
    return false
  }
}
