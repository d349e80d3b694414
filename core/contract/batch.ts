/**
 * A batch as it is asked for: operations in order, made all or none.
 *
 * A create may name its item `$` and a name of its own ("$plan"). Such a temporary id stands for the id that the item then
 * gets, in every later operation of the batch: as `parent`, `content.from`, `content.to`, or as the `id` itself.
 */
import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { type ItemChange, itemChangeSchema, operationsAtMost } from './change.ts'
import type { FieldError } from './field-error.ts'
import { newItemSchema } from './item.ts'

const isTemporary = (id: string): boolean => id.startsWith('$')

const [create, update, remove] = itemChangeSchema.options
const newIdSchema = z
  .string()
  .regex(/^(\$[A-Za-z0-9_-]{1,63}|[A-Za-z0-9_-]{1,64})$/, {
    error: 'must be 1 to 64 letters, digits, "_" or "-"; a temporary id has "$" before it',
  })
  .meta({ description: 'Made up where there is none. "$name": a temporary id, for use in later operations.' })

const operationSchema = z
  .discriminatedUnion('action', [
    create
      .extend({ item: newItemSchema.extend({ id: newIdSchema.exactOptional() }) })
      .meta({ id: 'CreateOperation', description: 'Puts an item on the board.' }),
    update.meta({
      id: 'UpdateOperation',
      description: 'Changes the fields that `item` has beside its `id`, as ItemPatch does.',
    }),
    remove.meta({ id: 'DeleteOperation', description: 'Takes an item off the board.' }),
  ])
  .meta({
    id: 'Operation',
    discriminator: {
      propertyName: 'action',
      mapping: {
        create: '#/components/schemas/CreateOperation',
        update: '#/components/schemas/UpdateOperation',
        delete: '#/components/schemas/DeleteOperation',
      },
    },
  })
type Operation = z.infer<typeof operationSchema>

export const operationsSchema = z.array(operationSchema).min(1).max(operationsAtMost)

export const newItemId = (): string => randomBytes(12).toString('base64url')

/** The operations with an id for every item and no temporary ones left. Pointers are into the batch. */
export function nameItems(operations: readonly Operation[]): { operations: ItemChange[] } | { errors: FieldError[] } {
  const ids = new Map<string, string>()
  const errors: FieldError[] = []
  const idOf = (id: string): string => ids.get(id) ?? id
  const named = operations.map((operation, n): ItemChange => {
    if (operation.action === 'delete') return { ...operation, item: { id: idOf(operation.item.id) } }
    if (operation.action === 'update')
      return { ...operation, item: { ...related(operation.item), id: idOf(operation.item.id) } }
    // Before it gets its name: what it refers to was made by an earlier operation.
    const item = related(operation.item)
    const { id = newItemId() } = operation.item
    if (!isTemporary(id)) return { action: 'create', item: { ...item, id } }
    if (ids.has(id)) errors.push({ pointer: `/operations/${n}/item/id`, detail: `"${id}" names another item already` })
    else ids.set(id, newItemId())
    return { action: 'create', item: { ...item, id: idOf(id) } }
  })
  return errors.length > 0 ? { errors } : { operations: named }

  function related<I extends Related>(item: I): I {
    const { parent, content } = item
    return {
      ...item,
      ...(parent && { parent: idOf(parent) }),
      ...(content && {
        content: {
          ...content,
          ...(content.from && { from: idOf(content.from) }),
          ...(content.to && { to: idOf(content.to) }),
        },
      }),
    }
  }
}

interface Related {
  parent?: string | null
  content?: { from?: string | null; to?: string | null } | null
}
