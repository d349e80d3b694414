/** The items of a board: what its document holds, read as items, and changes to them decided and applied. */
import type * as Y from 'yjs'
import type { ChangeOutcome, ItemChange, Rejection } from '../contract/change.ts'
import type { FieldError } from '../contract/field-error.ts'
import type { Item } from '../contract/item.ts'
import {
  ancestorsOf,
  familyOf,
  findFrame,
  indexAboveSiblings,
  isShapeId,
  itemIdOf,
  pageForNewShapes,
  plantBoard,
  recordAt,
  shapeIdOf,
} from './board-tree.ts'
import { ifMatchHolds } from './item-etag.ts'
import { creatableForms } from './item-forms.ts'
import { type Berth, changedRecord, type ItemWords, mergePatch, newRecord } from './item-to-record.ts'
import { changeRecord, type PlainRecord, putRecord, recordsOf, removeRecord } from './record-layout.ts'
import { type ItemShape, readShape, relatedRecords } from './record-to-item.ts'
import { recordFault } from './tldraw-schema.ts'

type Change<Action extends ItemChange['action']> = Extract<ItemChange, { action: Action }>
type Rejected = Extract<ChangeOutcome, { status: 'rejected' }>

/**
 * Decides a change and applies it, in one Yjs transaction with this origin. Here and nowhere else is decided whether an
 * item exists, is still what the agent saw, and would be something tldraw accepts. A rejected change writes nothing.
 */
export function applyChange(doc: Y.Doc, change: ItemChange, origin?: unknown): ChangeOutcome {
  return doc.transact(() => {
    switch (change.action) {
      case 'create':
        return create(doc, change)
      case 'update':
        return update(doc, change)
      case 'delete':
        return remove(doc, change)
      default:
        return change satisfies never
    }
  }, origin)
}

/** The item with this id, a person's shape included; undefined where there is none or tldraw would reject its record. */
export function readItem(doc: Y.Doc, id: string): Item | undefined {
  return shapeAt(doc, id)?.item
}

/** Every item of the board, sorted by id (compared with `<`). */
export function listItems(doc: Y.Doc): Item[] {
  return [...itemsAfter(doc, '')]
}

/** How many items the board has. Its shapes are counted as they are, unread: a big board takes no time. */
export function countItems(doc: Y.Doc): number {
  let count = 0
  for (const id of recordsOf(doc).keys()) if (isShapeId(id)) count += 1
  return count
}

/** The items behind this id, sorted by id. Each is read when it is asked for: a page of a big board costs little. */
export function* itemsAfter(doc: Y.Doc, after: string): Generator<Item> {
  const related = relatedRecords(doc)
  const ids = [...recordsOf(doc).keys()].filter(isShapeId).map(itemIdOf)
  for (const id of ids.filter(id => id > after).sort()) {
    const item = shapeAt(doc, id, related)?.item
    if (item) yield item
  }
}

function create(doc: Y.Doc, { item }: Change<'create'>): ChangeOutcome {
  if (recordsOf(doc).has(shapeIdOf(item.id))) {
    return rejected('item-exists', `this board already has something with the id "${item.id}"`)
  }
  const form = creatableForms[item.type]
  if (!form) return invalid([{ pointer: '/type', detail: `creating a ${item.type} is not supported yet` }])
  const page = pageForNewShapes(doc)
  const parent = item.parent === undefined ? page : findFrame(doc, item.parent)?.id
  if (parent === undefined) return noSuchFrame(item.parent)
  const result = newRecord(item, form, berthIn(doc, parent))
  if ('errors' in result) return invalid(result.errors)
  const { record } = result
  return accepted(doc, item.id, record, () => {
    plantBoard(doc, page)
    putRecord(doc, record)
  })
}

function update(doc: Y.Doc, { item: patch, if_match }: Change<'update'>): ChangeOutcome {
  const shape = existing(doc, patch.id, if_match)
  if ('status' in shape) return shape
  const { item, record } = shape
  if (patch.type !== undefined && patch.type !== item.type) {
    return invalid([{ pointer: '/type', detail: `this item is a ${item.type}; the type of an item does not change` }])
  }
  const after = mergePatch(item, patch)
  const berth = berthAfter(doc, shape, after)
  if (berth && 'status' in berth) return berth
  const result = changedRecord(shape, after, berth)
  if ('errors' in result) return invalid(result.errors)
  return accepted(doc, item.id, result.record, () => {
    if (berth) plantBoard(doc, berth.parentId)
    changeRecord(doc, record, result.record)
  })
}

function remove(doc: Y.Doc, { item: { id }, if_match }: Change<'delete'>): ChangeOutcome {
  const shape = existing(doc, id, if_match)
  if ('status' in shape) return shape
  for (const member of familyOf(doc, shape.record.id)) removeRecord(doc, member)
  return { status: 'applied' }
}

function existing(doc: Y.Doc, id: string, ifMatch: string | undefined): ItemShape | Rejected {
  const shape = shapeAt(doc, id)
  if (!shape) return rejected('item-missing', `this board has no item "${id}"`)
  if (ifMatch !== undefined && !ifMatchHolds(ifMatch, shape.item)) {
    return rejected('item-changed', `"${id}" is no longer what If-Match names; read it again`)
  }
  return shape
}

function shapeAt(doc: Y.Doc, id: string, related = relatedRecords(doc)): ItemShape | undefined {
  const record = recordAt(doc, shapeIdOf(id))
  return record && readShape(record, related)
}

/** The last look before the document is touched: one record that tldraw rejects blanks the board for everyone. */
function accepted(doc: Y.Doc, id: string, record: PlainRecord, write: () => void): ChangeOutcome {
  const fault = recordFault(record)
  if (fault) {
    const detail = `tldraw would reject the item's record at ${fault.pointer}: ${fault.detail}`
    return invalid([{ pointer: '', detail }])
  }
  write()
  const item = readItem(doc, id)
  return item ? { status: 'applied', item } : { status: 'applied' }
}

/** On top of all else in there. */
const berthIn = (doc: Y.Doc, parentId: string): Berth => ({ parentId, index: indexAboveSiblings(doc, parentId) })

/** Where the item goes when the patch gives it another parent, or none; undefined where it stays. */
function berthAfter(doc: Y.Doc, { item, record }: ItemShape, after: ItemWords): Berth | Rejected | undefined {
  if (after.parent === item.parent) return undefined
  if (after.parent === undefined) return berthIn(doc, ancestorsOf(doc, record).page ?? pageForNewShapes(doc))
  const frame = findFrame(doc, after.parent)
  if (!frame) return noSuchFrame(after.parent)
  // A shape inside itself passes tldraw's validators and hangs every tab that has the board open.
  if (frame.id === record.id || ancestorsOf(doc, frame).shapes.has(record.id)) {
    return invalid([{ pointer: '/parent', detail: 'an item cannot lie in itself' }])
  }
  return berthIn(doc, frame.id)
}

function noSuchFrame(id: string | undefined): Rejected {
  return invalid([{ pointer: '/parent', detail: `this board has no frame "${id}"` }])
}

function invalid(errors: FieldError[]): Rejected {
  const detail = errors.map(error => `${error.pointer} ${error.detail}`.trim()).join('; ')
  return rejected('item-invalid', detail, errors)
}

function rejected(reason: Rejection, detail: string, errors?: FieldError[]): Rejected {
  return { status: 'rejected', reason, detail, ...(errors && { errors }) }
}
