import { describe, expect, it } from 'vitest'
import { itemChangeSchema } from './change.ts'
import { type FieldError, fieldErrors } from './field-error.ts'
import { itemPatchSchema, longestDataUrl, newItemSchema } from './item.ts'

function faults(
  schema: typeof newItemSchema | typeof itemPatchSchema | typeof itemChangeSchema,
  json: unknown,
): FieldError[] {
  const result = schema.safeParse(json)
  return result.success ? [] : fieldErrors(result.error)
}

const pointers = (json: unknown) => faults(newItemSchema, json).map(fault => fault.pointer)
const sticky = { type: 'sticky', x: 1, y: 2 }

describe('a new item', () => {
  it('needs nothing but a type', () => {
    expect(pointers({ type: 'sticky' })).toEqual([])
    expect(pointers({ x: 1 })).toEqual(['/type'])
  })

  it('may say everything that the contract shows', () => {
    const all = {
      ...sticky,
      id: 'A_z-9',
      width: 200,
      height: 120,
      rotation: 0,
      parent: 'frame-1',
      content: { text: '…', url: 'https://example.com', title: '…', from: 'a', to: 'b', kind: 'rectangle' },
      style: { color: 'yellow', size: 'm', font: 'draw', fill: 'solid', dash: 'draw', align: 'middle' },
      created_by: 'agent-7',
    }
    expect(newItemSchema.parse(all)).toEqual(all)
  })

  it.each([
    ['a coordinate too far out', { ...sticky, x: 10_000_001 }, '/x'],
    ['a coordinate too far out', { ...sticky, y: -10_000_001 }, '/y'],
    ['a number that is not finite', { ...sticky, x: JSON.parse('1e999') }, '/x'],
    ['a number that is not finite', { ...sticky, rotation: Number.NaN }, '/rotation'],
    ['a number as text', { ...sticky, y: '2' }, '/y'],
    ['null instead of leaving it out', { ...sticky, x: null }, '/x'],
    ['no width', { ...sticky, width: 0 }, '/width'],
    ['a height over the limit', { ...sticky, height: 100_001 }, '/height'],
    ['an unknown type', { ...sticky, type: 'note' }, '/type'],
    ['an unknown field', { ...sticky, colour: 'red' }, '/colour'],
    ['an unknown field with a slash and a tilde', { ...sticky, 'a/b~c': 1 }, '/a~1b~0c'],
    ['an unknown field of content', { ...sticky, content: { txt: 'a' } }, '/content/txt'],
    ['an unknown field of style', { ...sticky, style: { colour: 'red' } }, '/style/colour'],
    ["a colour that is none of tldraw's", { ...sticky, style: { color: 'pink' } }, '/style/color'],
    ['a legacy alignment', { ...sticky, style: { align: 'start-legacy' } }, '/style/align'],
    ['a kind of shape that tldraw lacks', { ...sticky, content: { kind: 'banana' } }, '/content/kind'],
    ['10,001 characters', { ...sticky, content: { text: 'a'.repeat(10_001) } }, '/content/text'],
    ['a NUL character', { ...sticky, content: { text: 'a\0b' } }, '/content/text'],
    ['half a surrogate pair', { ...sticky, content: { title: '\ud83d' } }, '/content/title'],
    ['an id with other characters', { ...sticky, id: 'a b' }, '/id'],
    ['an empty id', { ...sticky, id: '' }, '/id'],
    ['a long author', { ...sticky, created_by: 'a'.repeat(257) }, '/created_by'],
    ['something that is no object', [sticky], ''],
  ])('with %s is refused with a pointer to it', (_what, json, pointer) => {
    expect(pointers(json)).toEqual([pointer])
  })

  it('with several faults hears of all of them', () => {
    expect(pointers({ type: 'note', x: 'a', style: { color: 'pink', b: 1 } })).toEqual([
      '/type',
      '/x',
      '/style/color',
      '/style/b',
    ])
  })
})

describe('a URL', () => {
  const asset = `/v1/boards/b1/assets/${'a1'.repeat(32)}`
  const picture = 'data:image/png;base64,'
  const isAllowed = (url: string) => pointers({ ...sticky, content: { url } }).length === 0

  it.each(['http://a', 'https://example.com/a?b=c#d', 'HTTPS://EXAMPLE.COM', asset, `${picture}AAAA`])(
    '%s is allowed',
    url => expect(isAllowed(url)).toBe(true),
  )

  it.each([
    '',
    'javascript:alert(1)',
    ' javascript:alert(1)',
    'java\nscript:alert(1)',
    'data:text/html,<script>',
    'data:image',
    'file:///etc/passwd',
    'ftp://a',
    'mailto:a@b.c',
    'example.com',
    '//example.com',
    'https://',
    'https://exa\nmple.com',
    '/v1/boards/b1/assets/../../x',
    `${asset}/..`,
    `https://a/${'a'.repeat(8_192)}`,
  ])('%j is refused', url => expect(isAllowed(url)).toBe(false))

  it('may hold a picture of 256 KiB and not one byte more', () => {
    const full = picture.padEnd(longestDataUrl, 'A')
    expect([isAllowed(full), isAllowed(`${full}A`)]).toEqual([true, false])
  })
})

describe('a patch', () => {
  it('takes null for every field that has a default', () => {
    const patch = { x: null, width: null, parent: null, content: { text: null }, style: null, created_by: null }
    expect(itemPatchSchema.parse(patch)).toEqual(patch)
  })

  it.each([
    ['a null id', { id: null }, '/id'],
    ['a null type', { type: null }, '/type'],
    ['an unknown field', { style: { weight: null } }, '/style/weight'],
    ['a number out of bounds', { width: -1 }, '/width'],
  ])('with %s is refused with a pointer to it', (_what, patch, pointer) => {
    expect(faults(itemPatchSchema, patch).map(fault => fault.pointer)).toEqual([pointer])
  })
})

describe('a change', () => {
  it.each([
    { action: 'create', item: { ...sticky, id: 'a' } },
    { action: 'update', item: { id: 'a', x: 1, style: null }, if_match: '"abc"' },
    { action: 'delete', item: { id: 'drawn by a person:1' }, if_match: '*' },
  ])('$action survives its way through JSON', change => {
    expect(itemChangeSchema.parse(JSON.parse(JSON.stringify(change)))).toEqual(change)
  })

  it.each([
    ['a create without an id', { action: 'create', item: sticky }, '/item/id'],
    ['an update without an id', { action: 'update', item: {} }, '/item/id'],
    ['a delete with more than an id', { action: 'delete', item: { id: 'a', x: 1 } }, '/item/x'],
    ['an unknown action', { action: 'upsert', item: sticky }, '/action'],
    ['an unknown field', { action: 'delete', item: { id: 'a' }, force: true }, '/force'],
  ])('%s is refused with a pointer to the fault', (_what, change, pointer) => {
    expect(faults(itemChangeSchema, change).map(fault => fault.pointer)).toEqual([pointer])
  })
})
