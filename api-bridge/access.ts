/** Who a request comes from, and whether it may do what it asks of a board. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { type Authenticate, type Grant, mayWrite } from '../core/auth/authenticate.ts'
import { credentialOf } from '../core/auth/credential.ts'
import { type BoardId, parseBoardId } from '../core/contract/board-id.ts'
import { Problem } from './problems.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** What the request's credential allows. */
    grant: Grant
  }
}

/** Every request to `app` is authenticated before its body is read. */
export function authenticateRequests(app: FastifyInstance, authenticate: Authenticate): void {
  app.decorateRequest('grant')
  app.addHook('onRequest', async request => {
    // From headers only: what stands in an address ends up in the logs of proxies.
    request.grant = await authenticate(credentialOf({ headers: request.headers }))
  })
}

/** The board in the path, if the request may do this with it. @throws SyncError `board-id-invalid`; Problem */
export function boardFor(request: FastifyRequest<{ Params: { board: string } }>, use: 'read' | 'write'): BoardId {
  const board = parseBoardId(request.params.board)
  const role = request.grant.roleOn(board)
  if (!role) throw new Problem('board-missing', 'there is no such board, or this credential has no right to it')
  if (use === 'write' && !mayWrite(role)) throw new Problem('forbidden', 'this credential may only read this board')
  return board
}
