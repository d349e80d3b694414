/**
 * What hangs on something that is not on the board: a shape in a frame or group, or on a page, that somebody has deleted
 * while it was put there; an arrow's end at a shape that is gone. And what hangs on itself: frames that two people have each
 * put into the other's (a ring: `rings.ts`). Nothing of it is lost:
 * - a shape without its frame or group lies on what that lay on, in the same place of the page. Who does not know where
 *   that was shows it on the usual page, by its own coordinates;
 * - of a ring the shape with the smallest id lies on the page, where it was put, or by its own coordinates on the usual
 *   page if nobody here knows where that was; all others stay in what they lie in;
 * - a page on which shapes lie is there, whoever deleted it;
 * - an end at nothing is no end. tldraw would draw the arrow together to a point, and say so to everybody.
 *
 * So it is shown; to look at a board writes nothing. As it is shown it is written by pages that have drawn on the board
 * in this visit: at once, where they still know what it hung on (as both do whose edits crossed), and ahead of their first
 * edit what the board held of the kind when they opened it. It does not matter how many do: they write the same fields of
 * the same records. What was deleted with all that lay in it stays deleted, for then nothing hangs on it.
 */
import type { Signal } from '@tldraw/state'
import {
  isPageId,
  isShapeId,
  PageRecordType,
  type TLBinding,
  type TLPage,
  type TLPageId,
  type TLParentId,
  type TLRecord,
  type TLShape,
  type TLShapeId,
  type TLStore,
} from '@tldraw/tlschema'
import { getIndexAbove, type IndexKey } from '@tldraw/utils'
import type * as Y from 'yjs'
import { Groups } from '../../../core/doc/groups.ts'
import { outOf } from '../../../core/doc/plane.ts'
import {
  changeRecord,
  type PlainRecord,
  putRecord,
  readParentAndIndex,
  readRecord,
  recordsOf,
  removeRecord,
} from '../../../core/doc/record-layout.ts'
import { firstPageId, usualPage } from '../../../core/doc/usual-page.ts'
import { plain } from './plain.ts'
import { type Rings, ringWith } from './rings.ts'
import { type Place, Whereabouts } from './whereabouts.ts'

/** What a merge brings to the store. */
interface Merge {
  accepted: Map<string, TLRecord>
  gone: Set<TLRecord['id']>
  /** Those in which something that comes counts as loose. */
  rings: Rings
  /** The whole board comes, for the first time. */
  isFirst: boolean
}

/** The highest index that was given in each parent. */
type Tops = Map<TLParentId, IndexKey>

export class LooseEnds {
  readonly #store: TLStore
  readonly #doc: Y.Doc
  /** Ids of records by the id of what they hang on and is not there. */
  readonly #waiting = new Groups()
  /** Ids of records that are shown otherwise than the document has them, and that this page is to write. */
  readonly #due = new Set<string>()
  readonly #whereabouts: Whereabouts
  readonly #pages: Signal<TLPage[]>

  constructor(store: TLStore, doc: Y.Doc) {
    this.#store = store
    this.#doc = doc
    // Asked for once: every query begins with a look at all records.
    this.#pages = store.query.records('page')
    this.#whereabouts = new Whereabouts(store)
  }

