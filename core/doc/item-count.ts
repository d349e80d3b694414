/**
 * How many items a document has, as lists show them: what tldraw would reject is none. All of it is looked through once, in
 * slices; from then on only what was edited.
 */
import type * as Y from 'yjs'
import { eachInSlices } from '../base/slices.ts'
import { isShapeId } from './record-ids.ts'
import { changedIn, readRecord, recordsOf } from './record-layout.ts'
import { isItem } from './record-to-item.ts'

const counts = new WeakMap<Y.Doc, ItemCount>()

/**
 * The number of items now. In slices, between which others get their turn: what is edited meanwhile may be counted as it was, and
 * is looked at the next time.
 */
export function countItems(doc: Y.Doc): Promise<number> {
  const count = counts.get(doc) ?? new ItemCount(doc)
  counts.set(doc, count)
  return count.bringUp()
}

class ItemCount {
  readonly #records: Y.Map<unknown>
  readonly #items = new Set<string>()
  /** The shapes that were edited since they were last looked at. */
  readonly #edited = new Set<string>()
  #all: Promise<void> | undefined

  constructor(doc: Y.Doc) {
    this.#records = recordsOf(doc)
    this.#records.observeDeep(events => {
      for (const event of events) for (const id of changedIn(event)) if (isShapeId(id)) this.#edited.add(id)
    })
  }

  async bringUp(): Promise<number> {
    this.#all ??= eachInSlices(this.#records.keys(), id => this.#look(id))
    await this.#all
    await eachInSlices(this.#edited, id => {
      this.#edited.delete(id)
      this.#look(id)
    })
    return this.#items.size
  }

  #look(id: string): void {
    const record = isShapeId(id) ? readRecord(id, this.#records.get(id)) : undefined
    if (record && isItem(record)) this.#items.add(id)
    else this.#items.delete(id)
  }
}
