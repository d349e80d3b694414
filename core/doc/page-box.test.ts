/** What is found in a part of the page is what is drawn there. */

import { b64Vecs } from '@tldraw/tlschema'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { boardWith } from '../../test/kit/items.ts'
import type { NewItem } from '../contract/item.ts'
import { BoardRecords } from './board-records.ts'
import { type ItemFilter, itemsAfter } from './items.ts'
import { pageBox } from './page-box.ts'
import { type PlainRecord, putRecord, readRecord, recordsOf } from './record-layout.ts'
import { recordFault } from './tldraw-schema.ts'

const right = Math.PI / 2

function boxOf(doc: Y.Doc, id: string): number[] | undefined {
  const record = readRecord(`shape:${id}`, recordsOf(doc).get(`shape:${id}`))
  const box = record && pageBox(new BoardRecords(doc), record)
  return box && [box.minX, box.minY, box.maxX, box.maxY].map(value => Math.round(value * 10) / 10 + 0)
}
async function idsAfter(doc: Y.Doc, after: string, filter: ItemFilter): Promise<string[]> {
  const ids: string[] = []
  for await (const item of itemsAfter(doc, after, filter)) ids.push(item.id)
  return ids
}
const found = (doc: Y.Doc, minX: number, minY: number, maxX: number, maxY: number) =>
  idsAfter(doc, '', { box: { minX, minY, maxX, maxY } })

const drawn = (id: string, type: string, props: object, rest: object = {}): PlainRecord => ({
  ...{ id: `shape:${id}`, typeName: 'shape', type, x: 100, y: 100, rotation: 0, index: 'a1', parentId: 'page:page' },
  ...{ isLocked: false, opacity: 1, props, meta: {}, ...rest },
})
const stroke = { color: 'black', size: 'm', isComplete: true, isPen: false, scale: 1, scaleX: 2, scaleY: 1 }
const path = b64Vecs.encodePoints([
  { x: 0, y: 0, z: 0.5 },
  { x: 30, y: 50, z: 0.5 },
])
const segments = [{ type: 'free', path }]

