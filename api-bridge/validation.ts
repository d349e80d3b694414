/**
 * What a request says, held against the schemas that its route declares. The same schemas make the OpenAPI document: what
 * it says is what is checked.
 */
import type { FastifyInstance, FastifyTypeProvider } from 'fastify'
import { z } from 'zod'
import { fieldErrors } from '../core/contract/field-error.ts'
import { Problem } from './problems.ts'

/** A handler gets what the schemas of its route make of a request; what it answers is declared for readers only. */
interface CheckedInput extends FastifyTypeProvider {
  validator: this['schema'] extends z.ZodType ? z.output<this['schema']> : unknown
  serializer: unknown
}

/**
 * The app, for routes that declare zod schemas. A request that is not as they say is answered `request-invalid`, with a
 * pointer for each fault: into the body, `/limit` for a part of the query, `/If-Match` for a header.
 */
export function checkingRequests(app: FastifyInstance) {
  app.setValidatorCompiler<z.ZodType>(({ schema, httpPart }) => value => {
    const parsed = schema.safeParse(value)
    if (parsed.success) return { value: parsed.data }
    const errors = fieldErrors(parsed.error)
    const shown =
      httpPart === 'headers' ? errors.map(error => ({ ...error, pointer: headerCase(error.pointer) })) : errors
    return { error: Problem.ofFields('request-invalid', shown) }
  })
  app.setSerializerCompiler(() => JSON.stringify)
  return app.withTypeProvider<CheckedInput>()
}
export type CheckingApp = ReturnType<typeof checkingRequests>

/** Node hands header names over in lower case. */
const headerCase = (name: string): string =>
  name.replaceAll(/(^|[-/])[a-z]/g, start => start.toUpperCase()).replaceAll(/-Id\b/g, '-ID')

const idempotencyKeySchema = z
  .string()
  .regex(/^[\x20-\x7e]{1,255}$/, 'must be 1 to 255 printable ASCII characters')
  .meta({
    description:
      'Makes a retry safe: for 24 hours the same key is answered with what the first request brought about, for this board ' +
      'and credential. 1 to 255 printable ASCII characters, another one for each write.',
    examples: ['note-42'],
  })

/** The headers of a write. */
export const writeHeaders = z.looseObject({ 'idempotency-key': idempotencyKeySchema.optional() })

/** The headers of a conditional read. */
export const readHeaders = z.looseObject({
  'if-none-match': z.string().optional().meta({
    description: 'The ETag of what is known already, quotes included: answers 304 without a body when it is still so.',
  }),
})

export const boardParams = z.object({
  // Checked with the right to it, before the body is read.
  board: z.string().meta({ description: 'Id of the board.', pattern: '^[A-Za-z0-9_-]{1,128}$', examples: ['demo'] }),
})
