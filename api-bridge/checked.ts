/** What a request says, held against a schema. */
import { z } from 'zod'
import { fieldErrors } from '../core/contract/field-error.ts'
import { Problem } from './problems.ts'

/**
 * @param at pointer to the value, where it is not the body
 * @throws Problem `request-invalid` with a pointer for each fault
 */
export function checked<T extends z.ZodType>(schema: T, value: unknown, at = ''): z.output<T> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const errors = fieldErrors(parsed.error).map(error => ({ ...error, pointer: at + error.pointer }))
  throw Problem.ofFields('request-invalid', errors)
}

export const idempotencyKeySchema = z
  .string()
  .regex(/^[\x20-\x7e]{1,255}$/, 'must be 1 to 255 printable ASCII characters')
  .optional()
