/** The fields of items, one by one: where in a tldraw shape's props each is found and how it is written there. */
import { createHash } from 'node:crypto'
import type { Item } from '../contract/item.ts'
import { isShapeId, itemIdOf } from './record-ids.ts'
import type { PlainRecord } from './record-layout.ts'
import { documentText, plainText, richTextOf, withText, withTitle } from './rich-text.ts'

export type Value = string | number
export type Props = Readonly<Record<string, unknown>>

export const propsOf = ({ props }: PlainRecord): Props => (typeof props === 'object' ? { ...props } : {})

/** The shapes that a binding is from and to, as it names them; nothing for what is no binding. */
export const endsOf = (binding: PlainRecord | undefined): unknown[] => (binding ? [binding.fromId, binding.toId] : [])

/** A field by its JSON pointer into the item. Those of the shape's place (x, y, rotation, parent) are not among them. */
export type FieldPointer = '/width' | '/height' | `/content/${keyof Item['content']}` | `/style/${keyof Item['style']}`

/** The other records that a shape's fields are found in: an image's asset, an arrow's bindings. */
export interface RelatedRecords {
  record(id: string): PlainRecord | undefined
  bindingsFrom(shapeId: string): readonly PlainRecord[]
}

export type Terminal = 'start' | 'end'

/** Two people who bind one end at once leave two bindings, which no two replicas need hold in the same order: the first by id counts. */
export function bindingAt(related: RelatedRecords, arrowId: string, terminal: Terminal): PlainRecord | undefined {
  const bindings = related.bindingsFrom(arrowId).filter(binding => propsOf(binding).terminal === terminal)
  return bindings.length > 1 ? bindings.reduce((first, other) => (other.id < first.id ? other : first)) : bindings[0]
}

/** Reading what was written gives the same value back; writing what was read changes nothing. */
export interface Field {
  read(props: Props, shapeId: string, related: RelatedRecords): Value | undefined
  /** The props that say `value` (undefined: its default). A field without it is shown, and not kept when it is sent. */
  write?(value: Value | undefined, props: Props): Props
  /** Why the shape can't take this value, of those that the item schema allows. */
  refuse?(value: Value | undefined): string | undefined
}

/** The part of an item, a new item or a merged one that its fields are taken from. */
export interface FieldSource {
  width?: number
  height?: number
  content?: Readonly<Record<string, Value>>
  style?: Readonly<Record<string, Value>>
}

export function fieldValue(item: FieldSource, pointer: FieldPointer): Value | undefined {
  if (pointer === '/width') return item.width
  if (pointer === '/height') return item.height
  const [, section, name = ''] = pointer.split('/')
  return section === 'content' ? item.content?.[name] : item.style?.[name]
}

/** A prop that is the field. */
export const prop = (name: string, fallback: Value): Field => ({
  read: props => asValue(props[name]),
  write: value => ({ [name]: value ?? fallback }),
})

/** A field that other props decide. */
export const computed = (read: (props: Props) => number): Field => ({ read })

/** A field that only people can change, on the canvas. */
export const readOnly = (read: Field['read']): Field => ({
  read,
  refuse: () => 'this can be changed on the canvas only',
})

export const label: Field = {
  read: props => plainText(props.richText),
  write: value => ({ richText: richTextOf(String(value ?? '')) }),
}

export const documentTitle: Field = {
  read: props => documentText(props.richText).title,
  write: (value, props) => ({ richText: withTitle(props.richText, String(value ?? '')) }),
}

export const documentBody: Field = {
  read: props => documentText(props.richText).text,
  write: (value, props) => ({ richText: withText(props.richText, String(value ?? '')) }),
}

export const link: Field = {
  read: props => asValue(props.url) || undefined,
  write: value => ({ url: value ?? '' }),
  refuse: value => (String(value ?? '').startsWith('data:') ? 'a link cannot be a data: URL' : undefined),
}

/** Boards from before 2023 have `start-legacy` and the like, which tldraw draws almost as `start`. */
export const align = (fallback: string): Field => ({
  read: props => asValue(props.align)?.toString().replace('-legacy', ''),
  write: value => ({ align: value ?? fallback }),
})

/** A text has a width of its own once somebody gave it one; until then it is as wide as its longest line. */
export const textWidth: Field = {
  read: props => (props.autoSize === false ? numberProp(props, 'w') * scaleOf(props) : undefined),
  write: (value, props) =>
    value === undefined ? { autoSize: true } : { autoSize: false, w: Number(value) / scaleOf(props) },
}

/** The picture's address; not one that holds the picture itself when that is more than an agent could have sent. */
export const pictureUrl = (maxLength: number): Field['read'] => {
  return (props, _shapeId, related) => {
    const asset = typeof props.assetId === 'string' ? related.record(props.assetId) : undefined
    const { src } = asset ? propsOf(asset) : {}
    return typeof src === 'string' && src !== '' && src.length <= maxLength ? src : undefined
  }
}

/** The same for an image, whose asset an agent may name by its address. */
export const imageUrl = (maxLength: number): Field => ({
  read: pictureUrl(maxLength),
  write: value => ({ assetId: assetIdOf(String(value)) }),
  refuse: value => (value === undefined ? 'an image needs the address of its picture' : undefined),
})

/** One asset for all images of one address. */
export const assetIdOf = (url: string): string =>
  `asset:${createHash('sha256').update(url).digest('base64url').slice(0, 22)}`

/** The item that one end of an arrow is bound to. It stands in a record of its own: see `item-relations.ts`. */
export const arrowEnd = (terminal: Terminal): Field => ({
  read: (_props, shapeId, related) => {
    const toId = bindingAt(related, shapeId, terminal)?.toId
    // Who deletes a shape by Yjs alone may leave what was bound to it: that is a free end.
    const isThere = isShapeId(toId) && related.record(toId)?.typeName === 'shape'
    return isThere ? itemIdOf(toId) : undefined
  },
  refuse: value => (value === undefined ? 'a connector needs an item at each end' : undefined),
})

export const numberProp = (props: Props, name: string, fallback = 0): number =>
  typeof props[name] === 'number' ? props[name] : fallback

export const scaleOf = (props: Props): number => numberProp(props, 'scale', 1)

const asValue = (value: unknown): Value | undefined =>
  typeof value === 'string' || typeof value === 'number' ? value : undefined
