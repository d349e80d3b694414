/** The OpenAPI document, made of the schemas that the routes check requests with, and the page that shows it. */
import swagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { operationResultSchema } from '../core/contract/change.ts'
import { type ApiDocument, docsPage } from './docs-page.ts'
import { refuseOtherMethods } from './methods.ts'

const description = `People draw on boards; programs read and write the same boards here.

Errors are problem documents (RFC 9457); their \`type\` leads to a page that says what helps. A write with an
\`Idempotency-Key\` may be sent again after any timeout: it is made once. 201 and 200 mean that the change is stored for
good and on the board; 202 means that it is stored and will be on the board, see \`Location\`.`

const tags = [
  { name: 'boards', description: 'The boards themselves.' },
  { name: 'items', description: 'What is on a board.' },
  { name: 'events', description: 'What happens on a board, as it happens.' },
  { name: 'files', description: 'Boards as files of tldraw.' },
  { name: 'assets', description: 'Pictures that image items show.' },
  { name: 'presence', description: 'Who is on a board.' },
  { name: 'access', description: 'Who may do what: keys, one-time tickets, sessions of browsers.' },
  { name: 'changes', description: 'What became of a write that was answered 202.' },
]

/** Routes registered on `v1` after this are part of the document, unless they are hidden. */
export async function openApi(v1: FastifyInstance, version: string): Promise<void> {
  await v1.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'boardsync', version, description, license: { name: 'MIT', identifier: 'MIT' } },
      tags,
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', description: 'An API key, a JWT or a ticket.' },
          apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
          session: { type: 'apiKey', in: 'cookie', name: 'boardsync_session', description: 'See signIn.' },
        },
      },
      security: [{ bearer: [] }, { apiKey: [] }, { session: [] }],
    },
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  })
  const url = '/openapi.json'
  v1.get(url, { schema: { hide: true } }, async () => v1.swagger())
  refuseOtherMethods(v1, url, ['GET', 'HEAD'])
  const docs = '/docs'
  let page: string | undefined
  v1.get(docs, { schema: { hide: true } }, async (_request, reply) => {
    page ??= docsPage(v1.swagger() as unknown as ApiDocument)
    return reply
      .headers({
        'content-security-policy':
          "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; frame-ancestors 'self'",
        'x-content-type-options': 'nosniff',
        'cache-control': 'no-cache',
      })
      .type('text/html; charset=utf-8')
      .send(page)
  })
  refuseOtherMethods(v1, docs, ['GET', 'HEAD'])
}

export const problemSchema = z
  .object({
    type: z
      .string()
      .meta({ description: 'Stable; a page about the problem.', examples: ['/v1/problems/item-missing'] }),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    errors: z
      .array(
        z.object({ pointer: z.string().meta({ description: 'RFC 6901, into what was sent' }), detail: z.string() }),
      )
      .optional(),
    id: z.string().optional().meta({
      description:
        'Of what was created before (already-created), or of the change that may be stored (storage-unavailable).',
    }),
    results: z.array(operationResultSchema).optional().meta({ description: 'Of a batch: one for each operation.' }),
  })
  .meta({ id: 'Problem', description: 'RFC 9457' })

/** The answers of a call beside `answers`: whatever goes wrong. */
export const orProblem = <A extends Record<string, unknown>>(answers: A) => ({
  ...answers,
  default: {
    description: 'What went wrong, as a problem document',
    content: { 'application/problem+json': { schema: problemSchema } },
  },
})

/** An answer without a body. */
export const noBody = (description: string) => z.null().meta({ description })
