/**
 * The records of a board as a change sees them: those in its document and, over them, what was decided since and is not
 * written yet. So a change that is refused half-way leaves nothing behind, and a batch is written whole or not at all.
 */
import type * as Y from 'yjs'
import { BoardIndex } from './board-index.ts'
import { ChangedGroups } from './changed-groups.ts'
import { endsOf } from './item-fields.ts'
import { type Place, Ranking } from './ranking.ts'
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
import { recordFault, serializedSchema } from './tldraw-schema.ts'
import { firstPageId, type Page, usualPage } from './usual-page.ts'

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
  readonly #children: ChangedGroups
  readonly #bindings: ChangedGroups
  /** By parent, where it was asked for. */
  readonly #rankings = new Map<string, Ranking>()
  #usualPage: string | undefined

  constructor(doc: Y.Doc) {
    this.#doc = doc
    this.#index = BoardIndex.of(doc)
    this.#children = new ChangedGroups(parentId => this.#index.childrenOf(parentId))
    this.#bindings = new ChangedGroups(shapeId => this.#index.bindingsOf(shapeId))
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

  /** The page that is meant where none is named, of those that tldraw accepts. */
  usualPage(): string {
    this.#usualPage ??= this.record(firstPageId) ? firstPageId : usualPage(this.#pages())
    return this.#usualPage
  }

  childrenOf(parentId: string): ReadonlySet<string> {
    return this.#children.of(parentId)
  }

  /** The highest index among the shapes in there that another can lie above. */
  highestIndexIn(parentId: string): string | undefined {
    return this.#rankingOf(parentId).highest()
  }

  /** From or to the shape. */
  bindingsOf(shapeId: string): PlainRecord[] {
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

  *#pages(): Iterable<Page> {
    const decided = [...this.#decided.keys()].filter(isPageId)
    for (const id of new Set([...this.#index.pages, ...decided])) {
      const page = this.record(id)
      if (page && !recordFault(page)) yield { id, index: page.index }
    }
  }

  #rankingOf(parentId: string): Ranking {
    const known = this.#rankings.get(parentId)
    if (known) return known
    const isThere = ({ id, index }: Place) => {
      const place = this.#placeOf(id)
      return place?.parentId === parentId && place.index === index
    }
    const ranking = new Ranking(isThere, [], this.#index.downFromHighest(parentId))
    this.#rankings.set(parentId, ranking)
    return ranking
  }

  #decide(id: string, decided: Decided): void {
    if (isPageId(id)) this.#usualPage = undefined
    if (isShapeId(id)) this.#notePlace(id, this.#placeOf(id), readParentAndIndex(decided.record))
    if (id.startsWith('binding:')) {
      for (const end of endsOf(this.record(id))) this.#bindings.remove(id, end)
      for (const end of endsOf(decided.record)) this.#bindings.add(id, end)
    }
    this.#decided.set(id, decided)
  }

  #placeOf(id: string): ParentAndIndex | undefined {
    const decided = this.#decided.get(id)
    return decided ? readParentAndIndex(decided.record) : this.#index.placeOf(id)
  }

  #notePlace(id: string, before: ParentAndIndex | undefined, after: ParentAndIndex | undefined): void {
    if (before?.parentId !== after?.parentId) {
      this.#children.remove(id, before?.parentId)
      this.#children.add(id, after?.parentId)
    } else if (before?.index === after?.index) return
    if (typeof after?.parentId === 'string') this.#rankingOf(after.parentId).add({ id, ...after })
  }
}

const isPageId = (id: string): boolean => id.startsWith('page:')
