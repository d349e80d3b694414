/** The fields of a record as the record layout cuts them: `place` (five that change together), `props.<name>`, the rest. */
import { isEqual } from '@tldraw/utils'
import type { PlainRecord } from '../../../core/doc/record-layout.ts'

const placeFields = ['x', 'y', 'rotation', 'parentId', 'index'] as const
const placeFieldNames: ReadonlySet<string> = new Set(placeFields)

/** Path → value. A field that a record doesn't have is missing here. */
export type Fields = Map<string, unknown>

export function fieldsOf(record: PlainRecord): Fields {
  const fields: Fields = new Map()
  const isShape = record.typeName === 'shape'
  if (isShape) {
    fields.set(
      'place',
      placeFields.map(name => record[name]),
    )
  }
  for (const [name, value] of Object.entries(record)) {
    if (name === 'id' || name === 'typeName' || (isShape && placeFieldNames.has(name))) continue
    if (name !== 'props') fields.set(name, value)
    else for (const [prop, held] of Object.entries(value as object)) fields.set(`props.${prop}`, held)
  }
  return fields
}

/** What turns `before` into `after`; `undefined` stands for a field that went away. */
export function changedFields(before: PlainRecord, after: PlainRecord): Fields {
  const [old, fresh] = [fieldsOf(before), fieldsOf(after)]
  const changed: Fields = new Map()
  for (const path of new Set([...old.keys(), ...fresh.keys()])) {
    if (!isEqual(old.get(path), fresh.get(path))) changed.set(path, fresh.get(path))
  }
  return changed
}

/** A copy of the record with these fields laid over it. */
export function withFields(record: PlainRecord, fields: Fields): PlainRecord {
  const copy: PlainRecord = { ...record }
  const props: Record<string, unknown> = { ...(record.props as object | undefined) }
  for (const [path, value] of fields) {
    if (path === 'place')
      Object.assign(copy, Object.fromEntries(placeFields.map((name, at) => [name, (value as unknown[])[at]])))
    else if (path.startsWith('props.')) setOrRemove(props, path.slice('props.'.length), value)
    else setOrRemove(copy, path, value)
  }
  if (record.props !== undefined) copy.props = props
  return copy
}

function setOrRemove(target: Record<string, unknown>, name: string, value: unknown): void {
  if (value === undefined) delete target[name]
  else target[name] = value
}
