/** What of a board stands in a tldraw file: the records that tldraw accepts and can reach, and the schema they are of. */
import type * as Y from 'yjs'
import { eachInSlices } from '../base/slices.ts'
import { sortedInSlices } from '../base/sorted.ts'
import { BoardRecords } from './board-records.ts'
import { ancestorsOf, firstDocument, firstPage } from './board-tree.ts'
import { hazardOf } from './record-hazard.ts'
import { isShapeId } from './record-ids.ts'
import { type PlainRecord, recordsOf } from './record-layout.ts'
import { isOfBoard, recordFault } from './tldraw-schema.ts'

/**
 * Sorted by id, and read in slices; the document has to stay as it is meanwhile. Without what other programs left here that tldraw would reject, what lies in that, and bindings of either;
 * with the document and the page that every file has.
 */
export async function recordsForFile(doc: Y.Doc): Promise<PlainRecord[]> {
  const records = new BoardRecords(doc)
  const found = new Map<string, PlainRecord>()
  const parentOf = (id: string) => records.record(id)?.parentId
  await eachInSlices(await sortedInSlices([...recordsOf(doc).keys()]), id => {
    const record = records.record(id)
    if (record && isOfBoard(record) && !recordFault(record) && !hazardOf(record, parentOf)) found.set(id, record)
  })
  await eachInSlices(found, ([id, record]) => {
    if (isShapeId(id) && !isReachable(record)) found.delete(id)
  })
  await eachInSlices(found, ([id, { typeName, fromId, toId }]) => {
    if (typeName === 'binding' && !(found.has(String(fromId)) && found.has(String(toId)))) found.delete(id)
  })
  if (!found.has(firstDocument.id)) found.set(firstDocument.id, firstDocument)
  if (![...found.values()].some(({ typeName }) => typeName === 'page')) found.set(firstPage.id, firstPage)
  return [...found.values()]

  function isReachable(shape: PlainRecord): boolean {
    const { shapes, page } = ancestorsOf(records, shape)
    return page !== undefined && found.has(page) && [...shapes].every(id => found.has(id))
  }
}
