/**
 * The records of a board as a change sees them: those in its document and, over them, what was decided since and is not
 * written yet. So a change that is refused half-way leaves nothing behind, and a batch is written whole or not at all.
 */
import type * as Y from 'yjs'
import { Groups } from './groups.ts'
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
  readonly #decided = new Map<string, Decided>()
  #needsSchema = false
  /** Both are made when they are first asked for, and kept up from then on: a batch may ask 500 times. */
  #children: Groups | undefined
  #bindings: Groups | undefined
  readonly #highest = new Map<string, string | undefined>()

  constructor(doc: Y.Doc) {
    this.#doc = doc
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

  /** Of everything that {@link has}, in no particular order. */
  *ids(): Iterable<string> {
    for (const id of recordsOf(this.#doc).keys()) if (!this.#decided.has(id)) yield id
    for (const [id, { record }] of this.#decided) if (record) yield id
  }

  /** Every shape, for a tenth of the cost of all {@link record}s. */
  forEachShape(visit: (id: string, place: ParentAndIndex) => void): void {
    for (const [id, value] of recordsOf(this.#doc).entries()) {
      const place = id.startsWith('shape:') && !this.#decided.has(id) ? readParentAndIndex(value) : undefined
      if (place) visit(id, place)
    }
    for (const [id, { record }] of this.#decided) {
      const place = id.startsWith('shape:') ? readParentAndIndex(record) : undefined
      if (place) visit(id, place)
    }
  }

  childrenOf(parentId: string): ReadonlySet<string> {
    if (!this.#children) {
      const children = new Groups()
      this.forEachShape((id, place) => children.add(id, place.parentId))
      this.#children = children
    }
    return this.#children.of(parentId)
  }

  /** The highest index among the shapes in there: looked for once, and known from then on. */
  highestIndexIn(parentId: string, find: () => string | undefined): string | undefined {
    if (!this.#highest.has(parentId)) this.#highest.set(parentId, find())
    return this.#highest.get(parentId)
  }

  /** From or to the shape. */
  bindingsOf(shapeId: string): PlainRecord[] {
    if (!this.#bindings) {
      const bindings = new Groups()
      for (const id of this.ids()) {
        if (id.startsWith('binding:')) for (const end of endsOf(this.record(id))) bindings.add(id, end)
      }
      this.#bindings = bindings
    }
    return [...this.#bindings.of(shapeId)].flatMap(id => this.record(id) ?? [])
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

  #decide(id: string, decided: Decided): void {
    if (id.startsWith('shape:')) this.#notePlace(id, this.#placeOf(id), readParentAndIndex(decided.record))
    if (this.#bindings && id.startsWith('binding:')) {
      for (const end of endsOf(this.record(id))) this.#bindings.remove(id, end)
      for (const end of endsOf(decided.record)) this.#bindings.add(id, end)
    }
    this.#decided.set(id, decided)
  }

  #placeOf(id: string): ParentAndIndex | undefined {
    const decided = this.#decided.get(id)
    return readParentAndIndex(decided ? decided.record : recordsOf(this.#doc).get(id))
  }

  #notePlace(id: string, before: ParentAndIndex | undefined, after: ParentAndIndex | undefined): void {
    if (before?.parentId === after?.parentId && before?.index === after?.index) return
    this.#children?.remove(id, before?.parentId)
    this.#children?.add(id, after?.parentId)
    if (before) this.#highest.delete(String(before.parentId))
    if (!after) return
    const highest = this.#highest.get(String(after.parentId))
    if (highest === undefined) this.#highest.delete(String(after.parentId))
    else if (String(after.index) > highest) this.#highest.set(String(after.parentId), String(after.index))
  }
}

const endsOf = (binding: PlainRecord | undefined): unknown[] => (binding ? [binding.fromId, binding.toId] : [])
