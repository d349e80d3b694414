/** Sessions: a page signs in with any credential and keeps none; from then on its cookie speaks for it. */
import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { LiveAuthority } from '../core/auth/live-authority.ts'
import { isSecure, noSessionCookie, sessionCookie, sessionTokenIn } from '../core/auth/session-cookie.ts'
import { createToken, hashOfToken, shortHash } from '../core/auth/token.ts'
import type { Storage } from '../core/store/storage.ts'
import { sendAnswer, type WriteOnce } from './idempotency.ts'
import { refuseOtherMethods } from './methods.ts'
import { noBody, orProblem } from './open-api.ts'
import { restingOn } from './resting-on.ts'
import { type CheckingApp, writeHeaders } from './validation.ts'

export interface SessionServices {
  storage: Pick<Storage, 'sessions'>
  authority: Pick<LiveAuthority, 'announce'>
  publicUrl: string | undefined
  writeOnce: WriteOnce
}

const sessionSchema = z
  .object({
    subject: z.string().meta({ description: 'Whose session it is.' }),
    expires_at: z.iso.datetime().meta({ description: 'Later with each use.' }),
  })
  .meta({ id: 'Session' })

const url = '/session'

export function sessionRoutes(app: CheckingApp, { storage, publicUrl, writeOnce }: SessionServices): void {
  app.post(
    url,
    {
      schema: {
        operationId: 'signIn',
        summary: 'Turn a credential into a session cookie',
        description:
          'For pages of this server and of allowed origins. The cookie `boardsync_session` is HttpOnly and SameSite=Strict, ' +
          'good for 12 hours after its last use, and ends with the credential it was made from.',
        tags: ['access'],
        headers: writeHeaders,
        response: orProblem({ 201: sessionSchema }),
      },
    },
    async (request, reply) => {
      const { grant } = request
      const token = createToken('session')
      const hash = hashOfToken(token)
      const session = { ...restingOn(grant), rights: grant.rights }
      const answer = await writeOnce(request, async sql => {
        const expiresAt = await storage.sessions.create(hash, session, sql)
        return {
          status: 201,
          headers: { 'set-cookie': sessionCookie(token, secure(request, publicUrl)), 'cache-control': 'no-store' },
          body: { subject: grant.subject, expires_at: expiresAt.toISOString() },
          secretOf: shortHash(hash),
        }
      })
      return sendAnswer(reply, answer)
    },
  )
}

/** Nobody is asked for a credential here: who signs out need not be signed in any more. */
export function signOutRoute(app: CheckingApp, { storage, authority, publicUrl }: SessionServices): void {
  app.delete(
    url,
    {
      schema: {
        operationId: 'signOut',
        summary: 'End the session, and take its cookie away',
        tags: ['access'],
        security: [],
        response: orProblem({ 204: noBody('There is no session any more') }),
      },
    },
    async (request, reply) => {
      const token = sessionTokenIn(request.headers)
      if (token) {
        await storage.sessions.end(hashOfToken(token))
        authority.announce()
      }
      return reply
        .status(204)
        .header('set-cookie', noSessionCookie(secure(request, publicUrl)))
        .send()
    },
  )
  refuseOtherMethods(app, url, ['POST', 'DELETE'])
}

const secure = (request: FastifyRequest, publicUrl: string | undefined): boolean =>
  request.protocol === 'https' || isSecure(request.headers, publicUrl)
