import { describe, expect, it } from 'vitest'
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

describe("tldraw's schema", () => {
  it('accepts what tldraw would', () => {
    expect([recordFault(page), recordFault(frame)]).toEqual([undefined, undefined])
  })

  it.each([
    ['a prop out of its bounds', { ...frame, props: { ...frame.props, w: 0 } }, '/props/w'],
    ['an unknown prop', { ...frame, props: { ...frame.props, depth: 1 } }, '/props/depth'],
    ['a missing field', { ...frame, opacity: undefined }, '/opacity'],
    ['an index that is none', { ...frame, index: 'zz!' }, '/index'],
    ['an unknown shape', { ...frame, type: 'spaceship' }, '/type'],
    ['an unknown type of record', { ...frame, typeName: 'spaceship' }, '/typeName'],
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
