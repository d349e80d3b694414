/** Items beside what people draw: how that reads, in lists too, and what goes with an item that is deleted. */
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import {
  arrowProps,
  binding,
  boardWith,
  drawn,
  idsOf,
  listItems,
  noteProps,
  record,
  remove,
  update,
} from '../../test/kit/items.ts'
import { readItem } from './items.ts'
import { putRecord, recordsOf } from './record-layout.ts'
import { recordFault } from './tldraw-schema.ts'

describe('what a person drew', () => {
  const fill = { color: 'black', fill: 'none', dash: 'draw', size: 'm' }
  const segments = [{ type: 'free', path: '' }]
  const line = { a: { id: 'a', index: 'a1', x: 0, y: 0 }, b: { id: 'b', index: 'a2', x: 1, y: 1 } }
  const nearest: [string, string, object][] = [
    ['note', 'sticky', noteProps],
    ['frame', 'frame', { w: 1, h: 1, name: 'F', color: 'black' }],
    ['arrow', 'connector', arrowProps],
    ['group', 'shape', {}],
    [
      'draw',
      'shape',
      { ...fill, segments, isComplete: true, isClosed: false, isPen: false, scale: 1, scaleX: 1, scaleY: 1 },
    ],
    [
      'highlight',
      'shape',
      { color: 'black', size: 'm', segments, isComplete: true, isPen: false, scale: 1, scaleX: 1, scaleY: 1 },
    ],
    ['line', 'shape', { color: 'black', dash: 'draw', size: 'm', spline: 'line', points: line, scale: 1 }],
    ['embed', 'document', { w: 5, h: 6, url: 'https://example.com' }],
    ['bookmark', 'document', { w: 5, h: 6, assetId: null, url: 'https://example.com' }],
  ]

  it.each(nearest)('as a %s appears as a %s, with its record', (type, itemType, props) => {
    const doc = new Y.Doc()
    const shape = drawn('x-1', type, props)
    expect(recordFault(shape)).toBeUndefined()
    putRecord(doc, shape)
    expect(readItem(doc, 'x-1')).toMatchObject({ id: 'x-1', type: itemType, x: 10, y: 20, record: shape })
    expect(update(doc, { id: 'x-1', x: 11 })).toMatchObject({ status: 'applied', item: { x: 11 } })
    expect(record(doc, shape.id)).toEqual({ ...shape, x: 11 })
  })

  it('keeps all that a patch does not speak of, down to its formatting', () => {
    const doc = new Y.Doc()
    const note = drawn('n', 'note', noteProps)
    putRecord(doc, note)
    const read = { width: 400, height: 460, content: { text: 'bold' }, style: { color: 'blue', align: 'middle' } }
    expect(readItem(doc, 'n')).toMatchObject(read)
    update(doc, { id: 'n', rotation: 1, style: { color: 'red' }, created_by: 'me' })
    expect(record(doc, 'shape:n')).toEqual({ ...note, rotation: 1, props: { ...noteProps, color: 'red' } })
  })

  it("as a copy of an agent's item is a person's own", () => {
    const doc = boardWith({ id: 'a', type: 'document', created_by: 'agent-7' })
    putRecord(doc, { ...record(doc, 'shape:a'), id: 'shape:copy' })
    expect(readItem(doc, 'a')).toMatchObject({ created_by: 'agent-7' })
    expect(readItem(doc, 'copy')).toMatchObject({ id: 'copy', type: 'document', record: { id: 'shape:copy' } })
    expect(readItem(doc, 'copy')).not.toHaveProperty('created_by')
  })

  it('shows where an arrow is bound and where a picture is from', () => {
    const doc = new Y.Doc()
    const url = 'https://example.com/cat.png'
    const assetProps = { w: 1, h: 1, name: '', isAnimated: false, mimeType: 'image/png', src: url }
    const imageProps = {
      ...{
        w: 5,
        h: 6,
        playing: true,
        url: '',
        assetId: 'asset:1',
        crop: null,
        flipX: false,
        flipY: false,
        altText: 'A cat',
      },
    }
    putRecord(doc, { id: 'asset:1', typeName: 'asset', type: 'image', props: assetProps, meta: {} })
    putRecord(doc, drawn('image', 'image', imageProps))
    putRecord(doc, drawn('arrow', 'arrow', arrowProps))
    putRecord(doc, binding('1', 'arrow', 'image', 'end'))
    expect(readItem(doc, 'image')).toMatchObject({
      type: 'image',
      content: { url, title: 'A cat' },
      width: 5,
      height: 6,
    })
    expect(readItem(doc, 'arrow')?.content).toEqual({ text: 'bold', to: 'image' })
  })
})

describe('a list', () => {
  it('has every item, sorted by id, without records that tldraw would reject', () => {
    const doc = boardWith({ id: 'b', type: 'text' }, { id: 'B', type: 'frame' }, { id: 'a', type: 'sticky' })
    putRecord(doc, drawn('c', 'note', noteProps))
    putRecord(doc, drawn('bad', 'note', { ...noteProps, color: 'pink' }))
    putRecord(doc, drawn('foreign', 'spaceship', {}))
    recordsOf(doc).set('shape:text', 'hello')
    expect(listItems(doc).map(item => item.id)).toEqual(['B', 'a', 'b', 'c'])
    for (const item of listItems(doc)) expect(readItem(doc, item.id)).toEqual(item)
    expect(readItem(doc, 'bad')).toBeUndefined()
    expect(readItem(doc, 'nobody')).toBeUndefined()
  })
})

describe('a delete', () => {
  it('takes with it all that lies inside and every binding to what goes, and nothing else', () => {
    const doc = boardWith(
      { id: 'outer', type: 'frame' },
      { id: 'inner', type: 'frame', parent: 'outer' },
      { id: 'deep', type: 'sticky', parent: 'inner' },
      { id: 'outside', type: 'sticky' },
    )
    putRecord(doc, drawn('arrow', 'arrow', arrowProps))
    putRecord(doc, drawn('inside-arrow', 'arrow', arrowProps, { parentId: 'shape:outer' }))
    for (const bound of [
      binding('to-deep', 'arrow', 'deep', 'start'),
      binding('to-outside', 'arrow', 'outside', 'end'),
      binding('from-inside', 'inside-arrow', 'outside', 'end'),
    ]) {
      putRecord(doc, bound)
    }
    expect(remove(doc, 'outer')).toEqual({ status: 'applied' })
    const left = ['binding:to-outside', 'document:document', 'page:page', 'shape:arrow', 'shape:outside']
    expect(idsOf(doc)).toEqual(left)
    expect(remove(doc, 'outer')).toMatchObject({ reason: 'item-missing' })
  })

  it('ends where foreign shapes lie in each other in a circle', () => {
    const doc = new Y.Doc()
    const frame = { w: 1, h: 1, name: '', color: 'black' }
    putRecord(doc, drawn('a', 'frame', frame, { parentId: 'shape:b' }))
    putRecord(doc, drawn('b', 'frame', frame, { parentId: 'shape:a' }))
    expect(update(doc, { id: 'a', parent: null })).toMatchObject({ status: 'applied' })
    expect(recordsOf(doc).has('page:page')).toBe(true)
    expect(remove(doc, 'a')).toEqual({ status: 'applied' })
    expect(idsOf(doc)).toEqual(['document:document', 'page:page'])
  })
})
