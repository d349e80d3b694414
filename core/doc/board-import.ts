/**
 * The records of a file put on a board, beside what is there: nothing of the board is overwritten.
 *
 * Ids are kept where the board has nothing under them, and made up anew elsewhere. A page of the same id is the same page.
 * What lands on a page that has shapes already is drawn above them.
 */
import { equalityDeep } from 'lib0/function'
import { newItemId } from '../contract/batch.ts'
import type { ChangeOutcome, Import, Imported } from '../contract/change.ts'
import { type FieldError, fieldErrorsAtMost, jsonPointer } from '../contract/field-error.ts'
import type { BoardRecords } from './board-records.ts'
import { firstPage, indexAboveSiblings, plantBoard } from './board-tree.ts'
import { hazardOf } from './record-hazard.ts'
import { isShapeId, itemIdOf } from './record-ids.ts'
import type { PlainRecord } from './record-layout.ts'
import { resultOf, type Steps } from './steps.ts'
import { isKnownType, recordFault } from './tldraw-schema.ts'

const loneSurrogate = /\p{Surrogate}/u

const countedAs = { page: 'pages', shape: 'shapes', binding: 'bindings', asset: 'assets' } as const
type Importable = keyof typeof countedAs
type Rejected = Extract<ChangeOutcome, { status: 'rejected' }>

/** Each record is valid by itself and in its place, or none is taken. Pointers are into the change: `/records/1/x`. */
export function* decideImport(records: BoardRecords, { records: given }: Import): Steps<ChangeOutcome> {
  const refusal = yield* refusalIn(given)
  if (refusal) return refusal
  const present = given.filter(record => !isOfTab(record) && !isThere(records, record))
  const renamed = new Map(present.flatMap(({ id }) => (records.has(id) ? [[id, newIdLike(id)] as const] : [])))
  const imported: Imported = { pages: 0, shapes: 0, bindings: 0, assets: 0, renamed: Object.fromEntries(renamed) }
  plantBoard(records, pageOf(given))
  const occupied = new Set(given.filter(isPage).flatMap(({ id }) => (records.childrenOf(id).size > 0 ? [id] : [])))
  for (const record of inOrder(present)) {
    const moved = withNewIds(record, renamed)
    const index = occupied.has(String(moved.parentId)) ? indexAboveSiblings(records, String(moved.parentId)) : undefined
    records.put(index === undefined ? moved : { ...moved, index })
    imported[countedAs[record.typeName as Importable]]++
    yield
  }
  return { status: 'applied', imported }
}

/** Why no board takes these records, whatever is on it; undefined: every one does. */
export const refusalOf = (given: readonly PlainRecord[]): Rejected | undefined => resultOf(refusalIn(given))

function* refusalIn(given: readonly PlainRecord[]): Steps<Rejected | undefined> {
  const errors = yield* faultsOf(given)
  if (errors.length === 0) return undefined
  const detail = errors.map(error => `${error.pointer} ${error.detail}`).join('; ')
  return { status: 'rejected', reason: 'item-invalid', detail, errors }
}

/** Cameras, pointers and the like; and of documents every board has its own. */
const isOfTab = (record: PlainRecord): boolean => isKnownType(record) && !Object.hasOwn(countedAs, record.typeName)

/** The same page, or the very same asset. */
function isThere(records: BoardRecords, record: PlainRecord): boolean {
  const known = records.record(record.id)
  return known !== undefined && (isPage(record) || (record.typeName === 'asset' && equalityDeep(known, record)))
}

function* faultsOf(given: readonly PlainRecord[]): Steps<FieldError[]> {
  const byId = new Map(given.map(record => [record.id, record]))
  const errors: FieldError[] = []
  const seen = new Set<string>()
  for (const [n, record] of given.entries()) {
    if (isOfTab(record)) continue
    const fault =
      faultOf(record, byId) ?? (seen.has(record.id) ? { pointer: '/id', detail: 'it is there twice' } : undefined)
    seen.add(record.id)
    if (fault) errors.push({ pointer: `/records/${n}${fault.pointer}`, detail: fault.detail })
    if (errors.length === fieldErrorsAtMost) break
    yield
  }
  return errors
}

function faultOf(record: PlainRecord, byId: ReadonlyMap<string, PlainRecord>): FieldError | undefined {
  const fault = recordFault(record)
  if (fault) return fault
  const illFormed = illFormedIn(record)
  if (illFormed) return { pointer: jsonPointer(illFormed), detail: 'must be well-formed Unicode' }
  const hazard = hazardOf(record, id => byId.get(id)?.parentId)
  if (hazard) return { pointer: '', detail: `no canvas can show it: ${hazard}` }
  for (const name of referencesOf(record)) {
    if (!byId.has(String(record[name]))) return { pointer: `/${name}`, detail: 'the file has no such record' }
  }
  return undefined
}

/**
 * Where half a surrogate pair is, key by key. The log and every reader would have another character in its place than the
 * document that it was put in. Values of records that {@link recordFault} has passed, which are not too deep for this.
 */
function illFormedIn(value: unknown): string[] | undefined {
  if (typeof value === 'string') return loneSurrogate.test(value) ? [] : undefined
  if (typeof value !== 'object' || value === null) return undefined
  for (const [key, held] of Object.entries(value)) {
    if (loneSurrogate.test(key)) return []
    const path = illFormedIn(held)
    if (path) return [key, ...path]
  }
  return undefined
}

/** The fields without whose record this one is lost. */
function referencesOf({ typeName }: PlainRecord): string[] {
  if (typeName === 'shape') return ['parentId']
  return typeName === 'binding' ? ['fromId', 'toId'] : []
}

const isPage = ({ typeName }: PlainRecord): boolean => typeName === 'page'

const pageOf = (given: readonly PlainRecord[]): string => given.find(isPage)?.id ?? firstPage.id

/** What others refer to first; shapes in the order in which they lie on one another, compared with `<`. */
function inOrder(given: readonly PlainRecord[]): PlainRecord[] {
  const kinds = Object.keys(countedAs)
  return [...given].sort((a, b) => {
    if (a.typeName !== b.typeName) return kinds.indexOf(a.typeName) - kinds.indexOf(b.typeName)
    return String(a.index) < String(b.index) ? -1 : Number(String(a.index) > String(b.index))
  })
}

const newIdLike = (id: string): string => `${id.slice(0, id.indexOf(':'))}:${newItemId()}`

function withNewIds(record: PlainRecord, renamed: ReadonlyMap<string, string>): PlainRecord {
  const id = renamed.get(record.id) ?? record.id
  const moved: PlainRecord = { ...record, id }
  for (const name of ['parentId', 'fromId', 'toId']) {
    const target = renamed.get(String(record[name]))
    if (target !== undefined) moved[name] = target
  }
  const props = record.props as { assetId?: unknown } | undefined
  const asset = renamed.get(String(props?.assetId))
  if (asset !== undefined) moved.props = { ...props, assetId: asset }
  const meta = record.meta as { item_id?: unknown } | undefined
  // It stays the agent's own under its new name.
  if (isShapeId(id) && meta?.item_id === itemIdOf(record.id)) moved.meta = { ...meta, item_id: itemIdOf(id) }
  return moved
}
