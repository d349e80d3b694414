/** The OpenAPI document of the routes: each as a call, and what they share. */
import type { FastifySchema } from 'fastify'
import { z } from 'zod'
import type { Role } from '../core/contract/role.ts'
import { answerHeaders, type DeclaredAnswer, limitHeaders } from './answers.ts'
import {
  type Answer,
  bodyTypes,
  byStatus,
  type DocumentedRoute,
  headersOf,
  type ProblemsByStatus,
  problemsOf,
  type Reference,
  refusalsOf,
  sharedRefusals,
} from './open-api-refusals.ts'
import { jsonSchemaOf, namedSchemas, type Schema } from './open-api-schemas.ts'

interface Parameter {
  name: string
  in: 'path' | 'query' | 'header'
  required: boolean
  description?: string
  schema: Schema
}

export interface Operation {
  operationId: string
  summary: string
  description?: string
  tags: readonly string[]
  parameters: Parameter[]
  requestBody?: { required: boolean; content: Record<string, { schema: Schema }> }
  responses: Record<string, Answer | Reference>
  security?: Record<string, string[]>[]
}

export interface ApiDocument {
  openapi: string
  info: { title: string; version: string; description: string; license: { name: string; identifier: string } }
  servers: { url: string; description: string }[]
  tags: { name: string; description: string }[]
  paths: Record<string, Record<string, Operation>>
  components: {
    schemas: Record<string, Schema>
    responses: Record<string, Answer>
    headers: typeof answerHeaders
    securitySchemes: typeof securitySchemes
  }
  security: Record<string, string[]>[]
}

const description = `People draw on boards; programs read and write the same boards here.

Errors are problem documents (RFC 9457); their \`type\` leads to a page that says what helps. A write with an
\`Idempotency-Key\` may be sent again after any timeout: it is made once. 201 and 200 mean that the change is stored for
good and on the board; 202 means that it is stored and will be on the board, see \`Location\`.

A call takes a role on the board: read, write or admin, each of which may all that those before it may. The security of the
call names it. A server on localhost without any credential setting takes every call without a credential.

Objects in answers may have more fields in later versions.`

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

const securitySchemes = {
  bearer: { type: 'http', scheme: 'bearer', description: 'An API key, a JWT or a one-time ticket.' },
  apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'The same, in another header.' },
  session: {
    type: 'apiKey',
    in: 'cookie',
    name: 'boardsync_session',
    description:
      'For pages of this server and of allowed origins: signIn makes one of any credential. Answers may set the cookie anew.',
  },
} as const

/** @param publicUrl the address people see, where one is set */
export function openApiDocument(
  routes: readonly DocumentedRoute[],
  { version, publicUrl = '/' }: { version: string; publicUrl: string | undefined },
): ApiDocument {
  const refusals = byStatus(routes.flatMap(problemsOf))
  const paths: ApiDocument['paths'] = {}
  for (const route of routes) {
    const path = route.url.replaceAll(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route, refusals) }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'boardsync', version, description, license: { name: 'MIT', identifier: 'MIT' } },
    servers: [{ url: publicUrl, description: 'The server that this document comes from.' }],
    tags,
    paths,
    components: {
      schemas: namedSchemas(),
      responses: sharedRefusals(refusals),
      headers: answerHeaders,
      securitySchemes,
    },
    security: asking(),
  }
}

/** For any of the credentials; OpenAPI 3.1 lets a requirement name the roles that it takes (4.8.30). */
const asking = (...roles: Role[]) => Object.keys(securitySchemes).map(scheme => ({ [scheme]: roles }))

function operationOf(route: DocumentedRoute, refusals: ProblemsByStatus): Operation {
  const { schema, role } = route
  const { operationId = '', summary = '', description, tags = [], isOpen } = schema
  const body = schema.body as z.ZodType | undefined
  return {
    operationId,
    summary,
    ...(description !== undefined && { description }),
    tags,
    parameters: [
      ...parametersIn('path', schema.params),
      ...parametersIn('query', schema.querystring),
      ...parametersIn('header', schema.headers),
    ],
    ...(body && {
      requestBody: {
        required: presentBody(body) === body,
        content: Object.fromEntries(bodyTypes(schema).map(type => [type, { schema: jsonSchemaOf(presentBody(body)) }])),
      },
    }),
    responses: { ...answersOf(schema), ...refusalsOf(route, refusals) },
    ...(role && { security: asking(role) }),
    ...(isOpen && { security: [] }),
  }
}

function parametersIn(where: Parameter['in'], checks: unknown): Parameter[] {
  if (checks === undefined) return []
  const { properties = {}, required = [] } = jsonSchemaOf(checks as z.ZodType)
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: where,
    required: required.includes(name),
    ...(description !== undefined && { description }),
    schema,
  }))
}

/** What a body is where there is one: one that may be left out may also be null. */
const presentBody = (body: z.ZodType): z.ZodType =>
  body instanceof z.ZodOptional || body instanceof z.ZodNullable ? presentBody(body.unwrap() as z.ZodType) : body

function answersOf({ response, isOpen }: FastifySchema): Record<string, Answer> {
  const declared = Object.entries(response as Record<string, DeclaredAnswer>)
  return Object.fromEntries(
    declared.map(([status, { description, headers, content }]) => [
      status,
      {
        description,
        ...headersOf([...headers, ...(isOpen ? [] : limitHeaders)]),
        ...(content && {
          content: Object.fromEntries(
            Object.entries(content).map(([type, { schema }]) => [type, { schema: jsonSchemaOf(schema) }]),
          ),
        }),
      },
    ]),
  )
}
