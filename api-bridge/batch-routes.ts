/** Many changes in one request: made all or none, or only tried. */
import { z } from 'zod'
import { nameItems, operationsSchema } from '../core/contract/batch.ts'
import { type Batch, operationResultSchema } from '../core/contract/change.ts'
import { foresee } from '../core/doc/items.ts'
import { onBoard } from './access.ts'
import { json } from './answers.ts'
import type { BoardReader } from './board-reader.ts'
import { changeWaits, outcomeOrWaiting, rejection, seqSchema } from './change-answer.ts'
import type { ChangeDesk } from './change-desk.ts'
import { takeJson } from './json-body.ts'
import { refuseOtherMethods } from './methods.ts'
import { Problem } from './problems.ts'
import { submitChange } from './submit-change.ts'
import { boardParams, type CheckingApp, checkingRequests, writeHeaders } from './validation.ts'

export interface BatchServices {
  reader: BoardReader
  desk: ChangeDesk
}

const batchRequestSchema = z
  .strictObject({
    operations: operationsSchema,
    dry_run: z
      .boolean()
      .exactOptional()
      .meta({ description: 'Answers what the batch would be answered, and does nothing.' }),
  })
  .meta({
    id: 'BatchRequest',
    examples: [
      {
        operations: [
          { action: 'create', item: { id: '$plan', type: 'frame', content: { title: 'Plan' } } },
          { action: 'create', item: { type: 'sticky', parent: '$plan', x: 20, y: 20, content: { text: 'First' } } },
          { action: 'update', item: { id: '$plan', width: 800 } },
        ],
      },
    ],
  })

const batchAnswerSchema = z
  .object({
    seq: seqSchema,
    dry_run: z.boolean().optional().meta({ description: 'true: nothing was changed.' }),
    results: z.array(operationResultSchema).meta({ description: 'One for each operation, in their order.' }),
  })
  .meta({ id: 'BatchAnswer' })

/** Room for 500 texts of 10,000 characters. */
const batchBytesAtMost = 16 * 1024 * 1024

export async function batchRoutes(app: CheckingApp, services: BatchServices): Promise<void> {
  // Of its own: what it takes is larger than other bodies.
  await app.register(async scope => {
    takeJson(scope, { bytesAtMost: batchBytesAtMost })
    batchRoute(checkingRequests(scope), services)
  })
}

function batchRoute(app: CheckingApp, { reader, desk }: BatchServices): void {
  const url = '/boards/:board/batch'

  app.post(
    url,
    {
      onRequest: onBoard('write'),
      schema: {
        operationId: 'changeItems',
        summary: 'Change many items at once: all or none',
        description:
          'Up to 500 operations (16 MiB), each on what those before it left. Everyone sees all of them at the same moment. A ' +
          'refusal is that of the first operation that cannot be made; `errors` and `results` tell of the others, too.',
        tags: ['items'],
        params: boardParams,
        headers: writeHeaders,
        body: batchRequestSchema,
        response: {
          200: json(batchAnswerSchema, 'All of them are made; after a `dry_run`: all could be.'),
          202: changeWaits,
        },
        problems: ['item-missing', 'item-exists', 'board-full', 'item-changed', 'item-invalid'],
      },
    },
    async (request, reply) => {
      const named = nameItems(request.body.operations)
      if ('errors' in named) throw Problem.ofFields('request-invalid', named.errors)
      const batch: Batch = { action: 'batch', operations: named.operations }
      if (request.body.dry_run) {
        return reader.readOrEmpty(request.board, async ({ doc, known }) => {
          const outcome = await foresee(doc, batch)
          if (outcome.status === 'rejected') throw rejection(outcome)
          return { seq: known, dry_run: true, results: outcome.results }
        })
      }
      const recorded = await submitChange(desk, request, batch)
      const outcome = outcomeOrWaiting(reply, recorded)
      return outcome ? { seq: recorded.seq, results: outcome.results } : reply
    },
  )

  refuseOtherMethods(app, url, ['POST'])
}
