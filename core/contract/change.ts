/**
 * The change: what an agent asks to be done to a board's items, one thing or a batch of them, and what became of it.
 *
 * A change is stored as JSON in Postgres, published as JSON on the Redis channel `board:{id}:updates`, and decided in one
 * place only, where it is applied to the document.
 */
import { z } from 'zod'
import { type FieldError, fieldErrorSchema } from './field-error.ts'
import { type Item, itemIdSchema, itemPatchSchema, itemSchema, newItemSchema, referenceSchema } from './item.ts'

/** The header If-Match as it came. */
export const ifMatchSchema = z.string().max(1_000)
const ifMatch = ifMatchSchema.exactOptional().meta({
  description: 'ETag of the item, quotes included: the batch is refused (412) when the item has changed since.',
})

/** One thing done to one item. */
export const itemChangeSchema = z.discriminatedUnion('action', [
  z.strictObject({ action: z.literal('create'), item: newItemSchema.extend({ id: itemIdSchema }) }),
  z.strictObject({
    action: z.literal('update'),
    item: itemPatchSchema.extend({ id: referenceSchema }),
    if_match: ifMatch,
  }),
  z.strictObject({ action: z.literal('delete'), item: z.strictObject({ id: referenceSchema }), if_match: ifMatch }),
])
export type ItemChange = z.infer<typeof itemChangeSchema>

export const operationsAtMost = 500

/** Several of them, in order: all are made, in one transaction, or none is. */
export const batchSchema = z.strictObject({
  action: z.literal('batch'),
  operations: z.array(itemChangeSchema).min(1).max(operationsAtMost),
})
export type Batch = z.infer<typeof batchSchema>

/** Records of a tldraw file, of this version's schema: all are put on the board, in one transaction, or none is. */
export const importSchema = z.strictObject({
  action: z.literal('import'),
  records: z.array(z.looseObject({ id: z.string(), typeName: z.string() })),
})
export type Import = z.infer<typeof importSchema>

export const boardChangeSchema = z.discriminatedUnion('action', [
  ...itemChangeSchema.options,
  batchSchema,
  importSchema,
])
export type BoardChange = z.infer<typeof boardChangeSchema>

function has(change: BoardChange, test: (operation: ItemChange) => boolean): boolean {
  if (change.action === 'import') return true
  return change.action === 'batch' ? change.operations.some(test) : test(change)
}

/** A board comes into being with the first item that is created on it. */
export const createsItems = (change: BoardChange): boolean => has(change, ({ action }) => action === 'create')
/** A full board takes no more of it; what only deletes goes on. */
export const takesRoom = (change: BoardChange): boolean => has(change, ({ action }) => action !== 'delete')

/**
 * Why a change was not made:
 *
 *   item-exists    create: the board has something under this id           409
 *   item-missing   update, delete: no such item                            404
 *   item-changed   the item is no longer what `if_match` names             412
 *   item-invalid   the item, as it would become, cannot be on the board    422
 *   board-full     the board has reached MAX_BOARD_BYTES; deletes go on     409
 *   internal       applying it fails again and again inside the server     500
 *
 * A batch has the reason of its first operation that cannot be made.
 */
export type Rejection = 'item-exists' | 'item-missing' | 'item-changed' | 'item-invalid' | 'board-full' | 'internal'

/** What became of one operation of a batch. */
export const operationResultSchema = z
  .object({
    action: z.enum(['create', 'update', 'delete']),
    id: z.string().meta({ description: 'Of the item; the one that it got, where the operation named it `$…`.' }),
    status: z
      .enum(['applied', 'rejected', 'skipped'])
      .meta({ description: 'skipped: nothing is wrong with this one, but with another one.' }),
    item: itemSchema.exactOptional().meta({
      description: 'As the batch left it, without the record of what a person drew; absent where it is gone.',
    }),
    errors: z.array(fieldErrorSchema).exactOptional().meta({ description: 'What is wrong with this operation.' }),
  })
  .meta({ id: 'OperationResult', description: 'What became of one operation of a batch.' })
export type OperationResult = z.infer<typeof operationResultSchema>

const count = z.int().min(0)

/** What an import put on the board. */
export const importedSchema = z
  .object({
    pages: count,
    shapes: count,
    bindings: count,
    assets: count,
    renamed: z
      .record(z.string(), z.string())
      .meta({ description: 'The ids that records got because theirs were taken, by those in the file.' }),
  })
  .meta({ id: 'Imported', description: 'How many records of each kind an import put on the board.' })
export type Imported = z.infer<typeof importedSchema>

/**
 * `item`: as applied (absent after a delete). Pointers are into the change's `item`, those of a batch into the batch
 * (`/operations/1/item/x`), those of an import into
 * its file (`/records/1/props/w`). `results`: of a batch, one for each operation.
 */
export type ChangeOutcome =
  | { status: 'applied'; item?: Item; results?: OperationResult[]; imported?: Imported }
  | { status: 'rejected'; reason: Rejection; detail: string; errors?: FieldError[]; results?: OperationResult[] }
