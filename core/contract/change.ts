/**
 * The change: one thing an agent asks to be done to a board's items, and what became of it.
 *
 * A change is stored as JSON in Postgres, published as JSON on the Redis channel `board:{id}:updates`, and decided in one
 * place only, where it is applied to the document.
 */
import { z } from 'zod'
import type { FieldError } from './field-error.ts'
import { type Item, itemIdSchema, itemPatchSchema, newItemSchema, referenceSchema } from './item.ts'

/** The header If-Match as it came. */
export const ifMatchSchema = z.string().max(1_000)
const ifMatch = ifMatchSchema.exactOptional()

/** A union by `action`, so that `{action: 'batch', operations}` can join it. */
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

/**
 * Why a change was not made:
 *
 *   item-exists    create: the board has something under this id           409
 *   item-missing   update, delete: no such item                            404
 *   item-changed   the item is no longer what `if_match` names             412
 *   item-invalid   the item, as it would become, cannot be on the board    422
 *   board-full     the board has reached MAX_BOARD_BYTES; deletes go on     409
 *   internal       applying it fails again and again inside the server     500
 */
export type Rejection = 'item-exists' | 'item-missing' | 'item-changed' | 'item-invalid' | 'board-full' | 'internal'

/** `item`: as applied (absent after a delete). Pointers are into the change's `item`. */
export type ChangeOutcome =
  | { status: 'applied'; item?: Item }
  | { status: 'rejected'; reason: Rejection; detail: string; errors?: FieldError[] }
