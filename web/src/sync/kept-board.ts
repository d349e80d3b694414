/** What this browser keeps of an open board: the document, how far it is saved, and the pictures still to be uploaded. */
import type * as Y from 'yjs'
import { BoardCache } from './board-cache.ts'
import type { BoardPictures } from './board-pictures.ts'
import type { SavedEdits } from './saved.ts'

export interface KeptBoardParts {
  doc: Y.Doc
  saved: SavedEdits
  pictures: BoardPictures
}

export class KeptBoard {
  readonly #parts: KeptBoardParts
  /** Undefined: not open yet, or this browser does not keep the board. */
  #cache: BoardCache | undefined
  #isClosed = false

  constructor(parts: KeptBoardParts) {
    this.#parts = parts
  }

  get hasDocument(): boolean {
    return this.#cache !== undefined
  }

  /** Whether an earlier visit left some of the board. */
  get heldBoard(): boolean {
    return this.#cache?.heldBoard ?? false
  }

  /** Whether all that is unsaved outlives a reload. */
  get isKeepingAll(): boolean {
    const { pictures } = this.#parts
    return (this.#cache?.isKeeping ?? false) && (pictures.counts.get().waiting === 0 || pictures.areKept)
  }

  /** Whether a server with this state vector goes on from what is kept. */
  isKnownTo(server: ReadonlyMap<number, number>): boolean {
    return this.#cache?.isKnownTo(server) ?? true
  }

  /**
   * Fills the document with what an earlier visit left, and counts what of it is unsaved.
   *
   * @param name undefined: nothing is kept
   * @returns whether the document is a whole one: false when what was kept could be read in part only
   */
  async open(name: string | undefined): Promise<boolean> {
    const { doc, saved, pictures } = this.#parts
    await pictures.load()
    if (name === undefined) return true
    try {
      this.#cache = await BoardCache.open(name, doc)
    } catch (error) {
      console.warn('boardsync: this browser does not keep the board; unsaved edits live in this tab only:', error)
      return doc.store.clients.size === 0
    }
    if (this.#isClosed) await this.#cache.close()
    else saved.add(this.#cache.unsaved)
    return true
  }

  /** Notes, soon, how far the board is saved. */
  note(): void {
    this.#cache?.note(this.#parts.saved)
  }

  noteNow(): void {
    this.#cache?.noteNow(this.#parts.saved)
  }

  async forget(): Promise<void> {
    await Promise.all([this.#cache?.clear(), this.#parts.pictures.forget()])
  }

  close(): void {
    this.#isClosed = true
    this.noteNow()
    void this.#cache?.close()
  }
}
