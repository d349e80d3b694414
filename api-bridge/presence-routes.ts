/** Who is on a board, over REST. */
import { z } from 'zod'
import { presentPeerSchema } from '../core/contract/present-peer.ts'
import type { Storage } from '../core/store/storage.ts'
import { onBoard } from './access.ts'
import { refuseOtherMethods } from './methods.ts'
import { orProblem } from './open-api.ts'
import { Problem } from './problems.ts'
import { boardParams, type CheckingApp } from './validation.ts'
import type { WhoIsHere } from './who-is-here.ts'

export interface PresenceServices {
  boards: Pick<Storage['boards'], 'head'>
  whoIsHere: WhoIsHere
}

export const presenceSchema = z
  .object({
    peers: z.array(presentPeerSchema),
    partial: z
      .literal(true)
      .optional()
      .meta({ description: 'Redis is down: there may be others, on other instances.' }),
  })
  .meta({ id: 'Presence' })

export function presenceRoutes(app: CheckingApp, { boards, whoIsHere }: PresenceServices): void {
  const presence = '/boards/:board/presence'

  app.get(
    presence,
    {
      onRequest: onBoard('read'),
      schema: {
        operationId: 'readPresence',
        summary: 'Who is on a board, and where their cursors are',
        description: 'Across all instances; those of other instances as they were up to a second ago.',
        tags: ['presence'],
        params: boardParams,
        response: orProblem({ 200: presenceSchema }),
      },
    },
    async ({ board }, reply) => {
      const head = await boards.head(board)
      if (!head || head.deleted) {
        throw new Problem('board-missing', 'there is no such board, or this credential has no right to it')
      }
      return reply.header('cache-control', 'no-store').send(await whoIsHere.on(board))
    },
  )

  refuseOtherMethods(app, presence, ['GET', 'HEAD'])
}
