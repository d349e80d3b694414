/** Sessions: a page signs in with any credential and keeps none; from then on its cookie speaks for it. */
import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Attempts } from '../core/auth/attempts.ts'
import { callerAddress } from '../core/auth/client-address.ts'
import { credentialOf } from '../core/auth/credential.ts'
import type { LiveAuthority } from '../core/auth/live-authority.ts'
import { isSecure, noSessionCookie, sessionCookie, sessionTokenIn } from '../core/auth/session-cookie.ts'
import { createToken, hashOfToken } from '../core/auth/token.ts'
import { SyncError } from '../core/base/errors.ts'
import type { Secret } from '../core/base/secret.ts'
import { roles } from '../core/contract/role.ts'
import type { Storage } from '../core/store/storage.ts'
import { json, noBody } from './answers.ts'
import { sendAnswer, type WriteOnce } from './idempotency.ts'
import { refuseOtherMethods } from './methods.ts'
import type { RequestLimits } from './rate-limit.ts'
import { restingOn, shortNameOf } from './resting-on.ts'
import { type CheckingApp, writeHeaders } from './validation.ts'

export interface SessionServices {
  storage: Pick<Storage, 'sessions'>
  publicUrl: string | undefined
  writeOnce: WriteOnce
}

export interface SignOutServices {
  storage: Pick<Storage, 'sessions'>
  authority: Pick<LiveAuthority, 'announce'>
  attempts: Attempts
  requests: Pick<RequestLimits, 'trustedProxies'>
  publicUrl: string | undefined
}

const sessionSchema = z
  .object({
    subject: z.string().meta({ description: 'Whose session it is.' }),
    expires_at: z.iso.datetime().nullable().meta({ description: 'At the latest; null: no such end is known.' }),
  })
  .meta({ id: 'Session' })
const rightsSchema = sessionSchema
  .extend({
    boards: z.record(z.string(), z.enum(roles).nullable()).meta({
      description:
        'The role on each board that the credential names, null: none there. `*` stands for every other board; without ' +
        'it there is no right to those.',
    }),
  })
  .meta({ id: 'SessionRights' })

const url = '/session'

export function sessionRoutes(app: CheckingApp, { storage, publicUrl, writeOnce }: SessionServices): void {
  app.get(
    url,
    {
      schema: {
        operationId: 'readSession',
        summary: 'Whose credential this is, and what it allows',
        tags: ['access'],
        response: { 200: json(rightsSchema, 'Who you are here, and what you may do.') },
      },
    },
    async ({ grant: { subject, expiresAt, rights } }, reply) =>
      reply.header('cache-control', 'no-store').send({
        subject,
        expires_at: expiresAt?.toISOString() ?? null,
        boards: Object.fromEntries(rights),
      }),
  )

  app.post(
    url,
    {
      schema: {
        operationId: 'signIn',
        summary: 'Turn a credential into a session cookie',
        description:
          'For pages of this server and of allowed origins. The cookie `boardsync_session` is HttpOnly and SameSite=Strict, ' +
          'good for 12 hours after its last use, and ends with the credential it was made from. Asked with a session, that ' +
          'session is used, and its cookie set anew.',
        tags: ['access'],
        headers: writeHeaders,
        response: { 201: json(sessionSchema, 'The session, whose cookie comes with it.', 'Set-Cookie') },
        problems: ['already-created'],
      },
    },
    async (request, reply) => {
      const { grant, headers, method } = request
      const answerWith = (token: Secret, expiresAt: Date) => ({
        status: 201,
        headers: { 'set-cookie': sessionCookie(token, secure(request, publicUrl)), 'cache-control': 'no-store' },
        body: { subject: grant.subject, expires_at: expiresAt.toISOString() },
      })
      const shown = grant.basis.session === undefined ? undefined : credentialOf({ headers, method })
      const answer = shown
        ? answerWith(shown, await prolonged(shown))
        : await writeOnce(request, async sql => {
            const token = createToken('session')
            const hash = hashOfToken(token)
            const expiresAt = await storage.sessions.create(sql, hash, { ...restingOn(grant), rights: grant.rights })
            return { ...answerWith(token, expiresAt), secretOf: shortNameOf(hash) }
          })
      // One cookie: not also the one that the request came with, renewed.
      return sendAnswer(reply.removeHeader('set-cookie'), answer)
    },
  )

  /** A session made from a session would outlive it. */
  async function prolonged(session: Secret): Promise<Date> {
    const [expiresAt] = await storage.sessions.slide([hashOfToken(session)])
    if (!expiresAt) throw new SyncError('credential-expired', 'the session has ended')
    return expiresAt
  }
}

/** Nobody is asked for a credential here: who signs out need not be signed in any more. */
export function signOutRoute(app: CheckingApp, services: SignOutServices): void {
  const { storage, authority, attempts, requests, publicUrl } = services
  app.delete(
    url,
    {
      schema: {
        operationId: 'signOut',
        summary: 'End the session, and take its cookie away',
        tags: ['access'],
        isOpen: true,
        response: { 204: noBody('There is no session any more.', 'Set-Cookie') },
      },
    },
    async (request, reply) => {
      const token = sessionTokenIn(request.headers)
      if (token) {
        const address = () => callerAddress(request.raw, requests.trustedProxies)
        const ended = await attempts.find(token, address, async () =>
          (await storage.sessions.end(hashOfToken(token))) ? true : undefined,
        )
        if (ended) authority.announce()
      }
      return reply
        .status(204)
        .header('set-cookie', noSessionCookie(secure(request, publicUrl)))
        .send()
    },
  )
  refuseOtherMethods(app, url, ['GET', 'HEAD', 'POST', 'DELETE'])
}

const secure = (request: FastifyRequest, publicUrl: string | undefined): boolean =>
  request.protocol === 'https' || isSecure(request.headers, publicUrl)
