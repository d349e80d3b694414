/** A board as REST tells of it. */
import { z } from 'zod'
import { isBoardId } from '../core/contract/board-id.ts'
import type { BoardEntry } from '../core/store/board-directory.ts'
import { presenceSchema } from './presence-routes.ts'

const longestTitle = 200

/** Shown in lists and tabs: one line. */
const titleSchema = z
  .string()
  .trim()
  .min(1)
  .max(longestTitle)
  .refine(title => !/[\p{Cc}\p{Surrogate}]/u.test(title), 'must be well-formed Unicode without control characters')
  .meta({ examples: ['Retrospective'] })

export const newBoardSchema = z
  .strictObject({
    id: z
      .string()
      .refine(isBoardId, 'must be 1 to 128 of A–Z a–z 0–9 _ -, and not a reserved word')
      .exactOptional()
      .meta({ description: 'Made up where it is left out: long, and not to be guessed.' }),
    title: titleSchema.nullable().exactOptional(),
  })
  .meta({ id: 'NewBoard', examples: [{ title: 'Retrospective' }] })

export const boardPatchSchema = z
  .strictObject({ title: titleSchema.nullable().exactOptional() })
  .meta({ id: 'BoardPatch', examples: [{ title: 'Retrospective, May' }] })

const count = z.int().min(0).meta({ description: 'Items on it.' })

export const boardEntrySchema = z
  .object({
    id: z.string(),
    title: z.string().nullable().meta({ description: 'null: it has none.' }),
    seq: z.int().min(0).meta({ description: 'How many changes it has had: it grows with each.' }),
    item_count: count.nullable().meta({ description: 'Items on it at its last snapshot; null: it had none yet.' }),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime().meta({ description: 'When something on it, or its title, last changed.' }),
  })
  .meta({ id: 'BoardEntry' })

export const boardSchema = boardEntrySchema
  .extend({
    item_count: count,
    ...presenceSchema.shape,
  })
  .meta({ id: 'Board' })

export const boardEntryDocument = (entry: BoardEntry): z.input<typeof boardEntrySchema> => ({
  id: entry.id,
  title: entry.title ?? null,
  seq: entry.headSeq,
  item_count: entry.itemCount ?? null,
  created_at: entry.createdAt.toISOString(),
  updated_at: entry.changedAt.toISOString(),
})
