/** The tree of a board: document, pages, frames and what lies in them; where a new shape goes and what goes with an old one. */
import { getIndexAbove, type IndexKey } from '@tldraw/utils'
import type * as Y from 'yjs'
import { metaOf, type PlainRecord, putRecord, readParentAndIndex, readRecord, recordsOf } from './record-layout.ts'
import { recordFault, serializedSchema } from './tldraw-schema.ts'

/** As tldraw's editor makes them for itself, so that it finds nothing to add. */
const firstDocument: PlainRecord = { id: 'document:document', typeName: 'document', gridSize: 10, name: '', meta: {} }
const firstPage: PlainRecord = { id: 'page:page', typeName: 'page', name: 'Page 1', index: 'a1', meta: {} }

export const shapeIdOf = (itemId: string): string => `shape:${itemId}`
export const itemIdOf = (shapeId: string): string => shapeId.replace(/^shape:/, '')
export const isShapeId = (id: unknown): id is string => typeof id === 'string' && id.startsWith('shape:')

export const recordAt = (doc: Y.Doc, id: string): PlainRecord | undefined => readRecord(id, recordsOf(doc).get(id))

/** The page that new shapes go to: the usual one, or on a board where other programs made the pages their first. */
export function pageForNewShapes(doc: Y.Doc): string {
  if (recordAt(doc, firstPage.id)) return firstPage.id
  let first: { id: string; index: string } | undefined
  for (const [id, value] of recordsOf(doc).entries()) {
    const page = id.startsWith('page:') ? readRecord(id, value) : undefined
    if (!page || recordFault(page)) continue
    const index = String(page.index)
    if (!first || index < first.index || (index === first.index && id < first.id)) first = { id, index }
  }
  return first?.id ?? firstPage.id
}

/**
 * Writes what a board has to have before its first shape on `pageId`, where it is missing: tldraw's schema, the document,
 * the page. Comes with the first shape and not before: a board nobody has written to is empty.
 */
export function plantBoard(doc: Y.Doc, pageId: string): void {
  if (!metaOf(doc).has('schema')) metaOf(doc).set('schema', serializedSchema)
  if (!recordAt(doc, firstDocument.id)) putRecord(doc, firstDocument)
  if (pageId === firstPage.id && !recordAt(doc, firstPage.id)) putRecord(doc, firstPage)
}

/** The index above every shape that lies in `parentId`. Indexes compare with `<`, never by locale. */
export function indexAboveSiblings(doc: Y.Doc, parentId: string): string {
  const indexes: string[] = []
  for (const [id, value] of recordsOf(doc).entries()) {
    const place = isShapeId(id) ? readParentAndIndex(value) : undefined
    if (place?.parentId === parentId && typeof place.index === 'string') indexes.push(place.index)
  }
  // Telling an index key from other text costs more than all the rest, and the highest is nearly always one.
  return (
    indexAbove(highest(indexes)) ?? indexAbove(highest(indexes.filter(index => indexAbove(index)))) ?? getIndexAbove()
  )
}

/** The frame with this item id, if tldraw would show it. */
export function findFrame(doc: Y.Doc, itemId: string): PlainRecord | undefined {
  const record = recordAt(doc, shapeIdOf(itemId))
  return record?.typeName === 'shape' && record.type === 'frame' && !recordFault(record) ? record : undefined
}

/** The shapes that a record lies in, from the inside out, and the page they are on (undefined where the chain is broken). */
export function ancestorsOf(doc: Y.Doc, record: PlainRecord): { shapes: Set<string>; page: string | undefined } {
  const shapes = new Set<string>()
  let parent = record.parentId
  while (isShapeId(parent) && !shapes.has(parent)) {
    shapes.add(parent)
    parent = recordAt(doc, parent)?.parentId
  }
  const page = typeof parent === 'string' ? recordAt(doc, parent) : undefined
  return { shapes, page: page?.typeName === 'page' ? page.id : undefined }
}

/** What goes when a shape goes, as in tldraw: itself, all that lies in it, and every binding from or to one of those. */
export function familyOf(doc: Y.Doc, shapeId: string): Set<string> {
  const children = new Map<unknown, string[]>()
  for (const [id, value] of recordsOf(doc).entries()) {
    if (!isShapeId(id)) continue
    const parentId = readParentAndIndex(value)?.parentId
    const siblings = children.get(parentId)
    if (siblings) siblings.push(id)
    else children.set(parentId, [id])
  }
  const family = new Set([shapeId])
  // A set may grow while it is walked and holds each member once, so a foreign cycle of parents ends here too.
  for (const member of family) for (const child of children.get(member) ?? []) family.add(child)
  for (const binding of bindingsOf(doc)) {
    if (family.has(String(binding.fromId)) || family.has(String(binding.toId))) family.add(binding.id)
  }
  return family
}

export function bindingsOf(doc: Y.Doc): PlainRecord[] {
  const found: PlainRecord[] = []
  for (const [id, value] of recordsOf(doc).entries()) {
    const record = id.startsWith('binding:') ? readRecord(id, value) : undefined
    if (record) found.push(record)
  }
  return found
}

function highest(indexes: readonly string[]): string | undefined {
  let top: string | undefined
  for (const index of indexes) if (top === undefined || index > top) top = index
  return top
}

/** Undefined where there is none: other programs may have written any text for an index. */
function indexAbove(index: string | undefined): string | undefined {
  if (index === undefined) return undefined
  try {
    return getIndexAbove(index as IndexKey)
  } catch {
    return undefined
  }
}
