/**
 * Undo that takes back only what this user did.
 *
 * tldraw's undo writes whole records back as they were, and with them fields that somebody else has changed since, and
 * records that somebody else has deleted since. Here every such diff is cut down, on its way into the store:
 * - of a record that is there, to the fields whose last writer is not a peer;
 * - what a peer deleted stays deleted, and nothing comes back that would hang on it: no child without its frame, no
 *   arrow's end without its shape;
 * - nothing goes back into what a peer has put into it since: it stays where it is;
 * - a creation is not taken back while others' work lies in it: what they put inside, what they wrote in it;
 * - what undo took away comes back by redo as it was when it went, with what others had changed of it.
 */
import type { RecordsDiff } from '@tldraw/store'
import { CameraRecordType, type TLRecord, type TLShape, type TLStore } from '@tldraw/tlschema'
import { isEqual } from '@tldraw/utils'
import { changedFields, fieldsOf, type PlainRecord, withFields } from '../../../core/doc/record-fields.ts'
import { plainText } from '../../../core/doc/rich-text.ts'
import { plain, unplain } from './plain.ts'

/** The fields that peers wrote and this user has not overwritten since, with the value they left. */
export class PeerFields {
  readonly #byRecord = new Map<string, Map<string, unknown>>()
  readonly #deleted = new Set<string>()

  peerChanged(before: PlainRecord, after: PlainRecord): void {
    const changed = changedFields(before, after)
    if (changed.size === 0) return
    const known = this.#byRecord.get(after.id)
    if (!known) this.#byRecord.set(after.id, changed)
    else for (const [path, value] of changed) known.set(path, value)
  }

  userChanged(before: PlainRecord, after: PlainRecord): void {
    const known = this.#byRecord.get(after.id)
    if (known) for (const path of changedFields(before, after).keys()) known.delete(path)
  }

  peerAdded(id: string): void {
    this.#deleted.delete(id)
  }

  peerDeleted(id: string): void {
    this.#byRecord.delete(id)
    this.#deleted.add(id)
  }

  /** Whether a peer deleted it, and nobody has brought it back. */
  isDeleted(id: string): boolean {
    return this.#deleted.has(id)
  }

  of(id: string): ReadonlyMap<string, unknown> | undefined {
    return this.#byRecord.get(id)
  }
}

/** Makes the store's undo and redo respect what peers wrote. Returns the way back. */
export function keepUndoOwn(store: TLStore, peerFields: PeerFields): () => void {
  const applyDiff = store.applyDiff
  /** By the record as tldraw's history has it: undo and redo of one step hold the same one. */
  const taken = new WeakMap<TLRecord, TLRecord>()
  store.applyDiff = (diff, options) => {
    const added = mapValues(diff.added, record => taken.get(record) ?? record)
    const own = ownPart(store, peerFields, { ...diff, added })
    for (const record of Object.values(own.removed)) {
      const last = store.get(record.id)
      if (last && isShared(store, record)) taken.set(record, last)
    }
    applyDiff.call(store, own, options)
  }
  return () => {
    store.applyDiff = applyDiff
  }
}

function ownPart(store: TLStore, peerFields: PeerFields, diff: RecordsDiff<TLRecord>): RecordsDiff<TLRecord> {
  const free = filter(
    diff.added,
    record => !isShared(store, record) || !(store.has(record.id) || peerFields.isDeleted(record.id)),
  )
  const has = (id: string) => id in free || (store.has(id as TLRecord['id']) && !(id in diff.removed))
  const added = filter(free, record => !isDangling(record, has, id => free[id] ?? store.get(id as TLRecord['id'])))
  const updated: Record<string, [TLRecord, TLRecord]> = {}
  for (const [id, [from, to]] of Object.entries(diff.updated)) {
    const own = isShared(store, to) ? ownUpdate(store.get(to.id), from, to, peerFields, has) : to
    if (own) updated[id] = [from, own]
  }
  keepOutOfThemselves(store, updated)
  return { added, updated, removed: withoutOthersWork(store, peerFields, diff.removed) }
}

/** Whether what the record hangs on is gone: the frame it lies in, the shape an arrow is bound to. */
function isDangling(
  record: TLRecord,
  has: (id: string) => boolean,
  get: (id: string) => TLRecord | undefined,
): boolean {
  if (record.typeName === 'binding') {
    return [record.fromId, record.toId].some(id => {
      const end = get(id)
      return !end || !has(id) || isDangling(end, has, get)
    })
  }
  for (let shape: TLRecord | undefined = record; shape?.typeName === 'shape'; shape = get(shape.parentId)) {
    if (!has(shape.parentId)) return true
  }
  return false
}

