/** One change to one item, decided on a board's records: refused with a reason, or made there. */
import type { ChangeOutcome, ItemChange, Rejection } from '../contract/change.ts'
import type { FieldError } from '../contract/field-error.ts'
import type { BoardRecords } from './board-records.ts'
import { ancestorsOf, familyOf, findFrame, indexAboveSiblings, plantBoard } from './board-tree.ts'
import { ifMatchHolds } from './item-etag.ts'
import type { Value } from './item-fields.ts'
import { itemForms } from './item-forms.ts'
import {
  bind,
  boundEnds,
  commonParent,
  drawnBetween,
  missingAsset,
  namedEnds,
  strayEnds,
  unbind,
} from './item-relations.ts'
import { type Berth, changedRecord, type ItemWords, mergePatch, newRecord } from './item-to-record.ts'
import { deepestShape } from './record-hazard.ts'
import { shapeIdOf } from './record-ids.ts'
import type { PlainRecord } from './record-layout.ts'
import { type ItemShape, shapeAt } from './record-to-item.ts'
import type { Steps } from './steps.ts'
import { recordFault } from './tldraw-schema.ts'

type Change<Action extends ItemChange['action']> = Extract<ItemChange, { action: Action }>
type Rejected = Extract<ChangeOutcome, { status: 'rejected' }>

/** What is refused leaves the records as they were. */
export function* decideItemChange(records: BoardRecords, change: ItemChange): Steps<ChangeOutcome> {
  switch (change.action) {
    case 'create':
      return create(records, change)
    case 'update':
      return update(records, change)
    case 'delete':
      return yield* remove(records, change)
    default:
      return change satisfies never
  }
}

function create(records: BoardRecords, { item }: Change<'create'>): ChangeOutcome {
  const { content = {} } = item
  if (records.has(shapeIdOf(item.id))) {
    return rejected('item-exists', `this board already has something with the id "${item.id}"`)
  }
  const named = item.type === 'connector' ? namedEnds(records, content) : { ends: {}, errors: [] }
  const page = records.usualPage()
  const around = item.parent === undefined ? undefined : frameFor(records, item.parent)
  if (around && 'status' in around) return around
  const parent = around?.frame.id ?? commonParent(records, named.ends) ?? page
  const result = newRecord(item, itemForms[item.type], berthIn(records, parent))
  const errors = [...named.errors, ...('errors' in result ? result.errors : [])]
  if (errors.length > 0 || 'errors' in result) return invalid(errors)

  const record = drawnBetween(records, result.record, named.ends, item)
  const stray = strayEnds(records, record, named.ends)
  if (stray.length > 0) return invalid(stray)
  return accepted(records, item.id, record, content.url, () => {
    plantBoard(records, page)
    records.put(record)
    bind(records, record.id, named.ends)
  })
}

function update(records: BoardRecords, { item: patch, if_match }: Change<'update'>): ChangeOutcome {
  const shape = existing(records, patch.id, if_match)
  if ('status' in shape) return shape
  const { item, record: before } = shape
  if (patch.type !== undefined && patch.type !== item.type) {
    return invalid([{ pointer: '/type', detail: `this item is a ${item.type}; the type of an item does not change` }])
  }
  const after = mergePatch(item, patch)
  const berth = berthAfter(records, shape, after)
  if (berth && 'status' in berth) return berth
  const named =
    item.type === 'connector' ? namedEnds(records, after.content ?? {}, item.content) : { ends: {}, errors: [] }
  const result = changedRecord(shape, after, berth)
  const errors = [...named.errors, ...('errors' in result ? result.errors : [])]
  if (errors.length > 0 || 'errors' in result) return invalid(errors)

  const isUnplaced = item.type === 'connector' && (after.x === undefined || after.y === undefined)
  const ends = isUnplaced ? { ...boundEnds(records, before.id), ...named.ends } : {}
  const record = drawnBetween(records, result.record, ends, after)
  const stray = strayEnds(records, record, named.ends)
  if (stray.length > 0) return invalid(stray)
  return accepted(records, item.id, record, after.content?.url, () => {
    if (berth) plantBoard(records, berth.parentId)
    records.change(record)
    bind(records, record.id, named.ends)
  })
}

function* remove(records: BoardRecords, { item: { id }, if_match }: Change<'delete'>): Steps<ChangeOutcome> {
  const shape = existing(records, id, if_match)
  if ('status' in shape) return shape
  const family = familyOf(records, shape.record.id)
  yield* unbind(records, family)
  for (const member of family) {
    records.remove(member)
    yield
  }
  return { status: 'applied' }
}

function existing(records: BoardRecords, id: string, ifMatch: string | undefined): ItemShape | Rejected {
  const shape = shapeAt(records, id)
  if (!shape) return rejected('item-missing', `this board has no item "${id}"`)
  if (ifMatch !== undefined && !ifMatchHolds(ifMatch, shape.item)) {
    return rejected('item-changed', `"${id}" is no longer what If-Match names; read it again`)
  }
  return shape
}

/** The last look before the board is touched: one record that tldraw rejects blanks it for everyone. */
function accepted(
  records: BoardRecords,
  id: string,
  record: PlainRecord,
  url: Value | undefined,
  write: () => void,
): ChangeOutcome {
  const asset = record.type === 'image' ? missingAsset(records, record, url) : undefined
  const fault = recordFault(record) ?? (asset && recordFault(asset))
  if (fault) {
    const detail = `tldraw would reject the item's record at ${fault.pointer}: ${fault.detail}`
    return invalid([{ pointer: '', detail }])
  }
  if (asset) records.put(asset)
  write()
  const item = shapeAt(records, id)?.item
  return item ? { status: 'applied', item } : { status: 'applied' }
}

/** On top of all else in there. */
const berthIn = (records: BoardRecords, parentId: string): Berth => ({
  parentId,
  index: indexAboveSiblings(records, parentId),
})

/** Where the item goes when the patch gives it another parent, or none; undefined where it stays. */
function berthAfter(
  records: BoardRecords,
  { item, record }: ItemShape,
  after: ItemWords,
): Berth | Rejected | undefined {
  if (after.parent === item.parent) return undefined
  if (after.parent === undefined) {
    return berthIn(records, ancestorsOf(records, record).page ?? records.usualPage())
  }
  const around = frameFor(records, after.parent)
  if ('status' in around) return around
  const { frame, within } = around
  // A shape inside itself passes tldraw's validators and hangs every tab that has the board open.
  if (frame.id === record.id || within.has(record.id)) {
    return invalid([{ pointer: '/parent', detail: 'an item cannot lie in itself' }])
  }
  return berthIn(records, frame.id)
}

/** The frame with this item id, and what it lies in. */
function frameFor(records: BoardRecords, id: string): { frame: PlainRecord; within: ReadonlySet<string> } | Rejected {
  const frame = findFrame(records, id)
  if (!frame) return invalid([{ pointer: '/parent', detail: `this board has no frame "${id}"` }])
  const within = ancestorsOf(records, frame).shapes
  if (within.size <= deepestShape) return { frame, within }
  return invalid([{ pointer: '/parent', detail: 'this frame lies in so many others that nothing in it can be shown' }])
}

function invalid(errors: FieldError[]): Rejected {
  const detail = errors.map(error => `${error.pointer} ${error.detail}`.trim()).join('; ')
  return rejected('item-invalid', detail, errors)
}

function rejected(reason: Rejection, detail: string, errors?: FieldError[]): Rejected {
  return { status: 'rejected', reason, detail, ...(errors && { errors }) }
}
