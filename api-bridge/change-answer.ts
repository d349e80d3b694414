/** What the caller of a change hears: done, waiting, or why not. */
import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import { type ChangeOutcome, importedSchema, operationResultSchema } from '../core/contract/change.ts'
import { type Item, itemSchema } from '../core/contract/item.ts'
import { itemEtag } from '../core/doc/item-etag.ts'
import type { RecordedChange } from '../core/store/change-outbox.ts'
import { json, problemSchema } from './answers.ts'
import { Problem, problemDocument } from './problems.ts'

export const seqSchema = z.int().min(0).meta({ description: 'What the board has had since its change of this number.' })

export const appliedItemSchema = itemSchema
  .extend({ seq: seqSchema })
  .meta({ id: 'AppliedItem', description: 'An item as a change left it.' })

export const changeSchema = z
  .object({
    id: z.uuid(),
    status: z.enum(['pending', 'applied', 'rejected']),
    seq: seqSchema.optional(),
    item: itemSchema.optional().meta({ description: 'Of one item that was created or changed: as it was applied.' }),
    results: z.array(operationResultSchema).optional().meta({ description: 'Of a batch that was applied.' }),
    imported: importedSchema.optional().meta({ description: 'Of an import that was applied.' }),
    problem: problemSchema.optional().meta({ description: 'Why it was rejected.' }),
  })
  .meta({
    id: 'Change',
    description: 'A change that was accepted, and what became of it.',
    examples: [{ id: '7b2f8e0c-52a4-4c55-9d0e-0d1f6f0a3c11', status: 'pending' }],
  })

/** What is answered to a change that waits ({@link outcomeOrWaiting}). */
export const changeWaits = json(
  changeSchema,
  'The change is stored and will be applied, but was not within 2 s. Ask at `Location` what became of it.',
  'Location',
  'Retry-After',
)

/** A change that waits is looked at by the second. */
const retryAfterSeconds = 1

/**
 * The change as applied, 202 while it waits.
 * @param applied prepares the answer to a change that left this item; one that left none is answered 204
 * @throws Problem the change was rejected with
 */
export function answerChange(
  reply: FastifyReply,
  recorded: RecordedChange,
  applied: (item: Item) => FastifyReply,
): FastifyReply {
  const outcome = outcomeOrWaiting(reply, recorded)
  if (!outcome) return reply
  const { item } = outcome
  if (!item) return reply.status(204).send()
  return applied(item)
    .header('etag', itemEtag(item))
    .send({ ...item, seq: recorded.seq })
}

/**
 * What became of the change; undefined while it waits: then the answer (202) is sent.
 * @throws Problem the change was rejected with
 */
export function outcomeOrWaiting(
  reply: FastifyReply,
  recorded: RecordedChange,
): Extract<ChangeOutcome, { status: 'applied' }> | undefined {
  const outcome = outcomeOf(recorded)
  if (outcome?.status === 'rejected') throw rejection(outcome)
  if (outcome) return outcome
  reply
    .status(202)
    .headers({
      location: `/v1/boards/${recorded.board}/changes/${recorded.publicId}`,
      'retry-after': retryAfterSeconds,
    })
    .send(changeDocument(recorded))
  return undefined
}

export function changeDocument(recorded: RecordedChange) {
  const outcome = outcomeOf(recorded)
  return {
    id: recorded.publicId,
    status: recorded.status,
    ...(recorded.seq === undefined ? {} : { seq: recorded.seq }),
    ...(outcome?.status === 'applied' && outcome.item ? { item: outcome.item } : {}),
    ...(outcome?.status === 'applied' && outcome.results ? { results: outcome.results } : {}),
    ...(outcome?.status === 'applied' && outcome.imported ? { imported: outcome.imported } : {}),
    ...(outcome?.status === 'rejected' ? { problem: problemDocument(rejection(outcome)) } : {}),
  }
}

/** Written by the drain of this or another instance. */
const outcomeOf = ({ result }: RecordedChange): ChangeOutcome | undefined =>
  result === undefined ? undefined : (JSON.parse(result) as ChangeOutcome)

export const rejection = ({ reason, detail, errors = [], results }: Extract<ChangeOutcome, { status: 'rejected' }>) =>
  new Problem(reason, detail, { errors, results })
