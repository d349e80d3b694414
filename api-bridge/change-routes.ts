/** What became of a change that was accepted: where the `Location` of a 202 leads. */
import { z } from 'zod'
import type { Storage } from '../core/store/storage.ts'
import { onBoard } from './access.ts'
import { changeDocument, changeSchema } from './change-answer.ts'
import { refuseOtherMethods } from './methods.ts'
import { orProblem } from './open-api.ts'
import { Problem } from './problems.ts'
import { boardParams, type CheckingApp } from './validation.ts'

const changeParams = boardParams.extend({ change: z.string() })

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
        response: orProblem({ 200: changeSchema }),
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
