/** The API keys of a board: made, listed and revoked by those who manage it. */
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { LiveAuthority } from '../core/auth/live-authority.ts'
import { createToken, hashOfToken } from '../core/auth/token.ts'
import { roles } from '../core/contract/role.ts'
import type { ApiKey } from '../core/store/api-keys.ts'
import type { Storage } from '../core/store/storage.ts'
import { onBoard } from './access.ts'
import { json, noBody } from './answers.ts'
import { livingHead } from './board-missing.ts'
import { sendAnswer, type WriteOnce } from './idempotency.ts'
import { refuseOtherMethods } from './methods.ts'
import { pageQuery } from './paging.ts'
import { Problem } from './problems.ts'
import { boardParams, type CheckingApp, writeHeaders } from './validation.ts'

export interface KeyServices {
  storage: Pick<Storage, 'boards' | 'keys'>
  authority: Pick<LiveAuthority, 'announce'>
  writeOnce: WriteOnce
}

const roleSchema = z.enum(roles).meta({ id: 'Role', description: 'read sees, write edits too, admin manages too.' })
const keySchema = z
  .object({
    id: z.uuid(),
    role: roleSchema,
    created_at: z.iso.datetime(),
    expires_at: z.iso.datetime().nullable().meta({ description: 'null: never.' }),
    last_used_at: z.iso.datetime().nullable().meta({ description: 'Give or take a minute.' }),
  })
  .meta({ id: 'Key' })
const newKeySchema = keySchema
  .omit({ last_used_at: true })
  .extend({ key: z.string().meta({ description: 'Shown this once: only its hash is kept.' }) })
  .meta({ id: 'NewKey' })
const wantedKeySchema = z
  .strictObject({
    role: roleSchema,
    expires_at: z.iso
      .datetime({ offset: true })
      .refine(at => !(Date.parse(at) <= Date.now()), 'must be in the future')
      .nullish()
      .meta({ description: 'Never, where it is left out.' }),
  })
  .meta({ id: 'WantedKey', examples: [{ role: 'write' }] })
const listQuerySchema = z.strictObject({
  limit: pageQuery.limit,
  cursor: z.uuid().optional().meta({ description: '`next` of the page before.' }),
})
const pageSchema = z
  .object({
    keys: z.array(keySchema),
    next: z.uuid().nullable().meta({ description: '`cursor` of the next page; null: this is the last.' }),
  })
  .meta({ id: 'KeyPage' })
const keyParams = boardParams.extend({ key: z.string().meta({ description: 'Id of the key; not the key itself.' }) })

export function keyRoutes(app: CheckingApp, { storage, authority, writeOnce }: KeyServices): void {
  const url = '/boards/:board/keys'
  const keyUrl = '/boards/:board/keys/:key'

  app.post(
    url,
    {
      onRequest: onBoard('admin'),
      schema: {
        operationId: 'createKey',
        summary: 'Make an API key for this board',
        tags: ['access'],
        params: boardParams,
        headers: writeHeaders,
        body: wantedKeySchema,
        response: { 201: json(newKeySchema, 'The key, which is shown this once.', 'Location') },
        problems: ['already-created'],
      },
    },
    async (request, reply) => {
      const { board, grant } = request
      const { role, expires_at } = request.body
      livingHead(await storage.boards.create(board))
      const answer = await writeOnce(request, async sql => {
        const token = createToken('key')
        const wanted = {
          id: randomUUID(),
          hash: hashOfToken(token),
          board,
          role,
          expiresAt: expires_at ? new Date(expires_at) : undefined,
          createdBy: grant.subject,
        }
        const { last_used_at: _never, ...shown } = keyDocument(await storage.keys.create(wanted, sql))
        return {
          status: 201,
          headers: { location: `/v1/boards/${board}/keys/${shown.id}`, 'cache-control': 'no-store' },
          body: { ...shown, key: token.reveal() },
          secretOf: shown.id,
        }
      })
      return sendAnswer(reply, answer)
    },
  )

  app.get(
    url,
    {
      onRequest: onBoard('admin'),
      schema: {
        operationId: 'listKeys',
        summary: 'The keys of this board that are not revoked, by id',
        tags: ['access'],
        params: boardParams,
        querystring: listQuerySchema,
        response: { 200: json(pageSchema, 'The first keys, or those behind `cursor`.') },
      },
    },
    async ({ board, query: { limit, cursor } }) => {
      livingHead(await storage.boards.head(board))
      const found = await storage.keys.list({ board }, limit + 1, cursor)
      const keys = found.slice(0, limit)
      return { keys: keys.map(keyDocument), next: found.length > limit ? (keys.at(-1)?.id ?? null) : null }
    },
  )

  app.delete(
    keyUrl,
    {
      onRequest: onBoard('admin'),
      schema: {
        operationId: 'revokeKey',
        summary: 'Revoke a key',
        description: 'What is connected or signed in by it is closed within seconds.',
        tags: ['access'],
        params: keyParams,
        headers: writeHeaders,
        response: { 204: noBody('It opens nothing any more.') },
        problems: ['key-missing'],
      },
    },
    async (request, reply) => {
      const id = z.uuid().safeParse(request.params.key)
      const answer = await writeOnce(request, async sql => {
        const revoked = id.success && (await storage.keys.revoke(id.data, { board: request.board }, sql))
        if (!revoked) throw new Problem('key-missing', 'this board has no key of this id')
        return { status: 204 }
      })
      authority.announce()
      return sendAnswer(reply, answer)
    },
  )

  refuseOtherMethods(app, url, ['GET', 'HEAD', 'POST'])
  refuseOtherMethods(app, keyUrl, ['DELETE'])
}

const keyDocument = ({ id, role, createdAt, expiresAt, lastUsedAt }: ApiKey) => ({
  id,
  role,
  created_at: createdAt.toISOString(),
  expires_at: expiresAt?.toISOString() ?? null,
  last_used_at: lastUsedAt?.toISOString() ?? null,
})
