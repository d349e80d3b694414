/** The board as the store shows it, from when there is something to show: bound to the document, with the peers on it. */
import type { TLStore } from '@tldraw/tlschema'
import type { Editor } from 'tldraw'
import type { Awareness } from 'y-protocols/awareness'
import type * as Y from 'yjs'
import { type Binding, bindStore } from './binding.ts'
import { letGo } from './held-shapes.ts'
import { showPeers } from './peers.ts'

export interface ShownBoardOptions {
  mayEdit: () => boolean
  /** Called when one of the getters may be another. */
  onChange: () => void
}

export class ShownBoard {
  readonly #options: ShownBoardOptions
  readonly #editors = new Set<Editor>()
  #binding: Binding | undefined
  #hidePeers: (() => void) | undefined

  constructor(options: ShownBoardOptions) {
    this.#options = options
  }

  get isBound(): boolean {
    return this.#binding !== undefined
  }

  /** Edits that wait to be written to the document. */
  get hasWaiting(): boolean {
    return this.#binding?.hasWaiting ?? false
  }

  /** The board is of a newer tldraw than this page. */
  get isOutdated(): boolean {
    return this.#binding?.isOutdated ?? false
  }

  /** How many records of the board cannot be shown. */
  get setAside(): number {
    return this.#binding?.setAside.size ?? 0
  }

  /** An editor has begun to use the store. Returns what is to be called when that ends. */
  noteEditor(editor: Editor): () => void {
    this.#editors.add(editor)
    return () => void this.#editors.delete(editor)
  }

  /** Call once, when the document is complete, or has all that can be had for now. */
  bind(store: TLStore, doc: Y.Doc, awareness: Awareness): void {
    const beforeRemoval = (gone: ReadonlySet<string>) => this.#letGo(gone)
    this.#binding = bindStore(store, doc, { ...this.#options, beforeRemoval })
    // Not before: peers would make tldraw invent a first page, beside those of the board.
    this.#hidePeers = showPeers(store, awareness)
  }

  /** Writes all that the user has changed and is not yet in the document. */
  flush(): void {
    this.#binding?.flush()
  }

  /** Call when this user may edit again. */
  catchUp(): void {
    this.#binding?.catchUp()
  }

  stop(): void {
    this.#hidePeers?.()
    this.#binding?.stop()
  }

  #letGo(gone: ReadonlySet<string>): void {
    try {
      for (const editor of this.#editors) letGo(editor, gone)
    } catch (error) {
      // What peers did has to be shown whatever becomes of it.
      console.warn('boardsync: what this user was doing could not be ended:', error)
    }
  }
}
