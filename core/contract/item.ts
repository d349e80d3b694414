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
export const itemTypeSchema = z.enum(itemTypes).meta({
  id: 'ItemType',
  description:
    'sticky: a note. text: text alone. shape: a geometric shape, `content.kind` says which. frame: a titled area that other ' +
    'items lie in. image: a picture, `content.url` says where it is. document: a card with a heading and a text. connector: ' +
    'an arrow between two items.',
})

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
  rotation: z.number(),
  parent: referenceSchema,
  created_by: z.string().min(1).max(longestCreatedBy).refine(storable, storableError),
}

/** What each field is, with its unit and its default, wherever it stands. */
const meanings = {
  x: 'Page coordinate of the top left corner, to the right; relative to the frame, where there is a `parent`. Default: 0. A connector is drawn between its ends, wherever this is.',
  y: 'As `x`, downwards.',
  width:
    'In page units. Default: shape, image 200; frame, document 320. It wraps a text, which is as wide as it says without. A sticky is 200 wide.',
  height: 'In page units. Default: shape, image, document 200; frame 180. A sticky and a text grow with what they say.',
  rotation: 'In radians, clockwise. Default: 0.',
  parent: 'Id of the frame that it lies in. Default: the page; a connector: the frame that both its ends lie in.',
  created_by: 'Name of the agent that made it; people see it beside its cursor.',
  text: 'The label of every type but frame and image, as plain text with `\n` for a new line. Default: empty.',
  url: `Image, required: where the picture is, as http(s) address, as \`/v1/boards/…/assets/…\` or as data:image/… of at most 256 KiB. Sticky, shape, document: a link. An address has at most ${longestLink} characters, and is never fetched by the server.`,
  title: "A frame's name, a document's heading, an image's alternative text. Default: empty.",
  from: 'Connector, required: id of the item at which its arrow begins, and which it follows.',
  to: 'Connector, required: id of another item, at which its arrow ends, and which it follows.',
  kind: 'Shape: which one. Default: rectangle.',
  color: 'Default: black; of a sticky yellow.',
  size: 'Of the text and the lines. Default: m.',
  font: 'Default: draw.',
  fill: 'Default: none.',
  dash: 'Of the lines. Default: draw.',
  align: 'Of the text. Default: middle; of a text and a document start.',
} as const
const content = 'What it says and shows. Each field says for which types it is.'
const style = 'How it looks. What a type has no use for is accepted and not kept.'

export const newItemSchema = z
  .strictObject({
    id: itemIdSchema.exactOptional().meta({ description: 'Made up where it is left out.' }),
    type: itemTypeSchema,
    ...settable(fields),
    content: z.strictObject(settable(contentFields)).meta({ id: 'NewContent', description: content }).exactOptional(),
    style: z.strictObject(settable(styleFields)).meta({ id: 'NewStyle', description: style }).exactOptional(),
  })
  .meta({
    id: 'NewItem',
    description: 'Only `type` is required, and what `content` says of images and connectors.',
    examples: [{ type: 'sticky', x: 100, y: 200, content: { text: 'From an agent' }, created_by: 'agent-7' }],
  })
export type NewItem = z.infer<typeof newItemSchema>

/** `id` and `type` may be repeated as they are; a change of either is refused when the patch is applied. */
export const itemPatchSchema = z
  .strictObject({
    id: referenceSchema.exactOptional().meta({ description: 'That of the item, if anything: it cannot be changed.' }),
    type: itemTypeSchema.exactOptional(),
    ...removable(fields),
    content: z
      .strictObject(removable(contentFields))
      .meta({ id: 'ContentPatch', description: content })
      .nullable()
      .exactOptional(),
    style: z
      .strictObject(removable(styleFields))
      .meta({ id: 'StylePatch', description: style })
      .nullable()
      .exactOptional(),
  })
  .meta({
    id: 'ItemPatch',
    description:
      'JSON merge patch (RFC 7396): a field that is left out stays, null sets it back to its default. The type cannot be changed.',
    examples: [{ style: { color: 'red' } }],
  })
export type ItemPatch = z.infer<typeof itemPatchSchema>

const optionalText = z.string().exactOptional()

/**
 * What a read answers. People's shapes are held to tldraw's bounds, not to ours, so this promises kinds of values only. A
 * later version may answer more fields.
 */
export const itemSchema = z
  .object({
    id: z.string(),
    type: itemTypeSchema,
    ...meaningful({
      x: z.number(),
      y: z.number(),
      width: z.number().exactOptional(),
      height: z.number().exactOptional(),
      rotation: z.number(),
      parent: optionalText,
    }),
    content: z
      .object(
        meaningful({
          text: optionalText,
          url: optionalText,
          title: optionalText,
          from: optionalText,
          to: optionalText,
          kind: optionalText,
        }),
      )
      .meta({ id: 'Content', description: content }),
    style: z
      .object(
        meaningful({
          color: optionalText,
          size: optionalText,
          font: optionalText,
          fill: optionalText,
          dash: optionalText,
          align: optionalText,
        }),
      )
      .meta({ id: 'Style', description: 'How it looks, as far as its type has a use for it.' }),
    ...meaningful({ created_by: optionalText }),
    record: z
      .record(z.string(), z.unknown())
      .exactOptional()
      .meta({ description: 'The tldraw record, where a person drew it.' }),
  })
  .meta({
    id: 'Item',
    description:
      'An item, or what a person drew as the nearest type of item, with all fields that its type has a use for.',
    examples: [
      {
        ...{ id: 'note-1', type: 'sticky', x: 100, y: 200, width: 200, height: 200, rotation: 0 },
        content: { text: 'From an agent' },
        style: { color: 'yellow', size: 'm', font: 'draw', align: 'middle' },
        created_by: 'agent-7',
      },
    ],
  })
export type Item = z.infer<typeof itemSchema>

function isAllowedUrl(text: string): boolean {
  if (dataImage.test(text)) return text.length <= longestDataUrl && storable(text)
  if (text.length > longestLink || /\p{Cc}/u.test(text) || !storable(text)) return false
  return assetPath.test(text) || (webAddress.test(text) && URL.canParse(text))
}

type Shape = Record<string, z.ZodType>

function settable<S extends Shape>(shape: S): { [K in keyof S]: z.ZodExactOptional<S[K]> } {
  const entries = Object.entries(shape).map(([name, field]) => [name, z.exactOptional(field)])
  return meaningful(Object.fromEntries(entries)) as { [K in keyof S]: z.ZodExactOptional<S[K]> }
}

function removable<S extends Shape>(shape: S): { [K in keyof S]: z.ZodExactOptional<z.ZodNullable<S[K]>> } {
  const entries = Object.entries(shape).map(([name, field]) => [name, z.exactOptional(z.nullable(field))])
  return meaningful(Object.fromEntries(entries)) as { [K in keyof S]: z.ZodExactOptional<z.ZodNullable<S[K]>> }
}

/** The same fields, each with what it means. */
function meaningful<S extends Shape>(shape: S): S {
  const entries = Object.entries(shape).map(([name, field]) => [
    name,
    field.meta({ description: meanings[name as keyof typeof meanings] }),
  ])
  return Object.fromEntries(entries) as S
}
