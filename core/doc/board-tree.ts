/** The tree of a board: document, pages, frames and what lies in them; where a new shape goes and what goes with an old one. */
import type { BoardRecords } from './board-records.ts'
import { keyAbove, lowestKey } from './index-keys.ts'
import { deepestShape } from './record-hazard.ts'
import { isShapeId, shapeIdOf } from './record-ids.ts'
import type { PlainRecord } from './record-layout.ts'
import { recordFault } from './tldraw-schema.ts'
import { firstPageId } from './usual-page.ts'

/** As tldraw's editor makes them for itself, so that it finds nothing to add. */
export const firstDocument: PlainRecord = {
  id: 'document:document',
  typeName: 'document',
  gridSize: 10,
  name: '',
  meta: {},
}
export const firstPage: PlainRecord = { id: firstPageId, typeName: 'page', name: 'Page 1', index: 'a1', meta: {} }

/**
 * Writes what a board has to have before its first shape on `pageId`, where it is missing: tldraw's schema, the document,
 * the page. Comes with the first shape and not before: a board nobody has written to is empty.
 */
export function plantBoard(records: BoardRecords, pageId: string): void {
  records.needSchema()
  if (!records.record(firstDocument.id)) records.put(firstDocument)
  if (pageId === firstPage.id && !records.record(firstPage.id)) records.put(firstPage)
}

/** The index above every shape that lies in `parentId`. */
export function indexAboveSiblings(records: BoardRecords, parentId: string): string {
  return keyAbove(records.highestIndexIn(parentId)) ?? lowestKey()
}

/** The frame with this item id, if tldraw would show it. */
export function findFrame(records: BoardRecords, itemId: string): PlainRecord | undefined {
  const record = records.record(shapeIdOf(itemId))
  return record?.typeName === 'shape' && record.type === 'frame' && !recordFault(record) ? record : undefined
}

/**
 * The shapes that a record lies in, from the inside out, and the page they are on (undefined where the chain is broken, or
 * deeper than a canvas shows: no more of it is looked at).
 */
export function ancestorsOf(
  records: BoardRecords,
  record: PlainRecord,
): { shapes: Set<string>; page: string | undefined } {
  const shapes = new Set<string>()
  let parent = record.parentId
  while (isShapeId(parent) && !shapes.has(parent) && shapes.size <= deepestShape) {
    shapes.add(parent)
    parent = records.record(parent)?.parentId
  }
  const page = typeof parent === 'string' ? records.record(parent) : undefined
  return { shapes, page: page?.typeName === 'page' ? page.id : undefined }
}

/** What goes when a shape goes, as in tldraw: itself and all that lies in it. */
export function familyOf(records: BoardRecords, shapeId: string): Set<string> {
  const family = new Set([shapeId])
  // A set may grow while it is walked and holds each member once, so a foreign cycle of parents ends here too.
  for (const member of family) for (const child of records.childrenOf(member)) family.add(child)
  return family
}
