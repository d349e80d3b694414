/**
 * The item: how agents and other programs speak of one thing on a board. Its schemas, its limits, and what a refusal
 * looks like. How an item becomes a tldraw record is told in `core/doc`.
 *
 *   new item    what a create says: only `type` is required, the rest has defaults
 *   patch       a JSON merge patch (RFC 7396) of an item: absent keeps, a value sets, null goes back to the default
 *   item        what a read answers: every field its type has a use for, defaults included
 */
import {
  DefaultColorStyle,
  DefaultDashStyle,
  DefaultFillStyle,
  DefaultFontStyle,
  DefaultSizeStyle,
  DefaultTextAlignStyle,
  GeoShapeGeoStyle,
} from '@tldraw/tlschema'
import { z } from 'zod'

const itemId = /^[A-Za-z0-9_-]{1,64}$/
/** |x| and |y|; tldraw's own arithmetic stays exact well beyond. */
export const coordinateAtMost = 10_000_000
/** Width and height, which are also over 0. */
export const sizeAtMost = 100_000
/** Code points, as zod and JSON Schema count: an emoji is one or several. */
const longestText = 10_000
export const longestTitle = 1_000
const longestLink = 8_192
/** A picture inside its URL; bigger ones are uploaded as assets. */
export const longestDataUrl = 256 * 1024
const longestCreatedBy = 256
const longestReference = 256

export const itemTypes = ['sticky', 'text', 'shape', 'frame', 'image', 'document', 'connector'] as const
export type ItemType = (typeof itemTypes)[number]

const assetPath = /^\/v1\/boards\/[A-Za-z0-9_-]{1,128}\/assets\/[0-9a-f]{64}$/
const dataImage = /^data:image\/[a-z0-9.+-]+[;,]/i
const webAddress = /^https?:\/\//i
/** Postgres' jsonb refuses NUL and lone surrogates, and UTF-8 (so Yjs) has no way to write the latter. */
const unstorable = /[\0\p{Surrogate}]/u

const storable = (text: string) => !unstorable.test(text)
const storableError = { error: 'must be well-formed Unicode without the character U+0000' }

export const itemIdSchema = z.string().regex(itemId, { error: 'must be 1 to 64 letters, digits, "_" or "-"' })
/** Names something on the board; what people drew has ids that other programs chose, so only the length is ours. */
export const referenceSchema = z.string().min(1).max(longestReference).refine(storable, storableError)
export const isReference = (text: string): boolean =>
  text.length > 0 && text.length <= longestReference && storable(text)
const coordinate = z.number().min(-coordinateAtMost).max(coordinateAtMost)
const size = z.number().gt(0).max(sizeAtMost)
const url = z.string().refine(isAllowedUrl, {
  error: `must be an http(s) address (at most ${longestLink} characters), an asset path (/v1/boards/…/assets/…) or data:image/… of at most 256 KiB`,
})

const contentFields = {
  text: z.string().max(longestText).refine(storable, storableError),
  url,
  title: z.string().max(longestTitle).refine(storable, storableError),
  from: referenceSchema,
  to: referenceSchema,
  kind: z.enum(GeoShapeGeoStyle.values),
}

const styleFields = {
  color: z.enum(DefaultColorStyle.values),
  size: z.enum(DefaultSizeStyle.values),
  font: z.enum(DefaultFontStyle.values),
  fill: z.enum(DefaultFillStyle.values),
  dash: z.enum(DefaultDashStyle.values),
  align: z.enum(DefaultTextAlignStyle.values),
}

const fields = {
  x: coordinate,
  y: coordinate,
  width: size,
  height: size,
  /** Radians, clockwise, as tldraw has it. */
  rotation: z.number(),
  parent: referenceSchema,
  created_by: z.string().min(1).max(longestCreatedBy).refine(storable, storableError),
}

export const newItemSchema = z
  .strictObject({
    id: itemIdSchema.exactOptional(),
    type: z.enum(itemTypes),
    ...settable(fields),
    content: z.strictObject(settable(contentFields)).exactOptional(),
    style: z.strictObject(settable(styleFields)).exactOptional(),
  })
  .meta({ id: 'NewItem' })
export type NewItem = z.infer<typeof newItemSchema>

/** `id` and `type` may be repeated as they are; a change of either is refused when the patch is applied. */
export const itemPatchSchema = z
  .strictObject({
    id: referenceSchema.exactOptional(),
    type: z.enum(itemTypes).exactOptional(),
    ...removable(fields),
    content: z.strictObject(removable(contentFields)).nullable().exactOptional(),
    style: z.strictObject(removable(styleFields)).nullable().exactOptional(),
  })
  .meta({ id: 'ItemPatch' })
export type ItemPatch = z.infer<typeof itemPatchSchema>

const optionalText = z.string().exactOptional()

/** What a read answers. People's shapes are held to tldraw's bounds, not to ours, so this promises kinds of values only. */
export const itemSchema = z
  .strictObject({
    id: z.string(),
    type: z.enum(itemTypes),
    x: z.number(),
    y: z.number(),
    width: z.number().exactOptional(),
    /** A sticky's grows with its text. */
    height: z.number().exactOptional(),
    rotation: z.number(),
    parent: optionalText,
    content: z.strictObject({
      text: optionalText,
      url: optionalText,
      title: optionalText,
      from: optionalText,
      to: optionalText,
      kind: optionalText,
    }),
    style: z.strictObject({
      color: optionalText,
      size: optionalText,
      font: optionalText,
      fill: optionalText,
      dash: optionalText,
      align: optionalText,
    }),
    created_by: optionalText,
    /** The tldraw record, where a person drew it. */
    record: z.record(z.string(), z.unknown()).exactOptional(),
  })
  .meta({ id: 'Item' })
export type Item = z.infer<typeof itemSchema>

function isAllowedUrl(text: string): boolean {
  if (dataImage.test(text)) return text.length <= longestDataUrl && storable(text)
  if (text.length > longestLink || /\p{Cc}/u.test(text) || !storable(text)) return false
  return assetPath.test(text) || (webAddress.test(text) && URL.canParse(text))
}

type Shape = Record<string, z.ZodType>

function settable<S extends Shape>(shape: S): { [K in keyof S]: z.ZodExactOptional<S[K]> } {
  const entries = Object.entries(shape).map(([name, field]) => [name, z.exactOptional(field)])
  return Object.fromEntries(entries) as { [K in keyof S]: z.ZodExactOptional<S[K]> }
}

function removable<S extends Shape>(shape: S): { [K in keyof S]: z.ZodExactOptional<z.ZodNullable<S[K]>> } {
  const entries = Object.entries(shape).map(([name, field]) => [name, z.exactOptional(z.nullable(field))])
  return Object.fromEntries(entries) as { [K in keyof S]: z.ZodExactOptional<z.ZodNullable<S[K]>> }
}
