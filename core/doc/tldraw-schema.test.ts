import { describe, expect, it } from 'vitest'
import { drawn, noteProps } from '../../test/kit/items.ts'
import { recordFault, serializedSchema } from './tldraw-schema.ts'

const page = { id: 'page:page', typeName: 'page', name: '', index: 'a1', meta: {} }
const frame = {
  id: 'shape:f',
  typeName: 'shape',
  type: 'frame',
  x: 0,
  y: 0,
  rotation: 0,
  index: 'a1',
  parentId: 'page:page',
  isLocked: false,
  opacity: 1,
  props: { w: 1, h: 1, name: '', color: 'black' },
  meta: {},
}
const note = (attrs: unknown) => drawn('n', 'note', { ...noteProps, richText: { type: 'doc', content: [], attrs } })
const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)])

describe("tldraw's schema", () => {
  it('accepts what tldraw would', () => {
    for (const record of [page, frame, note({ n: [{ of: 10 }, null] })]) expect(recordFault(record)).toBeUndefined()
  })

  it.each([
    ['a prop out of its bounds', { ...frame, props: { ...frame.props, w: 0 } }, '/props/w'],
    ['an unknown prop', { ...frame, props: { ...frame.props, depth: 1 } }, '/props/depth'],
    ['a missing field', { ...frame, opacity: undefined }, '/opacity'],
    ['an index that is none', { ...frame, index: 'zz!' }, '/index'],
    ['an unknown shape', { ...frame, type: 'spaceship' }, '/type'],
    ['an unknown type of record', { ...frame, typeName: 'spaceship' }, '/typeName'],
    ['a BigInt in rich text', note({ n: [{ of: 10n }] }), '/props'],
    ['a BigInt behind a key that lib0 takes for the prototype', note(Object.setPrototypeOf({ n: 10n }, {})), '/props'],
    ['a BigInt in its meta', { ...frame, meta: { n: 10n } }, '/meta'],
    ['more levels than JSON can be written in', note(nested(1_500)), '/props'],
    ['the name of an object method', { ...frame, typeName: 'toString' }, '/typeName'],
  ])('says where a record has %s', (_what, record, pointer) => {
    expect(recordFault(record)).toEqual({ pointer, detail: expect.stringMatching(/\w/) })
  })

  it('describes itself with the version of every sequence', () => {
    expect(serializedSchema).toMatchObject({
      schemaVersion: 2,
      sequences: { 'com.tldraw.shape.note': expect.any(Number) },
    })
  })
})
