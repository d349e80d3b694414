/**
 * Undo that takes back only what this user did.
 *
 * tldraw's undo writes whole records back as they were, and with them fields that somebody else has changed since, and
 * records that somebody else has deleted since. Here every such diff is cut down, on its way into the store, to the
 * fields whose last writer is not a peer.
 */
import type { RecordsDiff } from '@tldraw/store'
import type { TLRecord, TLStore } from '@tldraw/tlschema'
import { isEqual } from '@tldraw/utils'
import { changedFields, fieldsOf, type PlainRecord, withFields } from '../../../core/doc/record-fields.ts'
import { plain, unplain } from './plain.ts'

/** The fields that peers wrote and this user has not overwritten since, with the value they left. */
export class PeerFields {
  private readonly byRecord = new Map<string, Map<string, unknown>>()

  peerChanged(before: PlainRecord, after: PlainRecord): void {
    const changed = changedFields(before, after)
    if (changed.size === 0) return
    const known = this.byRecord.get(after.id)
    if (!known) this.byRecord.set(after.id, changed)
    else for (const [path, value] of changed) known.set(path, value)
  }

  userChanged(before: PlainRecord, after: PlainRecord): void {
    const known = this.byRecord.get(after.id)
    if (known) for (const path of changedFields(before, after).keys()) known.delete(path)
  }

  forget(id: string): void {
    this.byRecord.delete(id)
  }

  of(id: string): ReadonlyMap<string, unknown> | undefined {
    return this.byRecord.get(id)
  }
}

/** Makes the store's undo and redo respect what peers wrote. Returns the way back. */
export function keepUndoOwn(store: TLStore, peerFields: PeerFields): () => void {
  const applyDiff = store.applyDiff
  store.applyDiff = (diff, options) => applyDiff.call(store, ownPart(store, peerFields, diff), options)
  return () => {
    store.applyDiff = applyDiff
  }
}

function ownPart(store: TLStore, peerFields: PeerFields, diff: RecordsDiff<TLRecord>): RecordsDiff<TLRecord> {
  const added = filter(diff.added, record => !isShared(store, record) || !store.has(record.id))
  const updated: Record<string, [TLRecord, TLRecord]> = {}
  for (const [id, [from, to]] of Object.entries(diff.updated)) {
    const own = isShared(store, to) ? ownUpdate(store.get(to.id), from, to, peerFields) : to
    if (own) updated[id] = [from, own]
  }
  return { added, updated, removed: diff.removed }
}

/** The record that the update leaves, or undefined where a peer has deleted it. */
function ownUpdate(
  current: TLRecord | undefined,
  from: TLRecord,
  to: TLRecord,
  peerFields: PeerFields,
): TLRecord | undefined {
  if (!current) return undefined
  const theirs = peerFields.of(current.id)
  if (!theirs || theirs.size === 0) return to
  const now = fieldsOf(plain(current))
  const changes = changedFields(plain(from), plain(to))
  for (const path of changes.keys()) {
    if (theirs.has(path) && isEqual(theirs.get(path), now.get(path))) changes.delete(path)
  }
  return unplain(withFields(plain(current), changes))
}

const isShared = (store: TLStore, record: TLRecord): boolean => store.scopedTypes.document.has(record.typeName)

function filter<T>(entries: Record<string, T>, keep: (value: T) => boolean): Record<string, T> {
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => keep(value)))
}
