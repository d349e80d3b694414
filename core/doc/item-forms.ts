/** The forms of items: for each type of item the tldraw shape it becomes, and for each shape the type it appears as. */
import { type ItemType, longestDataUrl } from '../contract/item.ts'
import {
  align,
  arrowEnd,
  computed,
  documentBody,
  documentTitle,
  type Field,
  type FieldPointer,
  imageUrl,
  label,
  link,
  numberProp,
  type Props,
  pictureUrl,
  prop,
  readOnly,
  scaleOf,
  textWidth,
} from './item-fields.ts'
import { labelHeight } from './label-size.ts'
import { documentText, plainText } from './rich-text.ts'
import { noteSize } from './shape-outline.ts'

export interface ItemForm {
  /** tldraw's name for the shape. */
  shape: string
  /** The props that no field says. Together with the fields these are all that tldraw wants: it has no defaults. */
  props: Props
  fields: Partial<Record<FieldPointer, Field>>
  /** `growY`: how much taller than its size the shape is for its label's sake. */
  growth?: (props: Props) => number
}

const noteHeight = (props: Props) => noteSize + numberProp(props, 'growY')

const sticky: ItemForm = {
  shape: 'note',
  props: { labelColor: 'black', fontSizeAdjustment: 1, verticalAlign: 'middle', scale: 1, textLastEditedBy: null },
  fields: {
    '/width': computed(props => noteSize * scaleOf(props)),
    '/height': computed(props => noteHeight(props) * scaleOf(props)),
    '/content/text': label,
    '/content/url': link,
    '/style/color': prop('color', 'yellow'),
    '/style/size': prop('size', 'm'),
    '/style/font': prop('font', 'draw'),
    '/style/align': align('middle'),
  },
  growth: ({ richText, size }) =>
    Math.max(0, labelHeight({ text: plainText(richText), size, width: noteSize }) - noteSize),
}

const text: ItemForm = {
  shape: 'text',
  props: { w: 8, scale: 1 },
  fields: {
    '/width': textWidth,
    '/content/text': label,
    '/style/color': prop('color', 'black'),
    '/style/size': prop('size', 'm'),
    '/style/font': prop('font', 'draw'),
    '/style/align': prop('textAlign', 'start'),
  },
}

const geoStyle = {
  '/style/color': prop('color', 'black'),
  '/style/size': prop('size', 'm'),
  '/style/font': prop('font', 'draw'),
  '/style/fill': prop('fill', 'none'),
  '/style/dash': prop('dash', 'draw'),
}

const shape: ItemForm = {
  shape: 'geo',
  props: { labelColor: 'black', verticalAlign: 'middle', scale: 1, flipX: false, flipY: false },
  fields: {
    '/width': prop('w', 200),
    '/height': prop('h', 200),
    '/content/text': label,
    '/content/url': link,
    '/content/kind': prop('geo', 'rectangle'),
    ...geoStyle,
    '/style/align': align('middle'),
  },
  growth: props => geoGrowth(props, { text: plainText(props.richText) }),
}

/** A sheet of text: a rectangle, since a note has no size of its own. */
const document: ItemForm = {
  shape: 'geo',
  props: { ...shape.props, geo: 'rectangle', verticalAlign: 'start' },
  fields: {
    '/width': prop('w', 320),
    '/height': prop('h', 200),
    '/content/title': documentTitle,
    '/content/text': documentBody,
    '/content/url': link,
    ...geoStyle,
    '/style/align': align('start'),
  },
  growth: props => geoGrowth(props, documentText(props.richText)),
}

const frame: ItemForm = {
  shape: 'frame',
  props: {},
  fields: {
    '/width': prop('w', 320),
    '/height': prop('h', 180),
    '/content/title': prop('name', ''),
    '/style/color': prop('color', 'black'),
  },
}

const sized = { '/width': prop('w', 200), '/height': prop('h', 200) }
const image: ItemForm = {
  shape: 'image',
  props: { playing: true, url: '', crop: null, flipX: false, flipY: false },
  fields: { ...sized, '/content/url': imageUrl(longestDataUrl), '/content/title': prop('altText', '') },
}

const connector: ItemForm = {
  shape: 'arrow',
  props: {
    ...{ kind: 'arc', labelColor: 'black', bend: 0, start: { x: 0, y: 0 }, end: { x: 0, y: 0 }, scale: 1 },
    ...{ arrowheadStart: 'none', arrowheadEnd: 'arrow', labelPosition: 0.5, elbowMidPoint: 0.5 },
  },
  fields: {
    '/content/text': label,
    '/content/from': arrowEnd('start'),
    '/content/to': arrowEnd('end'),
    ...geoStyle,
  },
}

const stroke = { '/style/color': prop('color', 'black'), '/style/size': prop('size', 'm') }

/** What each type of item is made as. */
export const itemForms: Readonly<Record<ItemType, ItemForm>> = {
  sticky,
  text,
  shape,
  document,
  frame,
  image,
  connector,
}

/** Every default shape of tldraw: the nearest type of item, and the fields that both have. */
const nearestForms: Readonly<Record<string, { type: ItemType; form: ItemForm }>> = {
  note: { type: 'sticky', form: sticky },
  text: { type: 'text', form: text },
  geo: { type: 'shape', form: shape },
  frame: { type: 'frame', form: frame },
  image: { type: 'image', form: image },
  video: {
    type: 'image',
    form: {
      shape: 'video',
      props: {},
      fields: {
        ...sized,
        '/content/url': readOnly(pictureUrl(longestDataUrl)),
        '/content/title': prop('altText', ''),
      },
    },
  },
  arrow: { type: 'connector', form: connector },
  draw: {
    type: 'shape',
    form: {
      shape: 'draw',
      props: {},
      fields: { ...stroke, '/style/fill': prop('fill', 'none'), '/style/dash': prop('dash', 'draw') },
    },
  },
  line: {
    type: 'shape',
    form: { shape: 'line', props: {}, fields: { ...stroke, '/style/dash': prop('dash', 'draw') } },
  },
  highlight: { type: 'shape', form: { shape: 'highlight', props: {}, fields: stroke } },
  group: { type: 'shape', form: { shape: 'group', props: {}, fields: {} } },
  bookmark: {
    type: 'document',
    form: { shape: 'bookmark', props: {}, fields: { '/content/url': readOnly(link.read) } },
  },
  embed: {
    type: 'document',
    form: { shape: 'embed', props: {}, fields: { ...sized, '/content/url': readOnly(link.read) } },
  },
}

/**
 * How a shape appears as an item: as the type it was created with where that fits, else as the nearest one. Undefined for
 * a shape that is none of tldraw's own.
 */
export function formOf(shapeType: string, createdAs?: unknown): { type: ItemType; form: ItemForm } | undefined {
  const nearest = Object.hasOwn(nearestForms, shapeType) ? nearestForms[shapeType] : undefined
  if (createdAs === 'document' && shapeType === document.shape) return { type: 'document', form: document }
  return nearest
}

function geoGrowth(props: Props, { text, title = '' }: { text: string; title?: string }): number {
  const scale = scaleOf(props)
  const needed = labelHeight({ text, title, size: props.size, width: numberProp(props, 'w') / scale })
  return Math.max(0, needed * scale - numberProp(props, 'h'))
}
