/**
 * How a tldraw record lives in a board's Y.Doc: the one place that reads and writes the layout, for server and page alike.
 *
 *   doc.getMap('tldraw')   record id → value                doc.getMap('meta')   'layout', 'schema'
 *
 *   value, layout `fields`:   Y.Map { base:  the record as created, plain JSON
 *                                     place: [x, y, rotation, parentId, index]    (shapes; once one of them changed)
 *                                     'props.<name>' | '<field>': each other field changed since }
 *   value, layout `records`:  the whole record as a plain object (boards that other programs began)
 *
 * A record reads as `base`, overlaid by the fields, overlaid by `place`. Two people who change different fields of one
 * shape both keep their change; the five of `place` change together, so of two simultaneous moves one wins whole, never
 * a mixture of two coordinate systems. A field holding `undefined` was removed.
 */
import * as Y from 'yjs'
import { changedFields, isPlainObject, type PlainRecord, parentAndIndexOf, withFields } from './record-fields.ts'

export type { PlainRecord } from './record-fields.ts'

export interface ParentAndIndex {
  parentId: unknown
  index: unknown
}

export type Layout = 'fields' | 'records'

export const recordsOf = (doc: Y.Doc): Y.Map<unknown> => doc.getMap('tldraw')
export const metaOf = (doc: Y.Doc): Y.Map<unknown> => doc.getMap('meta')

/**
 * The record stored under `id`, or undefined where the value is no record of either layout (foreign content is stored
 * and relayed, never shown). The result is a fresh object; what it holds is shared with the document: don't change it.
 */
export function readRecord(id: string, value: unknown): PlainRecord | undefined {
  if (!(value instanceof Y.Map)) return isRecord(id, value) ? value : undefined
  const base: unknown = value.get('base')
  if (!isRecord(id, base)) return undefined
  return withFields(base, fieldsIn(value))
}

/** Every readable record of the document, by id. */
export function readRecords(doc: Y.Doc): Map<string, PlainRecord> {
  const found = new Map<string, PlainRecord>()
  for (const [id, value] of recordsOf(doc).entries()) {
    const record = readRecord(id, value)
    if (record) found.set(id, record)
  }
  return found
}

/** The parent and index of a stored shape, without building its record: ten times faster, for who looks at every shape. */
export function readParentAndIndex(value: unknown): ParentAndIndex | undefined {
  const place: unknown = value instanceof Y.Map ? value.get('place') : undefined
  if (Array.isArray(place)) return parentAndIndexOf(place)
  const record: unknown = value instanceof Y.Map ? value.get('base') : value
  return isPlainObject(record) ? { parentId: record.parentId, index: record.index } : undefined
}

/** The ids of the records that an event says were changed: one of those that `recordsOf` tells who observes it deeply. */
export function changedIn(event: Y.YEvent<Y.AbstractType<unknown>>): Iterable<string> {
  const [id] = event.path
  if (typeof id === 'string') return [id]
  return event instanceof Y.YMapEvent ? event.keysChanged : []
}

/** The layout this board's new records take: as `meta` says, else as its first shape does, else ours. */
export function layoutOf(doc: Y.Doc): Layout {
  const written = metaOf(doc).get('layout')
  if (written === 'fields' || written === 'records') return written
  for (const [id, value] of recordsOf(doc).entries()) {
    if (id.startsWith('shape:')) return value instanceof Y.Map ? 'fields' : 'records'
  }
  return 'fields'
}

/** Puts a new record on the board (or replaces one whole). Call inside a transaction. */
export function putRecord(doc: Y.Doc, record: PlainRecord): void {
  const layout = layoutOf(doc)
  if (metaOf(doc).get('layout') !== layout) metaOf(doc).set('layout', layout)
  recordsOf(doc).set(record.id, layout === 'fields' ? new Y.Map([['base', record]]) : record)
}

/**
 * Writes what differs between `before` and `after`, field by field, and nothing else: what somebody else changed in the
 * meantime in other fields stays theirs. `after` may be partial only in the sense of `before`: both are whole records.
 * A record that is gone is left gone. Call inside a transaction. Returns whether anything was written.
 */
export function changeRecord(doc: Y.Doc, before: PlainRecord, after: PlainRecord): boolean {
  const value = recordsOf(doc).get(after.id)
  if (value === undefined) return false
  const changes = changedFields(before, after)
  if (changes.size === 0) return false
  if (value instanceof Y.Map) {
    for (const [path, field] of changes) value.set(path, field)
    return true
  }
  const current = readRecord(after.id, value)
  if (!current) return false
  recordsOf(doc).set(after.id, withFields(current, changes))
  return true
}

export function removeRecord(doc: Y.Doc, id: string): void {
  recordsOf(doc).delete(id)
}

function* fieldsIn(value: Y.Map<unknown>): Iterable<[string, unknown]> {
  // Not by its entries: `base` may lie packed, and would be read a second time only to be left out.
  for (const name of value.keys()) if (name !== 'base') yield [name, value.get(name)]
}

function isRecord(id: string, value: unknown): value is PlainRecord {
  return isPlainObject(value) && value.id === id && typeof value.typeName === 'string'
}
