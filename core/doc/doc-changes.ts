/** Changing a Y.Doc, and what came of it: the update that each change made, and that nothing in it waits for what it lacks. */
import * as Y from 'yjs'
import { isCut, type StateBytes } from '../store/state-bytes.ts'

/** What applying an update did to the document. */
export interface Applied {
  /** What changed it, as an update (V1); undefined when it is as before. */
  update: Uint8Array | undefined
  /** Parts refer to structs this document has not got; they were left out. */
  incomplete: boolean
}

interface Change {
  /** The clocks before the first of the transactions that changed the document; undefined when none did. */
  before?: Map<number, number>
  /** Where parts were left out: what was not, as an update (V1). */
  integrated?: Uint8Array
}

/** Follows one document at a time: each that it makes takes the place of the one before. */
export class DocChanges {
  /** What the work under way did so far; undefined when none is. */
  #change: Change | undefined

  newDoc(): Y.Doc {
    // A guid would be drawn in 31 calls for random numbers, and is used by nobody.
    const doc = new Y.Doc({ guid: 'board' })
    doc.on('afterTransaction', (transaction: Y.Transaction) => {
      const change = this.#change
      if (!change || (transaction.deleteSet.clients.size === 0 && !grew(transaction))) return
      change.before ??= transaction.beforeState
      // Encoded by Yjs right after this, and only where somebody listens.
      if (incomplete(doc)) {
        doc.once('update', (update: Uint8Array) => {
          change.integrated ??= update
        })
      }
    })
    // Yjs makes each list of transactions when the one before is done, long before it is used. By then it is old to the garbage
    // collector, which takes what an old object refers to for alive: each transaction would be copied until a full collection.
    doc.on('afterAllTransactions', (_doc: Y.Doc, done: Y.Transaction[]) => {
      done.length = 0
    })
    return doc
  }

  /**
   * Applies a well-formed update. What depends on structs that are missing is left out and not kept: Yjs would send a
   * kept remainder again with every state it encodes, and try it again with every update.
   * @throws Error when Yjs stops half-way: the document may then hold a part of the update, and is not to be used again
   */
  apply(doc: Y.Doc, update: Uint8Array, origin: unknown): Applied {
    const { before, integrated } = this.#changing(() => Y.applyUpdate(doc, update, origin))
    if (!incomplete(doc)) return { update: before && update, incomplete: false }
    doc.store.pendingStructs = null
    doc.store.pendingDs = null
    return { update: integrated, incomplete: true }
  }

  /** Applies a whole state. @returns the clocks before it; undefined when it changed nothing. @throws as `apply` */
  applyState(doc: Y.Doc, state: StateBytes, origin: unknown): Map<number, number> | undefined {
    return this.#changing(() => {
      if (isCut(state)) for (const slice of state.slices) Y.applyUpdate(doc, slice, origin)
      else Y.applyUpdateV2(doc, state, origin)
    }).before
  }

  #changing(work: () => void): Change {
    const change: Change = {}
    this.#change = change
    try {
      work()
    } finally {
      this.#change = undefined
    }
    return change
  }
}

/** Runs local changes as one transaction. @returns the update (V1) they make, undefined when they changed nothing */
export function editAs(doc: Y.Doc, clientId: number, change: () => void): Uint8Array | undefined {
  // For this change only: a document that meets its own id in what it reads says so on the console and takes another.
  const { clientID } = doc
  doc.clientID = clientId
  let update: Uint8Array | undefined
  const capture = (bytes: Uint8Array) => {
    update = bytes
  }
  doc.once('update', capture)
  try {
    doc.transact(change)
  } finally {
    doc.off('update', capture)
    doc.clientID = clientID
  }
  return update
}

const incomplete = ({ store }: Y.Doc): boolean => store.pendingStructs !== null || store.pendingDs !== null

function grew(transaction: Y.Transaction): boolean {
  for (const [client, clock] of transaction.afterState) {
    if (transaction.beforeState.get(client) !== clock) return true
  }
  return false
}
