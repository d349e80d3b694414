/** Who a request comes from, and whether it may do what it asks of a board. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Authenticate } from '../core/auth/authenticate.ts'
import { callerAddress } from '../core/auth/client-address.ts'
import { credentialOf } from '../core/auth/credential.ts'
import type { Grant } from '../core/auth/grant.ts'
import { renewedCookie } from '../core/auth/session-cookie.ts'
import { type BoardId, parseBoardId } from '../core/contract/board-id.ts'
import { mayWrite, type Role } from '../core/contract/role.ts'
import { boardMissing } from './board-missing.ts'
import { Problem } from './problems.ts'
import type { RequestLimits } from './rate-limit.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** What the request's credential allows. */
    grant: Grant
    /** The board in the path, where the route asks for a right to it ({@link onBoard}). */
    board: BoardId
  }
}

export interface AccessServices {
  authenticate: Authenticate
  requests: Pick<RequestLimits, 'trustedProxies'>
  publicUrl: string | undefined
}

/** Every request to `app` is authenticated before its body is read. */
export function authenticateRequests(
  app: FastifyInstance,
  { authenticate, publicUrl, requests: { trustedProxies } }: AccessServices,
): void {
  app.decorateRequest('grant')
  app.decorateRequest('board')
  app.addHook('onRequest', async (request, reply) => {
    // From headers only: what stands in an address ends up in the logs of proxies.
    const { headers, method } = request
    const address = () => callerAddress(request.raw, trustedProxies)
    request.grant = await authenticate(credentialOf({ headers, method }), headers.origin, address)
    reply.headers(renewed(request.raw, publicUrl))
  })
}

function renewed(request: FastifyRequest['raw'], publicUrl: string | undefined): Record<string, string> {
  const cookie = renewedCookie(request, publicUrl)
  return cookie === undefined ? {} : { 'set-cookie': cookie }
}

/**
 * A route's `onRequest`: lets through who may do this with the board in the path, and names the board.
 * @throws SyncError `board-id-invalid`; Problem `board-missing`, `forbidden`
 */
export const onBoard = (use: Role) => Object.assign(checkingRole(use), { role: use })

/** The role that a route's `onRequest` asks for; undefined where it asks for none. */
export const roleAskedFor = (onRequest: unknown): Role | undefined =>
  typeof onRequest === 'function' && 'role' in onRequest ? (onRequest as ReturnType<typeof onBoard>).role : undefined

const checkingRole = (use: Role) => async (request: FastifyRequest) => {
  const board = parseBoardId((request.params as { board: string }).board)
  const role = request.grant.roleOn(board)
  if (!role) throw boardMissing()
  if (use === 'write' && !mayWrite(role)) throw new Problem('forbidden', 'this credential may only read this board')
  if (use === 'admin' && role !== 'admin') throw new Problem('forbidden', 'this credential may not manage this board')
  request.board = board
}
