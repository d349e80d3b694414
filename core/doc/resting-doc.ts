/**
 * A Y.Doc that can rest: of it only bytes stay, a small part of its memory. It wakes when it is asked for, at once
 * (`doc`) or in slices between which other boards get their turn (`wake`). What was drawn before is then packed until it is
 * read (`packed-values.ts`).
 */
import * as Y from 'yjs'
import type { DocumentBytes } from '../store/state-bytes.ts'
import { applyPacked, unpackInSlices } from './packed-values.ts'

/** In the place of a document that rests. */
const nobody = new Y.Doc()

export class RestingDoc {
  readonly #make: () => Y.Doc
  readonly #origin: unknown
  #doc: Y.Doc
  #bytes: DocumentBytes | undefined
  #waking: Promise<void> | undefined
  #isPacked = false
  #usedAt = performance.now()

  /**
   * @param make an empty document
   * @param origin of the transactions that fill it when it wakes
   * @param bytes of a document that rests already; default: it is awake and empty
   */
  constructor(make: () => Y.Doc, origin: unknown, bytes?: DocumentBytes) {
    this.#make = make
    this.#origin = origin
    this.#bytes = bytes
    this.#doc = bytes ? nobody : make()
  }

  /** Not to be kept: after the next rest there is another. @throws Error when Yjs cannot read the bytes */
  get doc(): Y.Doc {
    this.#usedAt = performance.now()
    if (this.#bytes) {
      const doc = this.#make()
      for (const slice of this.#bytes.slices) applyPacked(doc, slice, this.#origin)
      this.#become(doc)
    }
    return this.#doc
  }

  /** When it was last used (`performance.now()`); undefined while it rests. */
  get usedAt(): number | undefined {
    return this.#bytes ? undefined : this.#usedAt
  }

  /** Resolves when it is awake. @throws Error when Yjs cannot read the bytes */
  wake(): Promise<void> {
    this.#waking ??= this.#wake().finally(() => {
      this.#waking = undefined
    })
    return this.#waking
  }

  /** Resolves when it is awake and nothing in it is packed. @throws as `wake` */
  async unpack(): Promise<void> {
    await this.wake()
    if (!this.#isPacked) return
    const { doc } = this
    await unpackInSlices(doc)
    if (doc === this.#doc) this.#isPacked = false
  }

  rest(): void {
    if (this.#bytes) return
    this.#bytes = { slices: [Y.encodeStateAsUpdate(this.#doc)], stateVector: Y.encodeStateVector(this.#doc) }
    this.#doc.destroy()
    this.#doc = nobody
  }

  /** The whole state as V1 updates in order. Does not wake it. */
  encodeState(): readonly Uint8Array[] {
    return this.#bytes?.slices ?? [Y.encodeStateAsUpdate(this.doc)]
  }

  /** Does not wake it. */
  encodeStateVector(): Uint8Array {
    return this.#bytes?.stateVector ?? Y.encodeStateVector(this.doc)
  }

  destroy(): void {
    if (this.#doc !== nobody) this.#doc.destroy()
  }

  async #wake(): Promise<void> {
    const bytes = this.#bytes
    if (!bytes) return
    const doc = this.#make()
    for (const slice of bytes.slices) {
      applyPacked(doc, slice, this.#origin)
      await new Promise(resolve => setImmediate(resolve)) // others' turn
      if (this.#bytes !== bytes) {
        doc.destroy() // somebody could not wait
        return
      }
    }
    this.#become(doc)
  }

  #become(doc: Y.Doc): void {
    this.#doc = doc
    this.#bytes = undefined
    this.#isPacked = true
    this.#usedAt = performance.now()
  }
}
