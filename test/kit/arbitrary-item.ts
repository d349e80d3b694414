/** For tests: any item that the schema allows and the API can create, as a fast-check arbitrary. */
import fc from 'fast-check'
import {
  coordinateAtMost,
  type ItemType,
  itemTypes,
  longestTitle,
  type NewItem,
  newItemSchema,
  sizeAtMost,
} from '../../core/contract/item.ts'

const finite = (min: number, max: number) =>
  fc.double({ min, max, noNaN: true, noDefaultInfinity: true }).map(number => number + 0)
const coordinate = finite(-coordinateAtMost, coordinateAtMost)
const size = finite(1e-6, sizeAtMost)
const line = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 40 }), fc.lorem({ maxCount: 30 }), fc.constant(''))
const lines = fc.array(line, { maxLength: 4 }).map(all => all.join('\n'))
const url = fc.oneof(fc.webUrl({ withQueryParameters: true }), fc.constant(`/v1/boards/b1/assets/${'0f'.repeat(32)}`))

export const arbitraryEnds: readonly (NewItem & { id: string })[] = [
  { id: 'one', type: 'sticky', x: -300, y: 50 },
  { id: 'two', type: 'shape', x: 400, y: 500, rotation: 1, content: { kind: 'ellipse' } },
]
/** What an item of the type cannot do without. */
export const requiredContent: Readonly<Partial<Record<ItemType, NewItem['content']>>> = {
  image: { url: 'https://example.com/cat.png' },
  connector: { from: 'one', to: 'two' },
}

const { content, style } = newItemSchema.shape
const oneOf = (schema: { unwrap(): { options: readonly string[] } }) => fc.constantFrom(...schema.unwrap().options)
const contentFields = content.unwrap().shape
const styleFields = style.unwrap().shape

/** Without `id` and `parent`, which depend on a board. Connectors connect the items that {@link arbitraryEnds} has. */
export const arbitraryItem: fc.Arbitrary<NewItem> = fc
  .record(
    {
      type: fc.constantFrom(...itemTypes),
      x: coordinate,
      y: coordinate,
      width: size,
      height: size,
      rotation: finite(-10, 10),
      content: fc.record(
        {
          text: lines,
          title: lines.map(text => text.slice(0, longestTitle)),
          url,
          kind: oneOf(contentFields.kind),
        },
        { requiredKeys: [] },
      ),
      style: fc.record(
        {
          color: oneOf(styleFields.color),
          size: oneOf(styleFields.size),
          font: oneOf(styleFields.font),
          fill: oneOf(styleFields.fill),
          dash: oneOf(styleFields.dash),
          align: oneOf(styleFields.align),
        },
        { requiredKeys: [] },
      ),
      created_by: fc.string({ minLength: 1, maxLength: 20 }),
    },
    { requiredKeys: ['type'] },
  )
  .map(item => ({ ...item, content: { ...requiredContent[item.type], ...item.content } }))
  .filter(item => newItemSchema.safeParse(item).success)
  .map(item => newItemSchema.parse(item))
