/**
 * One copy of a board's Y.Doc and how far it has read the log. The log is the truth: a replica can be dropped at any
 * moment and read again.
 *
 * `known` is the highest seq up to which *every* row is applied.
 */
import * as Y from 'yjs'
import type { StoredBoard } from '../store/board-archive.ts'

/** Origin of transactions that apply what the log says. */
const fromLog: unique symbol = Symbol('from the log')

/** What applying an update did to the document. */
export interface Applied {
  /** What changed it, as an update (V1); undefined when it is as before. */
  update: Uint8Array | undefined
  /** Parts refer to structs this replica has not got; they were left out. */
  incomplete: boolean
}

export class Replica {
  readonly doc = new Y.Doc()
  readonly epoch: number
  #known = 0
  /** What the {@link apply} under way did so far. */
  #change: Change = {}

  constructor(stored: StoredBoard) {
    this.epoch = stored.head.epoch
    this.doc.on('afterTransaction', (transaction: Y.Transaction) => {
      if (transaction.deleteSet.clients.size === 0 && !grew(transaction)) return
      const change = this.#change
      change.before ??= transaction.beforeState
      // Encoded by Yjs right after this, and only where somebody listens.
      if (this.#isIncomplete) {
        this.doc.once('update', (update: Uint8Array) => {
          change.integrated ??= update
        })
      }
    })
    // A first load has nobody to tell what changed.
    this.#read(stored, undefined)
  }

  get known(): number {
    return this.#known
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

  /**
   * Applies a well-formed update. What depends on structs that are missing is left out and not kept: Yjs would send a
   * kept remainder again with every state it encodes, and try it again with every update.
   * @throws Error when Yjs stops half-way: the document may then hold a part of the update, and is not to be used again
   */
  apply(update: Uint8Array, origin: unknown): Applied {
    const { before, integrated } = this.#changing(() => Y.applyUpdate(this.doc, update, origin))
    if (!this.#isIncomplete) return { update: before && update, incomplete: false }
    this.doc.store.pendingStructs = null
    this.doc.store.pendingDs = null
    return { update: integrated, incomplete: true }
  }

  /** Runs local changes as one transaction. @returns the update (V1) they make, undefined when they changed nothing */
  edit(clientId: number, change: () => void): Uint8Array | undefined {
    // For this change only: a document that meets its own id in what it reads says so on the console and takes another.
    const { clientID } = this.doc
    this.doc.clientID = clientId
    let update: Uint8Array | undefined
    const capture = (bytes: Uint8Array) => {
      update = bytes
    }
    this.doc.once('update', capture)
    try {
      this.doc.transact(change)
    } finally {
      this.doc.off('update', capture)
      this.doc.clientID = clientID
    }
    return update
  }

  destroy(): void {
    this.doc.destroy()
  }

  #read({ snapshot, rows, head }: StoredBoard, note: ((update: Uint8Array) => void) | undefined): void {
    if (snapshot && snapshot.seq > this.#known) {
      const { before } = this.#changing(() => Y.applyUpdateV2(this.doc, snapshot.update, fromLog))
      if (before) note?.(Y.encodeStateAsUpdate(this.doc, Y.encodeStateVector(before)))
    }
    for (const row of rows) {
      const { update } = row.seq > this.#known ? this.apply(row.data, fromLog) : {}
      if (update) note?.(update)
    }
    this.#known = Math.max(this.#known, head.headSeq)
  }

  get #isIncomplete(): boolean {
    const { store } = this.doc
    return store.pendingStructs !== null || store.pendingDs !== null
  }

  #changing(work: () => void): Change {
    this.#change = {}
    work()
    return this.#change
  }
}

interface Change {
  /** The clocks before the first of the transactions that changed the document; undefined when none did. */
  before?: Map<number, number>
  /** Where parts were left out: what was not, as an update (V1). */
  integrated?: Uint8Array
}

function grew(transaction: Y.Transaction): boolean {
  for (const [client, clock] of transaction.afterState) {
    if (transaction.beforeState.get(client) !== clock) return true
  }
  return false
}
