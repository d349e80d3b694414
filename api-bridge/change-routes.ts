/** What became of a change that was accepted: where the `Location` of a 202 leads. */
import { z } from 'zod'
import type { Storage } from '../core/store/storage.ts'
import { onBoard } from './access.ts'
import { json } from './answers.ts'
import { changeDocument, changeSchema } from './change-answer.ts'
import { refuseOtherMethods } from './methods.ts'
import { Problem } from './problems.ts'
import { boardParams, type CheckingApp } from './validation.ts'

const changeParams = boardParams.extend({
  change: z.string().meta({ description: 'Id of the change, as in the `Location` of the 202 that announced it.' }),
})

export function changeRoutes(app: CheckingApp, { storage }: { storage: Pick<Storage, 'changes'> }): void {
  const url = '/boards/:board/changes/:change'

  app.get(
    url,
    {
      onRequest: onBoard('read'),
      schema: {
        operationId: 'readChange',
        summary: 'What became of a change',
        tags: ['changes'],
        params: changeParams,
        response: { 200: json(changeSchema, 'What is known of it; ask again in a second while it is `pending`.') },
        problems: ['change-missing'],
      },
    },
    async request => {
      const id = z.uuid().safeParse(request.params.change)
      const recorded = id.success ? await storage.changes.find(request.board, id.data) : undefined
      if (!recorded) throw new Problem('change-missing', 'this board knows no change of this id')
      return changeDocument(recorded)
    },
  )

  refuseOtherMethods(app, url, ['GET', 'HEAD'])
}