describe('the box of', () => {
  it.each<[string, NewItem, number[]]>([
    ['a sticky', { type: 'sticky', x: 10, y: 20 }, [10, 20, 210, 220]],
    ['a shape', { type: 'shape', x: 10, y: 20, width: 30, height: 40 }, [10, 20, 40, 60]],
    ['a shape turned by a right angle', { type: 'shape', width: 30, height: 40, rotation: right }, [-40, 0, 0, 30]],
    [
      'an ellipse turned by half of one',
      { type: 'shape', width: 100, height: 100, rotation: right / 2, content: { kind: 'ellipse' } },
      [-50, 20.7, 50, 120.7],
    ],
    [
      'a square turned by half of one',
      { type: 'shape', width: 100, height: 100, rotation: right / 2 },
      [-70.7, 0, 70.7, 141.4],
    ],
    [
      'a diamond turned by half of one',
      { type: 'shape', width: 100, height: 100, rotation: right / 2, content: { kind: 'diamond' } },
      [-35.4, 35.4, 35.4, 106.1],
    ],
    ['an image', { type: 'image', x: 5, width: 10, height: 10, content: { url: 'https://a.example' } }, [5, 0, 15, 10]],
    ['a text of a width', { type: 'text', width: 300, content: { text: 'a' } }, [0, 0, 300, 32]],
  ])('%s', (_what, item, box) => {
    expect(boxOf(boardWith({ ...item, id: 'a' }), 'a')).toEqual(box)
  })

  it('a text without a width grows with its longest line', () => {
    const doc = boardWith(
      { id: 'a', type: 'text', content: { text: 'short' } },
      { id: 'b', type: 'text', content: { text: 'rather\nlonger than that' } },
    )
    const [short, long] = [boxOf(doc, 'a'), boxOf(doc, 'b')]
    expect(long?.[2]).toBeGreaterThan(2 * (short?.[2] ?? 0))
    expect(long?.[3]).toBe(2 * (short?.[3] ?? 0))
  })

  it('what lies in a turned frame in a frame is where it shows on the page', () => {
    const doc = boardWith(
      { id: 'outer', type: 'frame', x: 1000, y: 1000 },
      { id: 'inner', type: 'frame', parent: 'outer', x: 100, y: 0, rotation: right },
      { id: 'a', type: 'shape', parent: 'inner', x: 10, y: 20, width: 30, height: 40 },
    )
    expect(boxOf(doc, 'a')).toEqual([1040, 1010, 1080, 1040])
  })

  it.each<[string, string, object, number[]]>([
    ['a stroke', 'draw', { ...stroke, segments, fill: 'none', dash: 'draw', isClosed: false }, [100, 100, 160, 150]],
    ['a highlight', 'highlight', { ...stroke, segments }, [100, 100, 160, 150]],
    [
      'a stroke that cannot be read',
      'highlight',
      { ...stroke, segments: [{ type: 'free', path: '!' }] },
      [100, 100, 100, 100],
    ],
    [
      'a line',
      'line',
      {
        color: 'black',
        dash: 'draw',
        size: 'm',
        spline: 'line',
        scale: 1,
        points: { a: { id: 'a', index: 'a1', x: -5, y: 0 }, b: { id: 'b', index: 'a2', x: 5, y: 9 } },
      },
      [95, 100, 105, 109],
    ],
  ])('%s is that of its points', (_what, type, props, box) => {
    const doc = new Y.Doc()
    const record = drawn('a', type, props)
    expect(recordFault(record)).toBeUndefined()
    putRecord(doc, record)
    expect(boxOf(doc, 'a')).toEqual(box)
  })

  it('a group is that of what it holds, and an empty one has none', () => {
    const doc = boardWith(
      { id: 'in', type: 'shape', x: 5, y: 5, width: 10, height: 10 },
      { id: 'in-2', type: 'shape', x: 50, y: 5, width: 10, height: 20 },
    )
    putRecord(doc, drawn('g', 'group', {}))
    expect(boxOf(doc, 'g')).toBeUndefined()
    for (const id of ['in', 'in-2']) {
      const record = readRecord(`shape:${id}`, recordsOf(doc).get(`shape:${id}`))
      if (record) putRecord(doc, { ...record, parentId: 'shape:g' })
    }
    expect(boxOf(doc, 'g')).toEqual([105, 105, 160, 125])
  })

  it('a group is that of what tldraw accepts in it', () => {
    const doc = boardWith({ id: 'in', type: 'shape', x: 5, y: 5, width: 10, height: 10 })
    putRecord(doc, drawn('g', 'group', {}))
    const record = readRecord('shape:in', recordsOf(doc).get('shape:in'))
    if (record) putRecord(doc, { ...record, parentId: 'shape:g' })
    for (const type of ['line', 'arrow', 'draw', 'note', 'spaceship']) {
      putRecord(doc, drawn(type, type, {}, { parentId: 'shape:g' }))
    }
    expect(boxOf(doc, 'g')).toEqual([105, 105, 115, 115])
  })

  it('what lies in a foreign shape is where it would be without the numbers that this lacks', () => {
    const doc = boardWith({ id: 'in', type: 'shape', x: 5, y: 5, width: 10, height: 10 })
    putRecord(doc, drawn('foreign', 'spaceship', {}, { x: { valueOf: 1, toString: 1 }, rotation: undefined }))
    const record = readRecord('shape:in', recordsOf(doc).get('shape:in'))
    if (record) putRecord(doc, { ...record, parentId: 'shape:foreign' })
    expect(boxOf(doc, 'in')).toEqual([5, 105, 15, 115])
  })

  it('a connector goes from end to end, and around its bend', () => {
    const doc = boardWith(
      { id: 'a', type: 'shape', width: 100, height: 100 },
      { id: 'b', type: 'shape', x: 400, width: 100, height: 100 },
      { id: 'ab', type: 'connector', x: -999, content: { from: 'a', to: 'b' } },
    )
    expect(boxOf(doc, 'ab')).toEqual([100, 50, 390, 50])
    const record = readRecord('shape:ab', recordsOf(doc).get('shape:ab'))
    if (record) putRecord(doc, { ...record, props: { ...(record.props as object), bend: 40 } })
    expect(boxOf(doc, 'ab')).toEqual([100, 10, 390, 50])
  })

  it('shapes that foreign programs put into each other in a circle is found all the same', async () => {
    const doc = new Y.Doc()
    putRecord(doc, drawn('a', 'group', {}, { parentId: 'shape:b' }))
    putRecord(doc, drawn('b', 'group', {}, { parentId: 'shape:a' }))
    expect(boxOf(doc, 'a')).toBeDefined()
    expect(await found(doc, -1e9, -1e9, 1e9, 1e9)).toEqual(['a', 'b'])
  })
})

describe('a search by place', () => {
  const doc = boardWith(
    { id: 'a', type: 'shape', x: 0, y: 0, width: 100, height: 100 },
    { id: 'b', type: 'shape', x: 200, y: 0, width: 100, height: 100 },
  )

  it('finds what touches, an edge or a corner included, and nothing else', async () => {
    expect(await found(doc, 0, 0, 300, 300)).toEqual(['a', 'b'])
    expect(await found(doc, 100, 100, 150, 150)).toEqual(['a'])
    expect(await found(doc, -50, 50, 0, 60)).toEqual(['a'])
    expect(await found(doc, 50, -50, 60, 0)).toEqual(['a'])
    expect(await found(doc, 50, 100, 60, 150)).toEqual(['a'])
    expect(await found(doc, 100.01, 100, 150, 150)).toEqual([])
    expect(await found(doc, 250, 50, 250, 50)).toEqual(['b'])
    expect(await found(doc, 150, -10, 199.9, 300)).toEqual([])
  })

  it('and by type finds what is both', async () => {
    const box = { minX: 0, minY: 0, maxX: 300, maxY: 300 }
    expect(await idsAfter(doc, '', { box, type: 'sticky' })).toEqual([])
    expect(await idsAfter(doc, 'a', { box, type: 'shape' })).toEqual(['b'])
  })
})
