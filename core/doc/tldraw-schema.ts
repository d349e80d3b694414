/** tldraw's own schema: what it accepts as a record, and how it describes itself to the boards that hold its records. */
import { createTLSchema } from '@tldraw/tlschema'
import { type FieldError, jsonPointer } from '../contract/field-error.ts'
import { isPlainObject } from './record-fields.ts'
import type { PlainRecord } from './record-layout.ts'

const schema = createTLSchema()

/** Kept in a board's `meta` under `schema`. No fixed key order: compare by content. */
export const serializedSchema = schema.serialize()

/** Of these a board is made; the rest of what tldraw keeps (cameras, pointers) belongs to one tab. */
const boardTypes: ReadonlySet<string> = new Set(['document', 'page', 'shape', 'binding', 'asset'])
export const isOfBoard = ({ typeName }: PlainRecord): boolean => boardTypes.has(typeName)
export const isKnownType = ({ typeName }: PlainRecord): boolean => Object.hasOwn(schema.types, typeName)

/**
 * Records of an older schema as those of ours, by tldraw's own migrations.
 * @param from the schema that they came with
 * @returns what keeps them from being migrated: as a rule a schema newer than ours
 */
export function migrated(
  records: readonly PlainRecord[],
  from: unknown,
): { records: PlainRecord[] } | { fault: string } {
  const store = Object.fromEntries(records.map(record => [record.id, record]))
  try {
    const snapshot = { store, schema: from } as unknown as Parameters<typeof schema.migrateStoreSnapshot>[0]
    // Asked first: a migration that cannot begin is complained of on the console.
    const migrations = schema.getMigrationsSince(snapshot.schema)
    if (!migrations.ok) return { fault: migrations.error }
    const result = schema.migrateStoreSnapshot(snapshot)
    if (result.type === 'error') return { fault: result.reason }
    return { records: Object.values(result.value) as unknown as PlainRecord[] }
  } catch (error) {
    return { fault: error instanceof Error ? error.message : String(error) }
  }
}

/** JSON.stringify gives up some thousand levels down, as do others who follow a record to its end. No editor nests so deep. */
const deepestValue = 1_000

/**
 * What tldraw has against a record, or keeps it from being told as JSON, with a pointer into the record; undefined when it accepts it. Acceptable is not yet
 * harmless: an empty text node inside rich text, or a shape that is its own parent, passes here and breaks the canvas.
 * Whoever writes records has to see to those. About 2 µs a record.
 */
export function recordFault(record: PlainRecord): FieldError | undefined {
  const types: Record<string, { validate(record: unknown): unknown }> = schema.types
  const type = Object.hasOwn(types, record.typeName) ? types[record.typeName] : undefined
  if (!type) return { pointer: '/typeName', detail: `tldraw has no records of type "${record.typeName}"` }
  try {
    type.validate(record)
    return jsonFault(record)
  } catch (error) {
    return asFieldError(error)
  }
}

/**
 * Of rich text tldraw checks little more than that it is one, and what clients encode has types that JSON lacks (a BigInt
 * breaks every answer that it is in); a key `__proto__` leaves an object that is not plain.
 */
function jsonFault(record: PlainRecord): FieldError | undefined {
  for (const name in record) {
    if (!isJson(record[name], 1)) return { pointer: jsonPointer([name]), detail: 'JSON cannot hold this' }
  }
  return undefined
}

function isJson(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return typeof value !== 'bigint'
  if (depth > deepestValue) return false
  if (Array.isArray(value)) return value.every(held => isJson(held, depth + 1))
  if (!isPlainObject(value)) return false
  // Plain, so these are its own; a list of them made first would take twice as long.
  for (const name in value) if (!isJson(value[name], depth + 1)) return false
  return true
}

/** tldraw's ValidationError has a path like ['shape', '(type = geo)', 'props', 'w'], and its message without that path. */
function asFieldError(error: unknown): FieldError {
  if (!(error instanceof Error)) return { pointer: '', detail: String(error) }
  const { path, rawMessage } = error as { path?: unknown; rawMessage?: unknown }
  const steps: unknown[] = Array.isArray(path) ? path.slice(1) : []
  const isStep = (step: unknown): step is string | number =>
    typeof step === 'number' || (typeof step === 'string' && !step.startsWith('('))
  return {
    pointer: jsonPointer(steps.filter(isStep)),
    detail: typeof rawMessage === 'string' ? rawMessage : error.message,
  }
}
