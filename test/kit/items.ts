/** Documents with items on them, and what people draw beside those. */
import { expect } from 'vitest'
import * as Y from 'yjs'
import type { BoardChange, ChangeOutcome } from '../../core/contract/change.ts'
import type { Item, ItemPatch, NewItem } from '../../core/contract/item.ts'
import { deciding, readItem } from '../../core/doc/items.ts'
import { isShapeId, itemIdOf } from '../../core/doc/record-ids.ts'
import { type PlainRecord, readRecord, recordsOf } from '../../core/doc/record-layout.ts'
import { resultOf } from '../../core/doc/steps.ts'

/** In one transaction; a rejected change writes nothing. */
export function applyChange(doc: Y.Doc, change: BoardChange, origin?: unknown): ChangeOutcome {
  const { outcome, write } = resultOf(deciding(doc, change))
  doc.transact(write, origin)
  return outcome
}

/** Every item of the board, sorted by id. */
export function listItems(doc: Y.Doc): Item[] {
  const ids = [...recordsOf(doc).keys()].filter(isShapeId).map(itemIdOf)
  return ids.sort().flatMap(id => readItem(doc, id) ?? [])
}

export const create = (doc: Y.Doc, item: NewItem & { id: string }) => applyChange(doc, { action: 'create', item })
export const update = (doc: Y.Doc, item: ItemPatch & { id: string }, if_match = '*') =>
  applyChange(doc, { action: 'update', item, if_match })
export const remove = (doc: Y.Doc, id: string) => applyChange(doc, { action: 'delete', item: { id } })

export function boardWith(...items: (NewItem & { id: string })[]): Y.Doc {
  const doc = new Y.Doc()
  for (const item of items) expect(create(doc, item)).toMatchObject({ status: 'applied' })
  return doc
}

export function record(doc: Y.Doc, id: string): PlainRecord {
  const found = readRecord(id, recordsOf(doc).get(id))
  if (!found) throw new Error(`no record ${id}`)
  return found
}

export const idsOf = (doc: Y.Doc) => [...recordsOf(doc).keys()].sort()
export const stateOf = (doc: Y.Doc) => Y.encodeStateAsUpdate(doc)

/** What tldraw's page writes when a person draws. */
export const drawn = (id: string, type: string, props: object, rest: object = {}): PlainRecord => ({
  ...{ id: `shape:${id}`, typeName: 'shape', type, x: 10, y: 20, rotation: 0, index: 'a1', parentId: 'page:page' },
  ...{ isLocked: false, opacity: 1, props, meta: {}, ...rest },
})
const bold = { type: 'paragraph', content: [{ type: 'text', text: 'bold', marks: [{ type: 'bold' }] }] }
const richText = { type: 'doc', content: [bold] }
export const noteProps = {
  ...{ color: 'blue', labelColor: 'black', size: 'm', font: 'draw', fontSizeAdjustment: 1, align: 'middle-legacy' },
  ...{ verticalAlign: 'middle', growY: 30, url: '', richText, scale: 2, textLastEditedBy: null },
}
export const arrowProps = {
  ...{ kind: 'arc', labelColor: 'black', color: 'black', fill: 'none', dash: 'draw', size: 'm', bend: 0, scale: 1 },
  ...{ arrowheadStart: 'none', arrowheadEnd: 'arrow', font: 'draw', start: { x: 0, y: 0 }, end: { x: 9, y: 9 } },
  ...{ richText, labelPosition: 0.5, elbowMidPoint: 0.5 },
}
export const binding = (id: string, from: string, to: string, terminal: string): PlainRecord => ({
  ...{
    id: `binding:${id}`,
    typeName: 'binding',
    type: 'arrow',
    fromId: `shape:${from}`,
    toId: `shape:${to}`,
    meta: {},
  },
  props: { terminal, normalizedAnchor: { x: 0.5, y: 0.5 }, isExact: false, isPrecise: false, snap: 'none' },
})
export const page = (id: string, index: string): PlainRecord => ({ id, typeName: 'page', name: '', index, meta: {} })
