/** One-time tickets: who may use a board lets somebody else, or a page, use it too, without handing out the credential. */
import { z } from 'zod'
import { createToken, hashOfToken } from '../core/auth/token.ts'
import type { BoardId } from '../core/contract/board-id.ts'
import { includes, mayWrite, type Role, roles } from '../core/contract/role.ts'
import type { Storage } from '../core/store/storage.ts'
import { onBoard } from './access.ts'
import { json } from './answers.ts'
import { livingHead } from './board-missing.ts'
import { sendAnswer, type WriteOnce } from './idempotency.ts'
import { refuseOtherMethods } from './methods.ts'
import { Problem } from './problems.ts'
import { restingOn, shortNameOf } from './resting-on.ts'
import { boardParams, type CheckingApp, writeHeaders } from './validation.ts'

export interface TicketServices {
  storage: Pick<Storage, 'boards' | 'tickets'>
  writeOnce: WriteOnce
}

const wantedSchema = z
  .strictObject({
    role: z
      .enum(roles)
      .optional()
      .meta({ description: 'At most your own. Default: write, or read where you may not write.' }),
  })
  .meta({ id: 'WantedTicket', examples: [{ role: 'read' }] })
  .nullish()
const ticketSchema = z
  .object({
    ticket: z.string().meta({ description: 'Opens one connection or one session, on this board.' }),
    expires_at: z.iso.datetime(),
  })
  .meta({ id: 'Ticket' })

export function ticketRoutes(app: CheckingApp, { storage, writeOnce }: TicketServices): void {
  const url = '/boards/:board/tickets'

  app.post(
    url,
    {
      onRequest: onBoard('read'),
      schema: {
        operationId: 'createTicket',
        summary: 'Make a one-time ticket for this board',
        description:
          'Good for 60 seconds, once. Asked for by a page, it is of use to pages of the same origin only. What it opens ' +
          'ends with the credential it was asked for with; where that is a session, with the one that the session was made ' +
          'from.',
        tags: ['access'],
        params: boardParams,
        headers: writeHeaders,
        body: wantedSchema,
        response: { 201: json(ticketSchema, 'The ticket, which is shown this once.') },
        problems: ['already-created'],
      },
    },
    async (request, reply) => {
      const { board, grant } = request
      const own = grant.roleOn(board) ?? 'read'
      const role = request.body?.role ?? (mayWrite(own) ? 'write' : 'read')
      if (!includes(own, role)) {
        throw new Problem('forbidden', `this credential has the role ${own} here: it cannot give ${role} to others`)
      }
      await openFor(own, board)
      const { origin } = request.headers
      const answer = await writeOnce(request, async sql => {
        const token = createToken('ticket')
        const hash = hashOfToken(token)
        const expiresAt = await storage.tickets.create(sql, { ...restingOn(grant), hash, board, role, origin })
        return {
          status: 201,
          headers: { 'cache-control': 'no-store' },
          body: { ticket: token.reveal(), expires_at: expiresAt.toISOString() },
          secretOf: shortNameOf(hash),
        }
      })
      return sendAnswer(reply, answer)
    },
  )

  refuseOtherMethods(app, url, ['POST'])

  /** Who may write brings the board into being; for others it has to be there. */
  async function openFor(own: Role, board: BoardId): Promise<void> {
    livingHead(mayWrite(own) ? await storage.boards.create(board) : await storage.boards.head(board))
  }
}
