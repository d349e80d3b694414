/** Pages of a board's items, in the order of their ids: what exists throughout is listed once. */
import type * as Y from 'yjs'
import { z } from 'zod'
import { type Item, itemSchema, itemTypeSchema } from '../core/contract/item.ts'
import { itemsAfter } from '../core/doc/items.ts'
import type { Box } from '../core/doc/plane.ts'
import { encodeCursor, nextSchema, pageQuery } from './paging.ts'

/** Each text is read in one way only. With two (`\d+\.?\d*`), 160 digits and an x would take seconds. */
const number = '-?(\\d+(\\.\\d*)?|\\.\\d+)([eE][+-]?\\d+)?'

export const listQuerySchema = z.strictObject({
  type: itemTypeSchema.optional().meta({ description: 'Only items of this type.' }),
  ...pageQuery,
  bbox: z
    .string()
    .regex(new RegExp(`^${number}(,${number}){3}$`), 'must be four numbers: minX,minY,maxX,maxY')
    .transform(boxOf)
    .refine(box => box.minX <= box.maxX && box.minY <= box.maxY, 'must have minX ≤ maxX and minY ≤ maxY')
    .refine(box => Object.values(box).every(Number.isFinite), 'must be finite numbers')
    .optional()
    .meta({
      description:
        'minX,minY,maxX,maxY: only what touches this part of the page, as it lies there (turned, in a frame).',
      examples: ['0,0,1000,800'],
    }),
})
export const itemPageSchema = z
  .object({
    items: z.array(itemSchema),
    next: nextSchema,
    seq: z.int().min(0).meta({ description: 'Up to which change of the board they show it.' }),
  })
  .meta({ id: 'ItemPage' })
type ListQuery = z.output<typeof listQuerySchema>

/** The page of this board that the query asks for; the document has to stay as it is meanwhile. */
export async function pageOf(doc: Y.Doc, { type, limit, cursor = '', bbox }: ListQuery) {
  const items: Item[] = []
  for await (const item of itemsAfter(doc, cursor, { type, box: bbox })) {
    const last = items.at(-1)
    if (last && items.length === limit) return { items, next: encodeCursor(last.id) }
    items.push(item)
  }
  return { items, next: null }
}

function boxOf(text: string): Box {
  const [minX = 0, minY = 0, maxX = 0, maxY = 0] = text.split(',').map(Number)
  return { minX, minY, maxX, maxY }
}
