/** Which tldraw wrote a board: older than this page's (its records are migrated), the same, or newer (hands off). */
import type { SerializedSchema, StoreSchema } from '@tldraw/store'
import type { TLRecord, TLStore } from '@tldraw/tlschema'
import type * as Y from 'yjs'
import { changeRecord, metaOf, type PlainRecord, readRecords } from '../../../core/doc/record-layout.ts'
import { plain, unplain } from './plain.ts'

export type SchemaAge = 'older' | 'same' | 'newer'

/** The schema the board's records are written in; undefined where nobody has said, or said nothing that is a schema. */
function schemaOf(doc: Y.Doc): SerializedSchema | undefined {
  const written = metaOf(doc).get('schema') as { schemaVersion?: unknown; sequences?: unknown } | undefined
  const isSchema =
    written?.schemaVersion === 1 || (written?.schemaVersion === 2 && typeof written.sequences === 'object')
  return isSchema ? (written as SerializedSchema) : undefined
}

export function schemaAge(doc: Y.Doc, schema: StoreSchema<TLRecord>): SchemaAge {
  const written = schemaOf(doc)
  if (!written) return 'same'
  if (written.schemaVersion === 1) return 'older'
  const own = sequencesOf(schema.serialize())
  let age: SchemaAge = 'same'
  for (const [sequence, version] of Object.entries(written.sequences)) {
    const known = own[sequence]
    // Sequences that tldraw does not have are of other apps' own shapes, which say nothing about its version.
    if (known === undefined) continue
    if (version > known) return 'newer'
    if (version < known) age = 'older'
  }
  return age
}

/** The records as this page's tldraw writes them. Those it cannot migrate together are tried one by one, or left. */
export function migrated(
  records: Map<string, PlainRecord>,
  doc: Y.Doc,
  schema: StoreSchema<TLRecord>,
): Map<string, PlainRecord> {
  const written = schemaOf(doc)
  if (!written || schemaAge(doc, schema) !== 'older') return records
  const store = Object.fromEntries([...records].map(([id, record]) => [id, unplain(record)]))
  const together = schema.migrateStoreSnapshot({ store: store as never, schema: written })
  if (together.type === 'success') {
    return new Map(Object.entries(together.value).map(([id, record]) => [id, plain(record as TLRecord)]))
  }
  const result = new Map<string, PlainRecord>()
  for (const [id, record] of records) {
    const alone = schema.migratePersistedRecord(unplain(record), written)
    result.set(id, alone.type === 'success' ? plain(alone.value as TLRecord) : record)
  }
  return result
}

/**
 * Brings a whole board to this page's schema, before the first edit in it. From then on older pages keep their hands off.
 * Call inside a transaction.
 */
export function raiseSchema(doc: Y.Doc, store: TLStore): void {
  const meta = metaOf(doc)
  if (!schemaOf(doc)) {
    if (!meta.has('schema')) meta.set('schema', store.schema.serialize())
    return
  }
  if (schemaAge(doc, store.schema) !== 'older') return
  const before = readRecords(doc)
  const after = migrated(before, doc, store.schema)
  for (const [id, record] of before) {
    const now = after.get(id)
    if (now) changeRecord(doc, record, now)
  }
  meta.set('schema', store.schema.serialize())
}

const sequencesOf = (schema: SerializedSchema): Record<string, number> =>
  schema.schemaVersion === 2 ? schema.sequences : {}
