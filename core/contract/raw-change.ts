/** What stands in a message on `board:{id}:updates`: our own wake-up, or a change that another program asks for. */
import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { type ItemChange, itemChangeSchema } from './change.ts'
import { type FieldError, fieldErrors, forbiddenParts } from './field-error.ts'

/** As much as the body of a REST request may have. */
const MAX_RAW_BYTES = 1024 * 1024

export type RawMessage =
  /** Tells of a change that is stored already. */
  | { kind: 'wake-up' }
  | { kind: 'change'; change: ItemChange; messageId: string | undefined }
  | { kind: 'batch' }
  | { kind: 'malformed'; detail: string }

const messageIdSchema = z
  .string()
  .regex(/^[^\p{Cc}\p{Cs}]{1,255}$/u, 'must be 1 to 255 characters without control characters')
  .optional()

const text = new TextDecoder('utf-8', { fatal: true })

export function readRawMessage(bytes: Uint8Array): RawMessage {
  if (bytes.byteLength > MAX_RAW_BYTES) return malformed(`more than ${MAX_RAW_BYTES} bytes`)
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
  if (message.action === 'batch') return { kind: 'batch' }

  const { message_id, ...rest } = message
  const messageId = messageIdSchema.safeParse(message_id)
  if (!messageId.success) return malformed('/message_id must be 1 to 255 characters without control characters')
  const change = itemChangeSchema.safeParse(completed(rest))
  if (!change.success) return faulty(fieldErrors(change.error))
  return { kind: 'change', change: change.data, messageId: messageId.data }
}

/** Whether it is ours, without reading it: what is quoted in a text has a backslash before its quotes. */
export function mayBeWakeUp(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes('"change_id"')
}

/** A create may leave its id to us; of a delete, the id is all that counts. */
function completed(message: Record<string, unknown>): unknown {
  const { action, item } = message
  if (!isObject(item)) return message
  if (action === 'create' && item.id === undefined)
    return { ...message, item: { ...item, id: randomBytes(12).toString('base64url') } }
  if (action === 'delete') return { ...message, item: { id: item.id } }
  return message
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const malformed = (detail: string): RawMessage => ({ kind: 'malformed', detail })
const faulty = (faults: FieldError[]): RawMessage =>
  malformed(faults.map(({ pointer, detail }) => `${pointer} ${detail}`.trim()).join('; '))
