import { toRichText } from '@tldraw/tlschema'
import { describe, expect, it } from 'vitest'
import { hazardOf } from '../../../core/doc/record-hazard.ts'
import type { PlainRecord } from '../../../core/doc/record-layout.ts'
import { plain } from './plain.ts'
import { rectangle } from './testing.ts'

const shape = (type: string, props: object, parentId = 'page:page'): PlainRecord => ({
  ...plain(rectangle('s')),
  type,
  props,
  parentId,
})
const nobody = () => undefined
const text = (...content: unknown[]) => shape('note', { richText: { type: 'doc', content } })
const paragraph = (...content: unknown[]) => ({ type: 'paragraph', content })
const stroke = (path: unknown) => shape('draw', { segments: [{ type: 'free', path }] })

describe('shows', () => {
  it.each([
    ['plain and formatted text', shape('note', { richText: toRichText('one\n\ntwo') })],
    ['an empty paragraph', text({ type: 'paragraph' })],
    [
      'marks, links and lists',
      text({
        type: 'bulletList',
        content: [
          { type: 'listItem', content: [paragraph({ type: 'text', text: 'x', marks: [{ type: 'link', attrs: {} }] })] },
        ],
      }),
    ],
    ['a stroke', stroke('AAAAAAAAAAAA')],
    ['a line', shape('line', { points: { a1: { id: 'a1', index: 'a1', x: 0, y: 0 } } })],
    ['a shape in a frame that is not there', shape('geo', {}, 'shape:gone')],
  ])('%s', (_, record) => expect(hazardOf(record, nobody)).toBeUndefined())
})

describe('keeps off the canvas', () => {
  it.each([
    ['an empty text node', text(paragraph({ type: 'text', text: '' }))],
    ['a text node without text', text(paragraph({ type: 'text' }))],
    ['a node that the editor doesn’t know', text({ type: 'codeBlock' })],
    ['a mark that the editor doesn’t know', text(paragraph({ type: 'text', text: 'x', marks: [{ type: 'blink' }] }))],
    ['text that is no document', shape('note', { richText: { type: 'paragraph', content: [] } })],
    ['text nested without end', text(nested(200))],
    ['a drawing without a stroke', shape('draw', { segments: [] })],
    ['a stroke that is no base64', stroke('*** not a path **')],
    ['a stroke too short for a point', stroke('AAAA')],
    ['a line without points', shape('line', { points: {} })],
    ['a shape that is its own parent', shape('geo', {}, 'shape:s')],
  ])('%s', (_, record) => expect(hazardOf(record, nobody)).toBeTypeOf('string'))

  it('shapes that are inside each other, however far round', () => {
    const parents: Record<string, string> = { 'shape:a': 'shape:b', 'shape:b': 'shape:c', 'shape:c': 'shape:s' }
    expect(hazardOf(shape('geo', {}, 'shape:a'), id => parents[id])).toBe('it is inside itself')
    // Not a member of the ring, but it leads there, and whoever follows it never comes back.
    const ring: Record<string, string> = { 'shape:a': 'shape:b', 'shape:b': 'shape:a' }
    expect(hazardOf(shape('geo', {}, 'shape:a'), id => ring[id])).toBe('it is inside itself')
  })
})

function nested(depth: number): unknown {
  return depth === 0 ? paragraph({ type: 'text', text: 'x' }) : { type: 'listItem', content: [nested(depth - 1)] }
}
