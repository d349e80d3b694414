/**
 * What lies where in a document: the shapes in each page, frame and group, the highest among them, the bindings of each
 * shape, the pages. Made when it is first asked for and kept up with every edit from then on, so that a change to a big board
 * does not look through all of it.
 */
import * as Y from 'yjs'
import { eachInSlices } from '../base/slices.ts'
import { sortedInSlices } from '../base/sorted.ts'
import { Groups } from './groups.ts'
import { endsOf } from './item-fields.ts'
import { pickPacked } from './packed-values.ts'
import { type Place, Ranking } from './ranking.ts'
import { isShapeId } from './record-ids.ts'
import { changedIn, readParentAndIndex, readRecord, recordsOf } from './record-layout.ts'

const indexes = new WeakMap<Y.Doc, BoardIndex>()

export class BoardIndex {
  readonly #records: Y.Map<unknown>
  /** Every shape; without a place where its value is no record. */
  readonly #shapes = new Map<string, Place | undefined>()
  readonly #children = new Groups()
  /** By parent; of one that lost half of its shapes not until it is asked for again. */
  readonly #rankings = new Map<string, Ranking>()
  readonly #bindings = new Groups()
  readonly #endsOfBindings = new Map<string, readonly unknown[]>()
  readonly #pages = new Set<string>()
  #sorted: readonly string[] | undefined
  #isWhole = false

  private constructor(doc: Y.Doc) {
    this.#records = recordsOf(doc)
    this.#records.observeDeep(events => {
      for (const event of events) for (const id of changedIn(event)) this.#note(id)
    })
  }

  /** That of the document, which takes a moment where the board is big and {@link prepare} was not called before. */
  static of(doc: Y.Doc): BoardIndex {
    const index = BoardIndex.#in(doc)
    if (!index.#isWhole) {
      for (const id of index.#records.keys()) index.#note(id)
      for (const ranking of index.#rankings.values()) ranking.highest()
      index.#isWhole = true
    }
    return index
  }

  /** Makes it, in slices between which others get their turn. */
  static async prepare(doc: Y.Doc): Promise<void> {
    const index = BoardIndex.#in(doc)
    if (index.#isWhole) return
    // What changes meanwhile is noted when it does, and may be noted again.
    await eachInSlices(index.#records.keys(), id => index.#note(id))
    await eachInSlices(index.#rankings.values(), ranking => ranking.highest())
    index.#isWhole = true
  }

  static #in(doc: Y.Doc): BoardIndex {
    const index = indexes.get(doc) ?? new BoardIndex(doc)
    indexes.set(doc, index)
    return index
  }

  get pages(): ReadonlySet<string> {
    return this.#pages
  }

  placeOf(shapeId: string): Place | undefined {
    return this.#shapes.get(shapeId)
  }

  childrenOf(parentId: string): ReadonlySet<string> {
    return this.#children.of(parentId)
  }

  /** The shapes in there from the highest down: one that another can lie above is first. The document has to stay as it is. */
  downFromHighest(parentId: string): Iterable<Place, undefined> {
    const ranking = this.#rankings.get(parentId) ?? this.#rank(parentId)
    return ranking.downwards()
  }

  /** The ids of those from or to the shape. */
  bindingsOf(shapeId: string): ReadonlySet<string> {
    return this.#bindings.of(shapeId)
  }

  /** The ids of all shapes, compared with `<`. Sorted in slices; the document has to stay as it is meanwhile. */
  async sortedShapes(): Promise<readonly string[]> {
    this.#sorted ??= await sortedInSlices([...this.#shapes.keys()])
    return this.#sorted
  }

  #note(id: string): void {
    const value = this.#records.get(id)
    if (id.startsWith('binding:')) this.#noteBinding(id, value)
    else if (id.startsWith('page:')) this.#notePage(id, value)
    else if (isShapeId(id)) this.#noteShape(id, value)
  }

  #rank(parentId: string): Ranking {
    const isThere = ({ id, index }: Place) => {
      const place = this.#shapes.get(id)
      return place?.parentId === parentId && place.index === index
    }
    const places: Place[] = []
    for (const id of this.childrenOf(parentId)) {
      const place = this.#shapes.get(id)
      if (place) places.push(place)
    }
    const ranking = new Ranking(isThere, places)
    ranking.highest()
    if (places.length > 0) this.#rankings.set(parentId, ranking)
    return ranking
  }

  #noteShape(id: string, value: unknown): void {
    const before = this.#shapes.get(id)
    const after = placeIn(id, value)
    const isThere = value !== undefined
    if (isThere !== this.#shapes.has(id)) this.#sorted = undefined
    if (isThere) this.#shapes.set(id, after)
    else this.#shapes.delete(id)
    if (before?.parentId !== after?.parentId) {
      this.#children.remove(id, before?.parentId)
      this.#children.add(id, after?.parentId)
    } else if (before?.index === after?.index) return
    this.#noteRank(before?.parentId)
    this.#noteRank(after?.parentId, after)
  }

  #noteRank(parentId: unknown, came?: Place): void {
    if (typeof parentId !== 'string') return
    const { size } = this.#children.of(parentId)
    const known = this.#rankings.get(parentId)
    if (!known) {
      if (came && size === 1) this.#rank(parentId)
      return
    }
    if (came) known.add(came)
    if (known.size >= 2 * size) this.#rankings.delete(parentId)
    else if (this.#isWhole) known.highest()
  }

  #notePage(id: string, value: unknown): void {
    if (value === undefined) this.#pages.delete(id)
    else this.#pages.add(id)
  }

  #noteBinding(id: string, value: unknown): void {
    for (const end of this.#endsOfBindings.get(id) ?? []) this.#bindings.remove(id, end)
    const ends = endsOf(readRecord(id, value))
    for (const end of ends) this.#bindings.add(id, end)
    if (ends.length > 0) this.#endsOfBindings.set(id, ends)
    else this.#endsOfBindings.delete(id)
  }
}

/** As `readParentAndIndex` finds it; of a record that is packed it reads no more than that. */
function placeIn(id: string, value: unknown): Place | undefined {
  const isAsCreated = value instanceof Y.Map && !value.has('place')
  const packed = isAsCreated ? pickPacked(value, 'base', ['parentId', 'index']) : undefined
  const place = packed ? { parentId: packed[0], index: packed[1] } : readParentAndIndex(value)
  return place && { id, parentId: place.parentId, index: place.index }
}
