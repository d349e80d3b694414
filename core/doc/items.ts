/** The items of a board: what the document holds, read as items, and changes to them decided and applied. */
import type * as Y from 'yjs'
import type { ChangeOutcome, ItemChange } from '../contract/change.ts'
import type { Item } from '../contract/item.ts'

/** Decides a change and applies it in one Yjs transaction; a rejected one writes nothing. */
export function applyChange(_doc: Y.Doc, _change: ItemChange, _origin?: unknown): ChangeOutcome {
  throw new Error('not yet')
}

/** The item, or undefined where there is none or tldraw would reject its record. */
export function readItem(_doc: Y.Doc, _id: string): Item | undefined {
  throw new Error('not yet')
}

/** Every item of the board, sorted by id (compared with `<`). */
export function listItems(_doc: Y.Doc): Item[] {
  throw new Error('not yet')
}
