/**
 * The fields of a record as the record layout cuts them: `place` (five that change together), `props.<name>`, the rest.
 * For every tldraw record, in memory only; how they lie in the Y.Doc is `record-layout.ts`.
 */
import { equalityDeep } from 'lib0/function'

/** A tldraw record as plain JSON. Whether tldraw would accept it is for `@tldraw/tlschema` to say. */
export interface PlainRecord {
  id: string
  typeName: string
  [field: string]: unknown
}

/** Path → value. A field that a record doesn't have is missing here; among changes, `undefined` is one that went away. */
export type Fields = Map<string, unknown>

const placeFields = ['x', 'y', 'rotation', 'parentId', 'index'] as const
const placeFieldNames: ReadonlySet<string> = new Set(placeFields)
/** Keys that would reach an object's prototype; no record of ours has them, so a foreign one is read without them. */
const poisonedKeys: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

export function fieldsOf(record: PlainRecord): Fields {
  const fields: Fields = new Map()
  const hasPlace = record.typeName === 'shape'
  if (hasPlace) fields.set('place', placeOf(record))
  for (const [name, value] of Object.entries(record)) {
    if (name === 'id' || (hasPlace && placeFieldNames.has(name))) continue
    if (name === 'props' && isPlainObject(value)) {
      for (const [prop, held] of Object.entries(value)) fields.set(`props.${prop}`, held)
    } else {
      fields.set(name, value)
    }
  }
  return fields
}

/** What turns `before` into `after`, two whole records. */
export function changedFields(before: PlainRecord, after: PlainRecord): Fields {
  const [old, fresh] = [fieldsOf(before), fieldsOf(after)]
  const changed: Fields = new Map()
  for (const path of new Set([...old.keys(), ...fresh.keys()])) {
    if (!equalityDeep(old.get(path), fresh.get(path))) changed.set(path, fresh.get(path))
  }
  return changed
}

/** A copy of the record with these fields laid over it, `place` last. */
export function withFields(record: PlainRecord, fields: Iterable<[string, unknown]>): PlainRecord {
  const copy: PlainRecord = { ...record }
  const props: Record<string, unknown> = { ...(isPlainObject(record.props) ? record.props : {}) }
  if (isPlainObject(record.props)) copy.props = props
  let place: unknown
  for (const [path, value] of fields) {
    if (path === 'id') continue
    if (path === 'place') place = value
    else if (path.startsWith('props.')) setOrRemove(props, path.slice('props.'.length), value)
    else setOrRemove(copy, path, value)
  }
  if (Array.isArray(place)) {
    for (const [position, name] of placeFields.entries()) copy[name] = place[position]
  }
  return copy
}

/** Where the record hangs, read from the value of a `place` field. */
export function parentAndIndexOf(place: readonly unknown[]): { parentId: unknown; index: unknown } {
  return { parentId: place[3], index: place[4] }
}

export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

const placeOf = (record: PlainRecord): unknown[] => placeFields.map(name => record[name])

function setOrRemove(target: Record<string, unknown>, name: string, value: unknown): void {
  if (poisonedKeys.has(name)) return
  if (value === undefined) delete target[name]
  else target[name] = value
}
