/**
 * The records of a board as a change sees them: those in its document and, over them, what was decided since and is not
 * written yet. So a change that is refused half-way leaves nothing behind, and a batch is written whole or not at all.
 */
import type * as Y from 'yjs'
import { BoardIndex } from './board-index.ts'
import { Groups } from './groups.ts'
import { highestKey } from './index-keys.ts'
import { endsOf } from './item-fields.ts'
import { isShapeId } from './record-ids.ts'
import {
  changeRecord,
  metaOf,
  type ParentAndIndex,
  type PlainRecord,
  putRecord,
  readParentAndIndex,
  readRecord,
  recordsOf,
  removeRecord,
} from './record-layout.ts'
import { serializedSchema } from './tldraw-schema.ts'

/** `isNew`: it takes the place of whatever the document has under its id. Without a record: that is gone. */
interface Decided {
  record: PlainRecord | undefined
  isNew: boolean
}

export class BoardRecords {
  readonly #doc: Y.Doc
  readonly #index: BoardIndex
  readonly #decided = new Map<string, Decided>()
  #needsSchema = false
  /** Of what was decided. */
  readonly #children = new Groups()
  readonly #bindings = new Groups()
  /** Of everything, by parent, where it was asked for. */
  readonly #highest = new Map<string, string | undefined>()

  constructor(doc: Y.Doc) {
    this.#doc = doc
    this.#index = BoardIndex.of(doc)
  }

  /** Whether there is anything under this id, foreign content included. */
  has(id: string): boolean {
    const decided = this.#decided.get(id)
    return decided ? decided.record !== undefined : recordsOf(this.#doc).has(id)
  }

  record(id: string): PlainRecord | undefined {
    const decided = this.#decided.get(id)
    return decided ? decided.record : readRecord(id, recordsOf(this.#doc).get(id))
  }

  pages(): string[] {
    const decided = [...this.#decided.keys()].filter(id => id.startsWith('page:'))
    return [...new Set([...this.#index.pages, ...decided])].filter(id => this.has(id))
  }

  childrenOf(parentId: string): ReadonlySet<string> {
    return this.#withDecided(this.#index.childrenOf(parentId), this.#children.of(parentId))
  }

  /** The highest index among the shapes in there that another can lie above. */
  highestIndexIn(parentId: string): string | undefined {
    if (!this.#highest.has(parentId)) this.#highest.set(parentId, this.#findHighest(parentId))
    return this.#highest.get(parentId)
  }

  /** From or to the shape. */
  bindingsOf(shapeId: string): PlainRecord[] {
    const ids = this.#withDecided(this.#index.bindingsOf(shapeId), this.#bindings.of(shapeId))
    return [...ids].flatMap(id => this.record(id) ?? [])
  }

  bindingsFrom(shapeId: string): PlainRecord[] {
    return this.bindingsOf(shapeId).filter(({ fromId }) => fromId === shapeId)
  }

  put(record: PlainRecord): void {
    this.#decide(record.id, { record, isNew: true })
  }

  /** Puts a changed record in the place of the one there is; only what differs will be written. */
  change(record: PlainRecord): void {
    this.#decide(record.id, { record, isNew: this.#decided.get(record.id)?.isNew ?? false })
  }

  remove(id: string): void {
    this.#decide(id, { record: undefined, isNew: true })
  }

  /** The board gets tldraw's schema, if it has none. */
  needSchema(): void {
    this.#needsSchema = true
  }

  /** Writes what was decided to the document. Call inside a transaction, once. */
  commit(): void {
    if (this.#needsSchema && !metaOf(this.#doc).has('schema')) metaOf(this.#doc).set('schema', serializedSchema)
    for (const [id, { record, isNew }] of this.#decided) {
      if (!record) removeRecord(this.#doc, id)
      else if (isNew) putRecord(this.#doc, record)
      else changeRecord(this.#doc, readRecord(id, recordsOf(this.#doc).get(id)) ?? record, record)
    }
  }

  #withDecided(stored: ReadonlySet<string>, decided: ReadonlySet<string>): ReadonlySet<string> {
    if (this.#decided.size === 0) return stored
    return new Set([...[...stored].filter(id => !this.#decided.has(id)), ...decided])
  }

  #findHighest(parentId: string): string | undefined {
    const stored = this.#index.highestIn(parentId)
    const isThere = (place: ParentAndIndex | undefined) => place?.parentId === parentId && place.index === stored
    const isGone = (id: string) => isThere(this.#index.placeOf(id)) && !isThere(this.#placeOf(id))
    const indexesOf = (ids: Iterable<string>) => Array.from(ids, id => this.#placeOf(id)?.index)
    if ([...this.#decided.keys()].some(isGone)) return highestKey(indexesOf(this.childrenOf(parentId)))
    return highestKey([stored, ...indexesOf(this.#children.of(parentId))])
  }

  #decide(id: string, decided: Decided): void {
    if (isShapeId(id)) this.#notePlace(id, this.#placeOf(id), readParentAndIndex(decided.record))
    if (id.startsWith('binding:')) {
      for (const end of endsOf(this.#decided.get(id)?.record)) this.#bindings.remove(id, end)
      for (const end of endsOf(decided.record)) this.#bindings.add(id, end)
    }
    this.#decided.set(id, decided)
  }

  #placeOf(id: string): ParentAndIndex | undefined {
    const decided = this.#decided.get(id)
    return decided ? readParentAndIndex(decided.record) : this.#index.placeOf(id)
  }

  #notePlace(id: string, before: ParentAndIndex | undefined, after: ParentAndIndex | undefined): void {
    this.#children.remove(id, before?.parentId)
    this.#children.add(id, after?.parentId)
    if (before?.parentId === after?.parentId && before?.index === after?.index) return
    const { parentId, index } = before ?? {}
    if (this.#highest.get(String(parentId)) === index) this.#highest.delete(String(parentId))
    if (!after) return
    const highest = this.#highest.get(String(after.parentId))
    if (highest === undefined) this.#highest.delete(String(after.parentId))
    else if (String(after.index) > highest) this.#highest.set(String(after.parentId), String(after.index))
  }
}