  /** These records and those that are shown otherwise when these come or go. */
  affectedBy(ids: Iterable<string>): Set<string> {
    const affected = new Set(ids)
    // A set may grow while it is walked.
    for (const id of affected) {
      for (const waiting of this.#waiting.of(id)) affected.add(waiting)
      const ring = ringWith(this.#doc, id)
      if (ring) affected.add(ring.least)
      if (this.#isOnBoard(id) || !this.#store.has(id as TLRecord['id'])) continue
      for (const hanging of this.#whereabouts.hangingOn(id)) {
        if (this.#isOnBoard(hanging)) affected.add(hanging)
      }
    }
    return affected
  }

  /** What these edits of this user's own have to be shown otherwise: what they left loose, and what no longer is. */
  shiftedBy(ids: ReadonlySet<string>): string[] {
    return [...this.affectedBy(ids)].filter(id => !ids.has(id) || this.#isLoose(id))
  }

  /** Changes what comes into the store so that nothing in it hangs on what is not there. */
  tie(merge: Merge): void {
    const { accepted, gone, rings } = merge
    for (const record of accepted.values()) {
      if (record.typeName !== 'shape') continue
      if (!this.#isOnBoard(record.parentId)) this.#tieShape(record, merge)
      else if (rings.has(record.id)) this.#openRing(record, merge)
    }
    const isThere = (id: TLShapeId) => accepted.has(id) || (this.#store.has(id) && !gone.has(id))
    for (const record of accepted.values()) {
      if (record.typeName !== 'binding') continue
      const missing = [record.fromId, record.toId].filter(id => !isThere(id))
      if (missing.length === 0) continue
      for (const id of missing) this.#waiting.add(record.id, id)
      accepted.delete(record.id)
      if (!this.#store.has(record.id)) continue
      gone.add(record.id)
      this.#due.add(record.id)
    }
  }

  /** Pages of the store that nobody else has and on which nothing lies: deleted ones, and the one that tldraw began with. */
  idlePages(gone: ReadonlySet<string>): TLPageId[] {
    const ids = this.#pages.get().map(({ id }) => id)
    const hasPages = ids.some(id => this.#isOnBoard(id))
    return ids.filter(
      id => !this.#isOnBoard(id) && (hasPages || gone.has(id)) && this.#whereabouts.children.of(id).size === 0,
    )
  }

  /** Writes what is due. @returns the ids of what was written */
  write(origin: unknown): string[] {
    if (this.#due.size === 0) return []
    const indexOf = (id: string) => (this.#store.get(id as TLShapeId) as TLShape | undefined)?.index ?? ''
    const due = [...this.#due].sort((a, b) => (indexOf(a) < indexOf(b) ? -1 : 1))
    this.#due.clear()
    const tops: Tops = new Map()
    return this.#doc.transact(() => due.filter(id => this.#writeOne(id, tops)), origin)
  }

  stop(): void {
    this.#whereabouts.stop()
  }

  #tieShape(shape: TLShape, { accepted, isFirst }: Merge): void {
    const isDue = isFirst || this.#whereabouts.lastOf(shape.parentId) !== undefined
    this.#waiting.add(shape.id, shape.parentId)
    const tied = isPageId(shape.parentId) ? shape : this.#outOfMissing(shape, accepted)
    this.#takeTied(shape, tied, accepted, isDue)
  }

  #openRing(shape: TLShape, { accepted, rings, isFirst }: Merge): void {
    // Whoever of the ring is taken out of it, or goes, opens it elsewhere.
    for (const id of rings.get(shape.id)?.ids ?? []) this.#waiting.add(shape.id, id)
    const former = this.#whereabouts.onPage(shape)
    const isPageThere = former !== undefined && this.#isOnBoard(former.parentId)
    const parentId = isPageThere ? former.parentId : this.#usualPage(accepted)
    this.#takeTied(shape, { ...shape, ...former, parentId }, accepted, isFirst || former !== undefined)
  }

  #takeTied(shape: TLShape, tied: TLShape, accepted: Map<string, TLRecord>, isDue: boolean): void {
    accepted.set(tied.id, tied)
    if (isDue && tied !== shape) this.#due.add(tied.id)
    if (!isPageId(tied.parentId) || this.#isOnBoard(tied.parentId)) return
    if (isDue) this.#due.add(tied.parentId)
    if (!this.#store.has(tied.parentId)) this.#takePage(tied.parentId, accepted)
  }

  /** On the nearest that is left of what it lay in. */
  #outOfMissing(shape: TLShape, accepted: ReadonlyMap<string, TLRecord>): TLShape {
    let { x, y, rotation, parentId }: Place = shape
    const left = new Set<string>()
    while (!this.#isOnBoard(parentId) && !left.has(parentId)) {
      const parent = this.#whereabouts.lastOf(parentId)
      if (parent?.typeName !== 'shape') break
      left.add(parentId)
      ;({ x, y } = outOf(parent, { x, y }))
      rotation += parent.rotation
      parentId = parent.parentId
    }
    const isHome = isPageId(parentId) || (this.#isOnBoard(parentId) && !this.#liesIn(parentId, shape.id))
    if (!isHome) parentId = this.#usualPage(accepted)
    return { ...shape, x, y, rotation, parentId }
  }

  #usualPage(accepted: ReadonlyMap<string, TLRecord>): TLPageId {
    return usualPage(this.#pagesWith(accepted).filter(page => this.#isOnBoard(page.id))) as TLPageId
  }

  #takePage(id: TLPageId, accepted: Map<string, TLRecord>): void {
    if (accepted.has(id)) return
    const known = this.#whereabouts.lastOf(id)
    accepted.set(id, known?.typeName === 'page' ? known : this.#newPage(id, accepted))
  }

  #newPage(id: TLPageId, accepted: ReadonlyMap<string, TLRecord>): TLPage {
    // As tldraw and the server make it.
    if (id === firstPageId) return PageRecordType.create({ id, name: 'Page 1', index: 'a1' as IndexKey })
    const index = getIndexAbove(highest(this.#pagesWith(accepted)))
    return PageRecordType.create({ id, name: 'Page', index })
  }

  #pagesWith(accepted: ReadonlyMap<string, TLRecord>): TLPage[] {
    const coming = [...accepted.values()].filter(record => record.typeName === 'page')
    return [...coming, ...this.#pages.get()]
  }

  #writeOne(id: string, tops: Tops): boolean {
    const shown = this.#store.get(id as TLRecord['id'])
    const stored = readRecord(id, recordsOf(this.#doc).get(id))
    if (isPageId(id)) return !stored && shown !== undefined && this.#writePage(plain(shown))
    if (!stored) return false
    if (stored.typeName === 'binding') return !shown && this.#writeLoosened(stored as unknown as TLBinding)
    return this.#isLoose(id) && shown?.typeName === 'shape' && this.#writePlace(stored, shown, tops)
  }

  #writePage(page: PlainRecord): boolean {
    if (this.#whereabouts.children.of(page.id).size === 0) return false
    putRecord(this.#doc, page)
    return true
  }

  /** Above all that lies there: what nobody sees is as good as lost. */
  #writePlace(stored: PlainRecord, { x, y, rotation, parentId }: TLShape, tops: Tops): boolean {
    const index = getIndexAbove(tops.get(parentId) ?? highest(this.#whereabouts.childrenOf(parentId)))
    tops.set(parentId, index)
    return changeRecord(this.#doc, stored, { ...stored, x, y, rotation, parentId, index })
  }

  /** tldraw has let the arrow go where it pointed to; that it was a peer's edit which made it do so, nobody else knows. */
  #writeLoosened({ id, fromId, toId }: TLBinding): boolean {
    if (this.#isOnBoard(fromId) && this.#isOnBoard(toId)) return false
    removeRecord(this.#doc, id)
    const arrow = this.#store.get(fromId)
    const stored = readRecord(fromId, recordsOf(this.#doc).get(fromId))
    if (arrow?.type !== 'arrow' || !stored) return true
    const { start, end, bend } = arrow.props
    changeRecord(this.#doc, stored, { ...stored, props: { ...(stored.props as object), start, end, bend } })
    return true
  }

  #isOnBoard(id: unknown): boolean {
    return recordsOf(this.#doc).has(String(id))
  }

  #isLoose(id: string): boolean {
    return this.#liesInNothing(id) || ringWith(this.#doc, id)?.least === id
  }

  #liesInNothing(id: string): boolean {
    const parent = isShapeId(id) ? readParentAndIndex(recordsOf(this.#doc).get(id))?.parentId : undefined
    return parent !== undefined && !this.#isOnBoard(parent)
  }

  /** Also by way of what is gone: what hangs on that is shown where it was. */
  #liesIn(id: TLParentId, outer: TLShapeId): boolean {
    const passed = new Set<unknown>()
    for (let parent: unknown = id; isShapeId(parent as string) && !passed.has(parent); ) {
      if (parent === outer) return true
      passed.add(parent)
      const stored = readParentAndIndex(recordsOf(this.#doc).get(String(parent)))
      parent = (stored ?? (this.#whereabouts.lastOf(parent as TLShapeId) as Place | undefined))?.parentId
    }
    return false
  }
}

const highest = (records: readonly { index: IndexKey }[]): IndexKey | undefined =>
  records
    .map(({ index }) => index)
    .sort()
    .at(-1)
