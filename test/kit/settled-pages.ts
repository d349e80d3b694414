/** Pages of one board after all have heard each other: what they have to agree on, and what nobody may be left with. */
import {
  PageRecordType,
  type TLPage,
  type TLPageId,
  type TLRecord,
  type TLShapeId,
  type TLStore,
} from '@tldraw/tlschema'
import type { IndexKey } from '@tldraw/utils'
import { expect } from 'vitest'
import * as Y from 'yjs'
import { type PlainRecord, putRecord, readRecord, readRecords, recordsOf } from '../../core/doc/record-layout.ts'
import { plain } from '../../web/src/sync/plain.ts'

/** As tests of the page open it. */
interface Page {
  store: TLStore
  doc: Y.Doc
  binding: { setAside: ReadonlySet<string> }
}

export const usual = 'page:page' as TLPageId
export const stored = ({ doc }: Pick<Page, 'doc'>, id: string) => readRecord(id, recordsOf(doc).get(id))
export const remove = ({ store }: Page, ...ids: string[]) => store.remove(ids as TLRecord['id'][])
export const historyOf = ({ doc }: Page) => Y.encodeStateVector(doc)

export function put(doc: Y.Doc, ...records: TLRecord[]): void {
  doc.transact(() => {
    for (const record of records) putRecord(doc, plain(record))
  })
}

/** All documents say the same, every store shows what they say, and nothing in it hangs on nothing. */
export function expectSettled(...pages: Page[]): void {
  const shared = ({ store }: Page) =>
    Object.fromEntries(
      store
        .allRecords()
        .filter(({ typeName }) => ['shape', 'binding', 'page'].includes(typeName))
        .map(record => [record.id, record]),
    )
  for (const page of pages) {
    const records = readRecords(page.doc)
    const parents = [...records.values()].map(({ parentId }) => parentId).filter(id => id !== undefined)
    expect(parents.filter(id => !records.has(String(id)))).toEqual([])
    expect([...page.binding.setAside]).toEqual([])
    expect(ringedIn(records)).toEqual([])
    for (const [id, record] of Object.entries(shared(page))) expect(records.get(id)).toEqual(record)
    expect(shared(page)).toEqual(shared(pages[0] as Page))
  }
}

/** The shapes of which the way up leads to no page. */
export function ringedIn(records: ReadonlyMap<string, PlainRecord>): string[] {
  const leadsNowhere = (id: string) => {
    let parent: unknown = id
    for (let steps = 0; steps <= records.size; steps++) parent = records.get(String(parent))?.parentId ?? parent
    return !String(parent).startsWith('page:')
  }
  return [...records.keys()].filter(id => id.startsWith('shape:') && leadsNowhere(id))
}

/** What leads to a page is shown where the document has it, everything else somewhere. */
export function expectShown({ store, doc }: Page): void {
  const records = readRecords(doc)
  const unsure = new Set(ringedIn(records))
  for (const [id, { typeName, parentId }] of records) {
    if (typeName !== 'shape') continue
    const shown = store.get(id as TLShapeId)
    expect([id, shown?.parentId]).toEqual([id, unsure.has(id) ? expect.any(String) : parentId])
  }
}

export const shownBy = ({ store }: Page) =>
  new Map(store.allRecords().map(record => [record.id as string, plain(record)]))

export const first: TLPage = PageRecordType.create({ id: usual, name: 'Page 1', index: 'a1' as IndexKey })
export const second: TLPage = PageRecordType.create({
  id: PageRecordType.createId('second'),
  name: 'Page 2',
  index: 'a2' as IndexKey,
})
