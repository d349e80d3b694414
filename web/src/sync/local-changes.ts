/** The way from the store to the document: what the user changed since the last flush, and how it is written. */
import type { RecordsDiff } from '@tldraw/store'
import type { TLRecord, TLStore } from '@tldraw/tlschema'
import type * as Y from 'yjs'
import { changeRecord, putRecord, readRecord, recordsOf, removeRecord } from '../../../core/doc/record-layout.ts'
import { firstPageId } from '../../../core/doc/usual-page.ts'
import { plain } from './plain.ts'
import { raiseSchema } from './schema-version.ts'

export interface LocalChange {
  /** As it was at the last flush; undefined: did not exist. */
  before: TLRecord | undefined
  /** As it is now; undefined: deleted. */
  after: TLRecord | undefined
}

/** Gathers the store's diffs: of many changes to one record only the first state and the last one count. */
export class LocalChanges {
  #changes = new Map<string, LocalChange>()

  gather(diff: RecordsDiff<TLRecord>): void {
    for (const record of Object.values(diff.added)) this.#note(record.id, undefined, record)
    for (const [from, to] of Object.values(diff.updated)) this.#note(to.id, from, to)
    for (const record of Object.values(diff.removed)) this.#note(record.id, record, undefined)
  }

  get hasSome(): boolean {
    return this.#changes.size > 0
  }

  /** @param mayWait which changes stay here */
  take(mayWait: (id: string, change: LocalChange) => boolean): Map<string, LocalChange> {
    const taken = this.#changes
    this.#changes = new Map()
    for (const [id, change] of taken) {
      if (!mayWait(id, change)) continue
      taken.delete(id)
      this.#changes.set(id, change)
    }
    return taken
  }

  #note(id: string, before: TLRecord | undefined, after: TLRecord | undefined): void {
    const known = this.#changes.get(id)
    if (known) known.after = after
    else this.#changes.set(id, { before, after })
  }
}

/**
 * Writes the changes into the document in one transaction. Opening a board makes tldraw create a document, a page and a
 * user record of its own accord, and a user who is called otherwise now has another record: those wait for the first real
 * edit, so that looking at a board never writes to it.
 *
 * @param beforeEdits writes what goes before them, if there are any
 */
export function writeChanges(
  store: TLStore,
  doc: Y.Doc,
  changes: Map<string, LocalChange>,
  origin: unknown,
  beforeEdits: () => void,
): void {
  const edits = editsAmong(doc, changes)
  if (edits.length === 0) return
  doc.transact(() => {
    raiseSchema(doc, store)
    putBoardRecords(store, doc, edits)
    renameEditor(store, doc)
    beforeEdits()
    for (const [id, { before, after }] of edits) {
      if (!after) removeRecord(doc, id)
      else if (!before) putRecord(doc, plain(after))
      else changeRecord(doc, plain(before), plain(after))
    }
  }, origin)
}

/** Which of them somebody means: the others tldraw makes by itself. */
export function editsAmong(doc: Y.Doc, changes: ReadonlyMap<string, LocalChange>): [string, LocalChange][] {
  return [...changes].filter(([id, change]) => isEdit(doc, id, change))
}

function isEdit(doc: Y.Doc, id: string, { before, after }: LocalChange): boolean {
  if ((after ?? before)?.typeName === 'user') return false
  if (recordsOf(doc).has(id)) return true
  if (!after) return false
  const isGiven = after.typeName === 'document' || after.id === firstPageId
  return !(isGiven && !before)
}

/**
 * What a board needs before its first edit makes sense: document, pages, and who edits. On a board with pages, one that is
 * missing was deleted by a peer, and comes back only under an edit that would hang on nothing without it.
 */
function putBoardRecords(store: TLStore, doc: Y.Doc, edits: [string, LocalChange][]): void {
  const records = recordsOf(doc)
  const editor = store.props.users.currentUser.get()?.id
  const missing = store.allRecords().filter(record => {
    const belongs = record.typeName === 'document' || record.typeName === 'page' || record.id === editor
    return belongs && !records.has(record.id)
  })
  if (missing.length === 0) return
  const needed = hasPage(doc) ? parentsOf(doc, edits) : undefined
  for (const record of missing) {
    if (record.typeName !== 'page' || !needed || needed.has(record.id)) putRecord(doc, plain(record))
  }
}

/** Who edits is written as they are called now. */
function renameEditor(store: TLStore, doc: Y.Doc): void {
  const id = store.props.users.currentUser.get()?.id
  const now = id && store.get(id)
  const written = id && readRecord(id, recordsOf(doc).get(id))
  if (now && written) changeRecord(doc, written, plain(now))
}

function hasPage(doc: Y.Doc): boolean {
  for (const id of recordsOf(doc).keys()) if (id.startsWith('page:')) return true
  return false
}

/** What the shapes lie in that these edits create or change. What is gone from the document is not written. */
function parentsOf(doc: Y.Doc, edits: [string, LocalChange][]): Set<string> {
  const parents = new Set<string>()
  for (const [id, { before, after }] of edits) {
    if (after?.typeName === 'shape' && (!before || recordsOf(doc).has(id))) parents.add(after.parentId)
  }
  return parents
}
