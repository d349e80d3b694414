/** Pages of a board's items, in the order of their ids: what exists throughout is listed once. */
import { z } from 'zod'
import { type Item, itemTypes } from '../core/contract/item.ts'

const listedAtMost = 500
const listedByDefault = 100

const cursorError = 'is not a cursor; take it from `next` of the page before, as it is'

export const listQuerySchema = z.strictObject({
  type: z.enum(itemTypes).optional(),
  limit: z
    .string()
    .regex(/^\d{1,9}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(1).max(listedAtMost))
    .default(listedByDefault),
  cursor: z
    .string()
    .refine(cursor => cursor !== '' && encodeCursor(decodeCursor(cursor)) === cursor, cursorError)
    .transform(decodeCursor)
    .optional(),
})
type ListQuery = z.output<typeof listQuerySchema>

/** @param sorted every item of the board, by id */
export function pageOf(sorted: readonly Item[], { type, limit, cursor }: ListQuery) {
  const found = sorted.filter(item => (cursor === undefined || item.id > cursor) && (type ?? item.type) === item.type)
  const items = found.slice(0, limit)
  const last = items.at(-1)
  return { items, next: last && found.length > items.length ? encodeCursor(last.id) : null }
}

function encodeCursor(id: string): string {
  return Buffer.from(id).toString('base64url')
}

function decodeCursor(cursor: string): string {
  return Buffer.from(cursor, 'base64url').toString()
}
