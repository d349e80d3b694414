/** What other programs publish on `board:{id}:updates`: a change that they ask for. Our own wake-ups (`wake-up.ts`) come there, too. */
import { z } from 'zod'
import { nameItems, newItemId, operationsSchema } from './batch.ts'
import { type BoardChange, itemChangeSchema } from './change.ts'
import { type FieldError, fieldErrors, forbiddenParts } from './field-error.ts'

/** As much as the body of a REST request may have. */
export const rawBytesAtMost = 1024 * 1024

export type RawMessage =
  /** Tells of a change that is stored already. */
  | { kind: 'wake-up' }
  | { kind: 'change'; change: BoardChange; messageId: string | undefined }
  | { kind: 'malformed'; detail: string }

const messageIdSchema = z
  .string()
  .regex(/^[^\p{Cc}\p{Cs}]{1,255}$/u, 'must be 1 to 255 characters without control characters')
  .optional()

const rawBatchSchema = z.strictObject({ action: z.literal('batch'), operations: operationsSchema })

const text = new TextDecoder('utf-8', { fatal: true })

export function readRawMessage(bytes: Uint8Array): RawMessage {
  if (bytes.byteLength > rawBytesAtMost) return malformed(`more than ${rawBytesAtMost} bytes`)
  let message: unknown
  try {
    message = JSON.parse(text.decode(bytes))
  } catch (error) {
    return malformed(String(error))
  }
  if (!isObject(message)) return malformed('not a JSON object')
  if (typeof message.change_id === 'string') return { kind: 'wake-up' }
  const forbidden = forbiddenParts(message)
  if (forbidden.length > 0) return faulty(forbidden)

  const { message_id, ...rest } = message
  const messageId = messageIdSchema.safeParse(message_id)
  if (!messageId.success) return malformed('/message_id must be 1 to 255 characters without control characters')
  const change = rest.action === 'batch' ? readBatch(rest) : readItemChange(rest)
  return 'errors' in change ? faulty(change.errors) : { kind: 'change', change, messageId: messageId.data }
}

function readItemChange(message: Record<string, unknown>): BoardChange | { errors: FieldError[] } {
  const change = itemChangeSchema.safeParse(completed(message))
  return change.success ? change.data : { errors: fieldErrors(change.error) }
}

function readBatch({ operations, ...rest }: Record<string, unknown>): BoardChange | { errors: FieldError[] } {
  const completedOnes = Array.isArray(operations) ? operations.map(completedOperation) : operations
  const batch = rawBatchSchema.safeParse({ ...rest, operations: completedOnes })
  if (!batch.success) return { errors: fieldErrors(batch.error) }
  const named = nameItems(batch.data.operations)
  return 'errors' in named ? named : { action: 'batch', operations: named.operations }
}

/** A create may leave its id to us; of a delete, the id is all that counts. */
function completed(message: Record<string, unknown>): unknown {
  const { action, item } = message
  if (!isObject(item)) return message
  if (action === 'create' && item.id === undefined) return { ...message, item: { ...item, id: newItemId() } }
  if (action === 'delete') return { ...message, item: { id: item.id } }
  return message
}

const completedOperation = (operation: unknown): unknown => (isObject(operation) ? completed(operation) : operation)

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const malformed = (detail: string): RawMessage => ({ kind: 'malformed', detail })
const faulty = (faults: FieldError[]): RawMessage =>
  malformed(faults.map(({ pointer, detail }) => `${pointer} ${detail}`.trim()).join('; '))
