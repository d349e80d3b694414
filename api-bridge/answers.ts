/** What routes declare of their answers, for the OpenAPI document. Nothing is checked with it: it is held by tests. */
import { z } from 'zod'
import { operationResultSchema } from '../core/contract/change.ts'
import { fieldErrorSchema } from '../core/contract/field-error.ts'

const rateLimit = (description: string) => ({ description, schema: { type: 'integer' } })

/** Every header that answers have and that callers have a use for. */
export const answerHeaders = {
  ETag: {
    description: 'Names what was answered, as it is now: to be sent as If-None-Match, or, of an item, as If-Match.',
    schema: { type: 'string', examples: ['"8161533914-42"'] },
  },
  Location: {
    description: 'The address of what was made; of an answer 202 that of the change, to be asked what became of it.',
    schema: { type: 'string', format: 'uri-reference' },
  },
  'Retry-After': { description: 'Seconds to wait before asking again.', schema: { type: 'integer', minimum: 1 } },
  'RateLimit-Policy': {
    description: 'How many requests there may be at once, and in how many seconds all of them are there again.',
    schema: { type: 'string', examples: ['1000;w=10'] },
  },
  'RateLimit-Limit': rateLimit('How many requests this credential may make at once.'),
  'RateLimit-Remaining': rateLimit('How many of them are left.'),
  'RateLimit-Reset': rateLimit('Seconds until all of them are there again.'),
  'WWW-Authenticate': {
    description: 'RFC 6750; says `invalid_token` where there was a credential.',
    schema: { type: 'string', examples: ['Bearer error="invalid_token"'] },
  },
  'Accept-Encoding': {
    description: 'Where the body was encoded: what it may be.',
    schema: { type: 'string', const: 'identity' },
  },
  'Content-Disposition': { description: 'The name of the file.', schema: { type: 'string' } },
  'Set-Cookie': { description: 'The cookie `boardsync_session`, or its end.', schema: { type: 'string' } },
} as const
export type AnswerHeader = keyof typeof answerHeaders

/** Of every answer to a request that counts. */
export const limitHeaders: readonly AnswerHeader[] = [
  'RateLimit-Policy',
  'RateLimit-Limit',
  'RateLimit-Remaining',
  'RateLimit-Reset',
]

export interface DeclaredAnswer {
  /** When it is given, and what it means. */
  description: string
  headers: readonly AnswerHeader[]
  /** By media type. Absent: an answer without a body. */
  content?: Readonly<Record<string, { schema: z.ZodType }>>
}

export const json = (schema: z.ZodType, description: string, ...headers: AnswerHeader[]): DeclaredAnswer => ({
  description,
  headers,
  content: { 'application/json': { schema } },
})

export const noBody = (description: string, ...headers: AnswerHeader[]): DeclaredAnswer => ({ description, headers })

export const problemSchema = z
  .object({
    type: z.string().meta({
      description:
        '`/v1/problems/` and the name of the problem, which stays what it is. It is the address of a page that says what helps.',
    }),
    title: z.string().meta({ description: 'The same for all problems of the type.' }),
    status: z.int().meta({ description: 'The status of the answer.' }),
    detail: z.string().meta({ description: 'What is wrong this time, for people and models to read.' }),
    errors: z
      .array(fieldErrorSchema)
      .optional()
      .meta({ description: 'Where parts of what was sent are wrong: each of them.' }),
    id: z.string().optional().meta({
      description:
        'Of what was created before (already-created), or of the change that may be stored (storage-unavailable).',
    }),
    results: z.array(operationResultSchema).optional().meta({ description: 'Of a batch: one for each operation.' }),
  })
  .meta({
    id: 'Problem',
    description: 'Why a request was refused (RFC 9457).',
    examples: [
      {
        type: '/v1/problems/request-invalid',
        title: 'The request is not as it must be',
        status: 400,
        detail: '/x: Too big: expected number to be <=10000000',
        errors: [{ pointer: '/x', detail: 'Too big: expected number to be <=10000000' }],
      },
    ],
  })