/** Leaves those where they are of which the update would make that they lie in themselves. */
function keepOutOfThemselves(store: TLStore, updated: Record<string, [TLRecord, TLRecord]>): void {
  const after = (id: string) => updated[id]?.[1] ?? store.get(id as TLRecord['id'])
  const liesInItself = (shape: TLShape) => {
    const passed = new Set<string>()
    let outer = after(shape.parentId)
    for (; outer?.typeName === 'shape' && !passed.has(outer.id); outer = after(outer.parentId)) passed.add(outer.id)
    return passed.has(shape.id)
  }
  // Who stays may lie in what was looked at before: again from the beginning.
  for (let isNews = true; isNews; ) {
    isNews = false
    for (const [id, [from, to]] of Object.entries(updated)) {
      const now = store.get(to.id)
      if (to.typeName !== 'shape' || now?.typeName !== 'shape') continue
      if (to.parentId === now.parentId || !liesInItself(to)) continue
      const { x, y, rotation, parentId, index } = now
      updated[id] = [from, { ...to, x, y, rotation, parentId, index }]
      isNews = true
    }
  }
}

/** A frame or a page stays while shapes lie in it that don't go with it: somebody else put them there. */
function withoutOthersWork(
  store: TLStore,
  peerFields: PeerFields,
  given: Record<string, TLRecord>,
): Record<string, TLRecord> {
  const mayHold = ({ typeName }: TLRecord) => typeName === 'shape' || typeName === 'page'
  if (!Object.values(given).some(mayHold)) return given
  const removed = filter(given, record => !holdsPeersText(store, peerFields, record))
  const needed = new Set<string>()
  for (const record of store.allRecords()) {
    if (record.id in removed) continue
    // Up to the page: what is kept for the sake of a shape needs its own parent.
    for (let shape: TLRecord | undefined = record; shape?.typeName === 'shape'; shape = removed[shape.parentId]) {
      needed.add(shape.parentId)
    }
  }
  return filter(removed, record => !needed.has(record.id) && !needed.has(pageSeenBy(record) ?? ''))
}

/** Whether a peer wrote in it what was not there when the step was made that now takes it away. */
function holdsPeersText(store: TLStore, peerFields: PeerFields, record: TLRecord): boolean {
  const current = store.get(record.id)
  const theirs = peerFields.of(record.id)
  if (!current || !theirs?.has(textField)) return false
  const text = fieldsOf(plain(current)).get(textField)
  const isNews = !isEqual(text, fieldsOf(plain(record)).get(textField))
  return isNews && isEqual(text, theirs.get(textField)) && plainText(text) !== ''
}

const textField = 'props.richText'

/** A page that stays keeps this user's camera and selection on it: tldraw cannot show it without. */
function pageSeenBy(record: TLRecord): string | undefined {
  if (record.typeName === 'camera') return CameraRecordType.parseId(record.id)
  return record.typeName === 'instance_page_state' ? record.pageId : undefined
}

/** The record that the update leaves, or undefined where a peer has deleted it. */
function ownUpdate(
  current: TLRecord | undefined,
  from: TLRecord,
  to: TLRecord,
  peerFields: PeerFields,
  has: (id: string) => boolean,
): TLRecord | undefined {
  if (!current) return undefined
  const theirs = peerFields.of(current.id)
  const losesParent = to.typeName === 'shape' && !has(to.parentId)
  if (!losesParent && (!theirs || theirs.size === 0)) return to
  const now = fieldsOf(plain(current))
  const changes = changedFields(plain(from), plain(to))
  for (const path of changes.keys()) {
    if (theirs?.has(path) && isEqual(theirs.get(path), now.get(path))) changes.delete(path)
  }
  if (losesParent) changes.delete('place')
  return unplain(withFields(plain(current), changes))
}

const isShared = (store: TLStore, record: TLRecord): boolean => store.scopedTypes.document.has(record.typeName)

function filter<T>(entries: Record<string, T>, keep: (value: T) => boolean): Record<string, T> {
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => keep(value)))
}

function mapValues<T>(entries: Record<string, T>, change: (value: T) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(entries).map(([key, value]) => [key, change(value)]))
}
