/** Pages of a list in the order of its ids: `limit`, an opaque `cursor`, and `next`. What exists throughout is listed once. */
import { z } from 'zod'

const listedAtMost = 500
const listedByDefault = 100

const cursorError = 'is not a cursor; take it from `next` of the page before, as it is'

/** The parts of a query that say which page. `cursor` is read as the last id of the page before. */
export const pageQuery = {
  limit: z
    .string()
    .regex(/^\d{1,9}$/, 'must be a whole number')
    // What programs send; that it arrives as text is no concern of theirs.
    .meta({
      description: 'How many at most.',
      ...{ type: 'integer', pattern: undefined, minimum: 1, maximum: listedAtMost, default: listedByDefault },
    })
    .transform(Number)
    .pipe(z.number().min(1).max(listedAtMost))
    .default(listedByDefault),
  cursor: z
    .string()
    .refine(cursor => cursor !== '' && encodeCursor(decodeCursor(cursor)) === cursor, cursorError)
    .transform(decodeCursor)
    .refine(id => !id.includes('\0'), cursorError)
    .optional()
    .meta({ description: '`next` of the page before, as it is. Left out: the first page.' }),
}

export const nextSchema = z
  .string()
  .nullable()
  .meta({ description: '`cursor` of the next page; null: this is the last.' })

export function encodeCursor(id: string): string {
  return Buffer.from(id).toString('base64url')
}

function decodeCursor(cursor: string): string {
  return Buffer.from(cursor, 'base64url').toString()
}
