/** What of a board stands in a tldraw file: the records that tldraw accepts and can reach, and the schema they are of. */
import type * as Y from 'yjs'
import { BoardRecords } from './board-records.ts'
import { ancestorsOf, firstDocument, firstPage, isShapeId } from './board-tree.ts'
import { hazardOf } from './record-hazard.ts'
import type { PlainRecord } from './record-layout.ts'
import { isOfBoard, recordFault } from './tldraw-schema.ts'

/**
 * Sorted by id. Without what other programs left here that tldraw would reject, what lies in that, and bindings of either;
 * with the document and the page that every file has.
 */
export function recordsForFile(doc: Y.Doc): PlainRecord[] {
  const records = new BoardRecords(doc)
  const found = new Map<string, PlainRecord>()
  const parentOf = (id: string) => records.record(id)?.parentId
  for (const id of [...records.ids()].sort()) {
    const record = records.record(id)
    if (record && isOfBoard(record) && !recordFault(record) && !hazardOf(record, parentOf)) found.set(id, record)
  }
  for (const [id, record] of found) if (isShapeId(id) && !isReachable(record)) found.delete(id)
  for (const [id, { typeName, fromId, toId }] of found) {
    if (typeName === 'binding' && !(found.has(String(fromId)) && found.has(String(toId)))) found.delete(id)
  }
  if (!found.has(firstDocument.id)) found.set(firstDocument.id, firstDocument)
  if (![...found.values()].some(({ typeName }) => typeName === 'page')) found.set(firstPage.id, firstPage)
  return [...found.values()]

  function isReachable(shape: PlainRecord): boolean {
    const { shapes, page } = ancestorsOf(records, shape)
    return page !== undefined && found.has(page) && [...shapes].every(id => found.has(id))
  }
}
