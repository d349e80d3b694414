/** Record → item: how a shape on the board reads as an item, whoever drew it. */
import { type Item, isReference } from '../contract/item.ts'
import type { BoardRecords } from './board-records.ts'
import { type Field, type Props, propsOf, type RelatedRecords, type Value } from './item-fields.ts'
import { formOf, type ItemForm } from './item-forms.ts'
import { isShapeId, itemIdOf, shapeIdOf } from './record-ids.ts'
import type { PlainRecord } from './record-layout.ts'
import { recordFault } from './tldraw-schema.ts'

/** A shape with what it takes to read and to change it as an item. */
export interface ItemShape {
  item: Item
  form: ItemForm
  record: PlainRecord
}

/** The item with this id and its shape. */
export function shapeAt(records: BoardRecords, id: string): ItemShape | undefined {
  const record = records.record(shapeIdOf(id))
  return record && readShape(record, records)
}

/** Whether the record reads as an item: a shape that tldraw accepts, under an id that a request can name. */
export const isItem = (record: PlainRecord): boolean => formIn(record) !== undefined

/**
 * The shape as an item; undefined where the record {@link isItem none}. A person's copy of an agent's shape carries the
 * original's `meta`, so only the shape that `meta.item_id` names is the agent's.
 */
export function readShape(record: PlainRecord, related: RelatedRecords): ItemShape | undefined {
  const found = formIn(record)
  if (!found) return undefined
  const { type, form } = found
  const meta = metaOf(record)
  const isAgents = meta.item_id === itemIdOf(record.id)
  const words = readFields(form.fields, record, related)
  const item: Item = {
    id: itemIdOf(record.id),
    type,
    x: Number(record.x),
    y: Number(record.y),
    ...words.size,
    rotation: Number(record.rotation),
    ...(isShapeId(record.parentId) && { parent: itemIdOf(record.parentId) }),
    content: words.content,
    style: words.style,
    ...(isAgents && typeof meta.created_by === 'string' && { created_by: meta.created_by }),
    ...(!isAgents && { record }),
  }
  return { item, form, record }
}

function formIn(record: PlainRecord): ReturnType<typeof formOf> {
  if (record.typeName !== 'shape' || !isReference(itemIdOf(record.id)) || recordFault(record)) return undefined
  return formOf(String(record.type), metaOf(record).item_type)
}

const metaOf = ({ meta }: PlainRecord): Props => (typeof meta === 'object' ? { ...meta } : {})

interface Words {
  size: Pick<Item, 'width' | 'height'>
  content: Item['content']
  style: Item['style']
}

/** The schema has accepted the record, so what is found under a field's name is of the field's kind. */
function readFields(fields: ItemForm['fields'], record: PlainRecord, related: RelatedRecords): Words {
  const props = propsOf(record)
  const size: Record<string, Value> = {}
  const content: Record<string, Value> = {}
  const style: Record<string, Value> = {}
  for (const [pointer, field] of Object.entries(fields) as [string, Field][]) {
    const value = field.read(props, record.id, related)
    if (value === undefined) continue
    const [, section = '', name] = pointer.split('/')
    if (name === undefined) size[section] = value
    else if (section === 'content') content[name] = value
    else style[name] = value
  }
  return { size, content, style } as Words
}
