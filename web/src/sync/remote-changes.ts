/** The way from the document to the store: what peers changed, record by record, each checked before it gets in. */
import { isPageId, type TLRecord, type TLStore } from '@tldraw/tlschema'
import type * as Y from 'yjs'
import { hazardOf } from '../../../core/doc/record-hazard.ts'
import { type PlainRecord, readRecord, recordsOf } from '../../../core/doc/record-layout.ts'
import { editedShape, withOwnText } from './edited-text.ts'
import { LooseEnds } from './loose-ends.ts'
import type { PeerFields } from './own-undo.ts'
import { plain, unplain } from './plain.ts'
import { type Rings, ringsAmong } from './rings.ts'
import { migrated } from './schema-version.ts'

/** What a record comes with. */
interface Around {
  others: ReadonlyMap<string, PlainRecord>
  gone: ReadonlySet<string>
  rings: Rings
}

export class RemoteChanges {
  readonly #store: TLStore
  readonly #doc: Y.Doc
  readonly #peerFields: PeerFields
  /** Ids of records that stay in the document and out of the store. */
  readonly setAside = new Set<string>()
  /** Of these the text waits, while this user writes it. */
  readonly #heldText = new Set<string>()
  readonly #looseEnds: LooseEnds

  constructor(store: TLStore, doc: Y.Doc, peerFields: PeerFields) {
    this.#store = store
    this.#doc = doc
    this.#peerFields = peerFields
    this.#looseEnds = new LooseEnds(store, doc)
  }

  /** Brings the whole board to a store that has nothing of it. */
  load(): void {
    this.merge(recordsOf(this.#doc).keys(), true)
  }

  /** These records and those that a merge of these changes too. */
  affectedBy(ids: Iterable<string>): Set<string> {
    return this.#looseEnds.affectedBy(ids)
  }

  /** Brings these records of the store to the document's state. A record that cannot be shown stays as it is. */
  merge(ids: Iterable<string>, isFirst = false): void {
    const records = recordsOf(this.#doc)
    const read = new Map<string, PlainRecord>()
    const gone = new Set<TLRecord['id']>()
    const affected = isFirst ? new Set(ids) : this.affectedBy(ids)
    if (affected.size === 0) return
    for (const id of affected) {
      const value = records.get(id)
      const record = value === undefined ? undefined : readRecord(id, value)
      if (record) read.set(id, record)
      else if (value !== undefined) this.#putAside(id, 'it is no record')
      else if (this.#store.has(id as TLRecord['id'])) gone.add(id as TLRecord['id'])
    }
    const accepted = new Map<string, TLRecord>()
    const current = migrated(read, this.#doc, this.#store.schema)
    const rings = ringsAmong(this.#doc, affected)
    for (const record of current.values()) {
      const valid = this.#accept(record, { others: current, gone, rings })
      if (valid) accepted.set(valid.id, this.#withoutHeldText(valid))
    }
    this.#looseEnds.tie({ accepted, gone, rings, isFirst })
    if (accepted.size > 0 || gone.size > 0) this.#put([...accepted.values()], [...gone])
  }

  /** Brings to the store what edits of this user's own have to be shown otherwise: a peer may know better what is there. */
  mergeShifted(ids: ReadonlySet<string>): void {
    this.merge(this.#looseEnds.shiftedBy(ids))
  }

  /** Writes into the document what is shown otherwise than it says. For pages that have drawn on the board. */
  writeLooseEnds(origin: unknown): void {
    this.merge(this.putLooseEnds(origin))
  }

  /** The same, for a page that is about to write: its edits mean the board as it is shown. @returns what is to be merged */
  putLooseEnds(origin: unknown): string[] {
    return this.#looseEnds.write(origin)
  }

  stop(): void {
    this.#looseEnds.stop()
  }

  /** Called when this user has turned to another text. */
  mergeHeldText(): void {
    const ids = [...this.#heldText]
    this.#heldText.clear()
    if (ids.length > 0) this.merge(ids)
  }

  #withoutHeldText(record: TLRecord): TLRecord {
    const known = this.#store.get(record.id)
    if (record.id !== editedShape(this.#store) || record.typeName !== 'shape' || known?.typeName !== 'shape')
      return record
    this.#heldText.add(record.id)
    return withOwnText(known, record)
  }

  #accept(record: PlainRecord, { others, gone, rings }: Around): TLRecord | undefined {
    if (!this.#isShared(record)) return undefined
    const known = this.#store.get(record.id as TLRecord['id'])
    try {
      const phase = known ? 'updateRecord' : 'createRecord'
      const valid = this.#store.schema.validateRecord(this.#store, unplain(record), phase, known ?? null)
      const parentOf = (id: string): unknown => {
        if (rings.has(id)) return undefined
        const shape = others.get(id) ?? (gone.has(id) ? undefined : this.#store.get(id as TLRecord['id']))
        return (shape as PlainRecord | undefined)?.parentId
      }
      const shown = plain(valid)
      const hazard = hazardOf(rings.has(record.id) ? { ...shown, parentId: undefined } : shown, parentOf)
      if (hazard) return this.#putAside(record.id, hazard)
      this.setAside.delete(record.id)
      return valid
    } catch (error) {
      return this.#putAside(record.id, error)
    }
  }

  /** Camera, pointer, selection and the like are each user's own; what others wrote of them is none of ours. */
  #isShared(record: PlainRecord): boolean {
    const { document, session, presence } = this.#store.scopedTypes
    const typeName = record.typeName as TLRecord['typeName']
    if (!document.has(typeName) && !session.has(typeName) && !presence.has(typeName)) {
      this.#putAside(record.id, `tldraw knows no ${record.typeName}`)
    }
    return document.has(typeName)
  }

  #put(accepted: TLRecord[], gone: TLRecord['id'][]): void {
    for (const record of accepted) {
      const known = this.#store.get(record.id)
      if (known) this.#peerFields.peerChanged(plain(known), plain(record))
      else this.#peerFields.peerAdded(record.id)
    }
    try {
      this.#store.mergeRemoteChanges(() => {
        this.#store.put(accepted)
        this.#store.remove(gone.filter(id => !isPageId(id)))
      })
      const idle = this.#looseEnds.idlePages(new Set(gone))
      if (idle.length > 0) this.#store.mergeRemoteChanges(() => this.#store.remove(idle))
      for (const id of gone) if (!this.#store.has(id)) this.#peerFields.peerDeleted(id)
    } catch (error) {
      if (accepted.length + gone.length <= 1) {
        for (const id of [...accepted.map(record => record.id), ...gone]) this.#putAside(id, error)
        return
      }
      // One of them upset tldraw, and the whole merge was rolled back: find it, and let the others in.
      for (const record of accepted) this.#put([record], [])
      for (const id of gone) this.#put([], [id])
    }
  }

  #putAside(id: string, reason: unknown): undefined {
    if (!this.setAside.has(id)) console.warn(`boardsync: set aside ${id}:`, reason)
    this.setAside.add(id)
    return undefined
  }
}
