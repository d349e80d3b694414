/** Item → record: the tldraw shape that says what an item says, made new or changed where the item changed. */
import type { FieldError } from '../contract/field-error.ts'
import type { Item, ItemPatch, NewItem } from '../contract/item.ts'
import { type Field, type FieldPointer, type FieldSource, fieldValue, type Props, propsOf } from './item-fields.ts'
import type { ItemForm } from './item-forms.ts'
import { shapeIdOf } from './record-ids.ts'
import type { PlainRecord } from './record-layout.ts'
import type { ItemShape } from './record-to-item.ts'

/** What an item says once defaults may be left out: a new item, or an item with a patch merged in. */
export interface ItemWords extends FieldSource {
  x?: number
  y?: number
  rotation?: number
  parent?: string
  created_by?: string
}

/** A page or a frame, and the place among what lies in it. */
export interface Berth {
  parentId: string
  index: string
}

export type RecordResult = { record: PlainRecord } | { errors: FieldError[] }

/** These decide how much room the label needs. */
const labelFields: ReadonlySet<string> = new Set([
  '/width',
  '/height',
  '/content/text',
  '/content/title',
  '/style/size',
])

export function newRecord(item: NewItem & { id: string }, form: ItemForm, berth: Berth): RecordResult {
  const { props, errors } = writeFields(form, form.props, undefined, item)
  if (errors.length > 0) return { errors }
  const record: PlainRecord = {
    id: shapeIdOf(item.id),
    typeName: 'shape',
    type: form.shape,
    ...placeOf(item),
    ...berth,
    isLocked: false,
    opacity: 1,
    props,
    meta: {
      item_id: item.id,
      item_type: item.type,
      ...(item.created_by !== undefined && { created_by: item.created_by }),
    },
  }
  return { record }
}

/** The record with what differs between `shape.item` and `after` written into it, and the rest exactly as it was. */
export function changedRecord({ item, form, record }: ItemShape, after: ItemWords, berth?: Berth): RecordResult {
  const { props, errors } = writeFields(form, propsOf(record), item, after)
  if (errors.length > 0) return { errors }
  const changed: PlainRecord = { ...record, ...placeOf(after), ...berth, props }
  // Whom a person's shape was created by is not for agents to say.
  if (!item.record && item.created_by !== after.created_by) changed.meta = withCreator(record, after.created_by)
  return { record: changed }
}

/** A JSON merge patch (RFC 7396): absent keeps, null takes away, so that the default comes back. */
export function mergePatch(item: Item, patch: ItemPatch): ItemWords {
  const { id: _id, type: _type, content, style, ...top } = patch
  return {
    ...(merge(item, top) as ItemWords),
    content: content === null ? {} : (merge(item.content, content ?? {}) as Item['content']),
    style: style === null ? {} : (merge(item.style, style ?? {}) as Item['style']),
  }
}

function merge(target: object, patch: object): object {
  const entries = Object.entries({ ...target, ...patch })
  return Object.fromEntries(entries.filter(([, value]) => value !== null))
}

const placeOf = ({ x = 0, y = 0, rotation = 0 }: ItemWords) => ({ x, y, rotation })

/** Every field of the form when there is no `before`, else those that `after` has otherwise. */
function writeFields(
  form: ItemForm,
  base: Props,
  before: FieldSource | undefined,
  after: FieldSource,
): { props: Props; errors: FieldError[] } {
  let props = base
  let labelChanged = before === undefined
  const errors: FieldError[] = []
  for (const [pointer, field] of Object.entries(form.fields) as [FieldPointer, Field][]) {
    const value = fieldValue(after, pointer)
    if (before && value === fieldValue(before, pointer)) continue
    const refusal = field.refuse?.(value)
    if (refusal !== undefined) errors.push({ pointer, detail: refusal })
    else if (field.write) {
      props = { ...props, ...field.write(value, props) }
      labelChanged ||= labelFields.has(pointer)
    }
  }
  if (form.growth && labelChanged) props = { ...props, growY: form.growth(props) }
  return { props, errors }
}

function withCreator(record: PlainRecord, createdBy: string | undefined): Props {
  const { created_by: _before, ...meta } = { ...(record.meta as Record<string, unknown>) }
  return createdBy === undefined ? meta : { ...meta, created_by: createdBy }
}
