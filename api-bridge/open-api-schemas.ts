/** JSON Schema, made by zod of the schemas that requests are checked with and answers are declared with. */
import { z } from 'zod'

/** As far as it is read here. */
export interface Schema {
  $ref?: string
  description?: string
  examples?: unknown[]
  properties?: Record<string, Schema>
  required?: string[]
}

const prefix = '#/components/schemas/'

const conversion = {
  // Of answers, too, which are told as they are sent. Their objects stay open: a later version may add a field.
  io: 'input',
  unrepresentable: 'any',
  override({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }) {
    // How far JavaScript counts is no limit of ours.
    if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
    if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum
    // The format says it in a word, zod's pattern for it in hundreds of characters.
    if (jsonSchema.format !== undefined) delete jsonSchema.pattern
  },
} as const

/** Every schema that has an id: the components of the document. */
export function namedSchemas(): Record<string, Schema> {
  const made = z.toJSONSchema(z.globalRegistry, { ...conversion, uri: id => `${prefix}${id}` })
  return Object.fromEntries(
    Object.entries(made.schemas).map(([name, { $schema: _, $id: __, ...schema }]) => [name, schema as Schema]),
  )
}

/** A schema where it is used: one that has an id is referred to. */
export function jsonSchemaOf(schema: z.ZodType): Schema {
  const id = z.globalRegistry.get(schema)?.id
  if (id !== undefined) return { $ref: `${prefix}${id}` }
  const { $schema: _, $defs: __, ...made } = z.toJSONSchema(schema, conversion)
  return JSON.parse(JSON.stringify(made).replaceAll('"#/$defs/', `"${prefix}`)) as Schema
}
