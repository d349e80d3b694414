/** Connectors follow what they connect, and images show what they name: what stands in the records beside the shape. */

import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { boardWith, create, record, remove, stateOf, update } from '../../test/kit/items.ts'
import type { NewItem } from '../contract/item.ts'
import { arrowEnds } from './arrow-ends.ts'
import { BoardRecords } from './board-records.ts'
import { readItem } from './items.ts'
import { type PlainRecord, putRecord, readRecords, recordsOf, removeRecord } from './record-layout.ts'
import { recordFault } from './tldraw-schema.ts'

const propsOf = (doc: Y.Doc, id: string) => record(doc, id).props as Record<string, unknown>
const idsOf = (doc: Y.Doc, kind: string) => [...recordsOf(doc).keys()].filter(id => id.startsWith(kind)).sort()
const faults = (doc: Y.Doc) => [...readRecords(doc).values()].flatMap(found => recordFault(found) ?? [])

const box = (id: string, x: number, y: number, given: Partial<NewItem> = {}): NewItem & { id: string } => ({
  ...{ id, type: 'shape', x, y, width: 100, height: 100 },
  ...given,
})
const connector = (id: string, from: string, to: string, given: Partial<NewItem> = {}): NewItem & { id: string } => ({
  ...{ id, type: 'connector', content: { from, to } },
  ...given,
})
const boxes = [box('a', 0, 0), box('b', 400, 0), box('c', 0, 400)]

const precise = { terminal: 'end', isPrecise: true, isExact: false, snap: 'none' }

/** Where the arrow is drawn, on the page, to the pixel. */
function endsOf(doc: Y.Doc, id: string): number[] {
  const { start, end } = arrowEnds(new BoardRecords(doc), record(doc, `shape:${id}`))
  return [start.x, start.y, end.x, end.y].map(Math.round)
}

describe('a connector', () => {
  it('is an arrow and a binding for each of its ends, all of which tldraw accepts', () => {
    const doc = boardWith(...boxes, connector('ab', 'a', 'b', { content: { from: 'a', to: 'b', text: 'then' } }))
    expect(readItem(doc, 'ab')).toMatchObject({ type: 'connector', content: { from: 'a', to: 'b', text: 'then' } })
    expect(record(doc, 'shape:ab')).toMatchObject({ type: 'arrow', parentId: 'page:page', x: 100, y: 50 })
    expect(propsOf(doc, 'shape:ab')).toMatchObject({ start: { x: 0, y: 0 }, end: { x: 290, y: 0 } })
    expect(idsOf(doc, 'binding:').map(id => [record(doc, id).toId, propsOf(doc, id).terminal])).toEqual([
      ['shape:b', 'end'],
      ['shape:a', 'start'],
    ])
    expect(faults(doc)).toEqual([])
  })

  it('lies where it is told to, and is drawn between its ends all the same', () => {
    const doc = boardWith(...boxes, connector('ab', 'a', 'b', { x: 7, y: -7, rotation: 1 }))
    expect(readItem(doc, 'ab')).toMatchObject({ x: 7, y: -7, rotation: 1 })
    expect(endsOf(doc, 'ab')).toEqual([100, 50, 390, 50])
    remove(doc, 'a')
    remove(doc, 'b')
    expect(endsOf(doc, 'ab')).toEqual([100, 50, 390, 50])
  })

  it('follows the items that it connects, also when they turn, grow or lie in a frame', () => {
    const doc = boardWith(...boxes, connector('ab', 'a', 'b'))
    update(doc, { id: 'b', x: 400, y: 400 })
    update(doc, { id: 'a', width: 200, height: 200 })
    expect(endsOf(doc, 'ab')).toEqual([200, 200, 393, 393])
    create(doc, { id: 'f', type: 'frame', x: 1000, y: 0 })
    update(doc, { id: 'b', parent: 'f', x: 0, y: 50 })
    expect(endsOf(doc, 'ab')).toEqual([200, 100, 990, 100])
  })

  it('between two items of a frame lies in it, as tldraw would have it', () => {
    const doc = boardWith(
      { id: 'outer', type: 'frame', x: 50, y: 50 },
      { id: 'inner', type: 'frame', parent: 'outer' },
      box('a', 0, 0, { parent: 'inner' }),
      box('b', 300, 0, { parent: 'outer' }),
      box('c', 0, 900),
    )
    const parentOf = (id: string, from: string, to: string) => {
      create(doc, connector(id, from, to))
      return readItem(doc, id)?.parent
    }
    expect(parentOf('ab', 'a', 'b')).toBe('outer')
    expect(readItem(doc, 'ab')).toMatchObject({ x: 100, y: 50 })
    expect(parentOf('ac', 'a', 'c')).toBeUndefined()
    expect(parentOf('a-inner', 'a', 'inner')).toBe('inner')
    expect(parentOf('inner-b', 'inner', 'b')).toBe('outer')
    expect(parentOf('outer-a', 'outer', 'a')).toBe('outer')
  })

  it('goes to another item when it is told to, with the binding that it has', () => {
    const doc = boardWith(...boxes, connector('x', 'a', 'b'))
    const bindings = idsOf(doc, 'binding:')
    expect(update(doc, { id: 'x', content: { to: 'c' } })).toMatchObject({ item: { content: { from: 'a', to: 'c' } } })
    expect(update(doc, { id: 'x', content: { from: 'c', to: 'b' } })).toMatchObject({ status: 'applied' })
    expect(readItem(doc, 'x')?.content).toEqual({ text: '', from: 'c', to: 'b' })
    expect(idsOf(doc, 'binding:')).toEqual(bindings)
    expect(faults(doc)).toEqual([])
  })

  it('of a person, with a free end, is bound by naming an item', () => {
    const doc = boardWith(...boxes, connector('x', 'a', 'b'))
    putRecord(doc, { ...record(doc, 'shape:x'), id: 'shape:drawn', meta: {} })
    expect(readItem(doc, 'drawn')?.content).toEqual({ text: '' })
    expect(update(doc, { id: 'drawn', content: { to: 'c' } })).toMatchObject({ item: { content: { to: 'c' } } })
    expect(idsOf(doc, 'binding:')).toHaveLength(3)
  })

  it('with two bindings at one end is bound by the same one in every replica, whatever came first', () => {
    const doc = boardWith(...boxes, connector('x', 'a', 'b'))
    const other = new Y.Doc()
    Y.applyUpdate(other, stateOf(doc))
    const [first, second] = ['one', 'two'].map(id => ({ ...record(doc, 'binding:x-end'), id: `binding:${id}` }))
    for (const each of [doc, other]) {
      expect(readItem(each, 'x')?.content.to).toBe('b')
      removeRecord(each, 'binding:x-end')
    }
    putRecord(doc, { ...first, toId: 'shape:b' } as PlainRecord)
    putRecord(other, { ...second, toId: 'shape:c' } as PlainRecord)
    const [one, two] = [stateOf(doc), stateOf(other)]
    Y.applyUpdate(doc, two)
    Y.applyUpdate(other, one)
    for (const each of [doc, other]) {
      expect(readItem(each, 'x')?.content).toEqual({ text: '', from: 'a', to: 'b' })
      expect(endsOf(each, 'x')).toEqual([100, 50, 390, 50])
    }
  })

  it('to an item on another page is refused', () => {
    const doc = boardWith(...boxes)
    putRecord(doc, { id: 'page:2', typeName: 'page', name: '2', index: 'a2', meta: {} })
    putRecord(doc, { ...record(doc, 'shape:b'), id: 'shape:there', parentId: 'page:2' })
    const outcome = create(doc, connector('x', 'a', 'there'))
    expect(outcome).toMatchObject({ status: 'rejected', errors: [{ pointer: '/content/from' }] })
  })
})

describe('when one end of a connector goes', () => {
  it('the connector stays where it is, with a free end', () => {
    const doc = boardWith(...boxes, connector('ab', 'a', 'b'), connector('ac', 'a', 'c'))
    update(doc, { id: 'b', x: 600, y: 300 })
    const before = endsOf(doc, 'ab')
    remove(doc, 'b')
    expect(readItem(doc, 'ab')?.content).toEqual({ text: '', from: 'a' })
    expect(endsOf(doc, 'ab')).toEqual(before)
    expect(idsOf(doc, 'binding:')).toEqual(['binding:ab-start', 'binding:ac-end', 'binding:ac-start'])
    update(doc, { id: 'a', y: 200 })
    expect(endsOf(doc, 'ab').slice(2)).toEqual(before.slice(2))
  })

  it('by a program that leaves the binding, that end is a free one: not shown, and refused when it is named', () => {
    const doc = boardWith(...boxes, connector('ab', 'a', 'b'))
    removeRecord(doc, 'shape:b')
    expect(readItem(doc, 'ab')?.content).toEqual({ text: '', from: 'a' })
    const errors = [{ pointer: '/content/to', detail: 'this board has no item "b"' }]
    expect(update(doc, { id: 'ab', content: { to: 'b' } })).toMatchObject({ status: 'rejected', errors })
    expect(update(doc, { id: 'ab', content: { text: 'to where?' } })).toMatchObject({ status: 'applied' })
    expect(update(doc, { id: 'ab', content: { to: 'c' } })).toMatchObject({ item: { content: { to: 'c' } } })
    expect(idsOf(doc, 'binding:')).toEqual(['binding:ab-end', 'binding:ab-start'])
  })

  const unreadable = { valueOf: 1, toString: 1 }
  it.each<[string, string, object]>([
    ['a line without points', 'shape:b', { type: 'line', props: {} }],
    ['a shape of an unknown kind', 'shape:b', { type: 'spaceship', x: unreadable }],
    ['bound without an anchor', 'binding:ab-end', { props: { terminal: 'end', isPrecise: true } }],
    ['bound by half an anchor', 'binding:ab-end', { props: { ...precise, normalizedAnchor: { x: 1, y: 1n } } }],
    ['bound to what is no id', 'binding:ab-end', { toId: unreadable }],
  ])('it goes although the other is %s', (_what, id, foreign) => {
    const doc = boardWith(...boxes, connector('ab', 'a', 'b'))
    putRecord(doc, { ...record(doc, id), ...foreign })
    expect(endsOf(doc, 'ab').every(Number.isFinite)).toBe(true)
    expect(remove(doc, 'a')).toMatchObject({ status: 'applied' })
    expect(idsOf(doc, 'binding:')).toEqual(['binding:ab-end'])
    expect(recordFault(record(doc, 'shape:ab'))).toBeUndefined()
  })

  it('it goes although something unreadable is bound to it', () => {
    const doc = boardWith(...boxes, connector('ab', 'a', 'b'))
    putRecord(doc, { ...record(doc, 'binding:ab-start'), fromId: unreadable })
    expect(remove(doc, 'a')).toMatchObject({ status: 'applied' })
  })

  it('because its frame goes, the connectors in the frame go too, and those outside stay', () => {
    const doc = boardWith(
      { id: 'f', type: 'frame', x: 200, y: 0 },
      box('in', 0, 0, { parent: 'f' }),
      box('in-2', 150, 0, { parent: 'f' }),
      ...boxes,
      connector('inside', 'in', 'in-2'),
      connector('across', 'a', 'in'),
    )
    const before = endsOf(doc, 'across')
    remove(doc, 'f')
    expect(idsOf(doc, 'shape:')).toEqual(['shape:a', 'shape:across', 'shape:b', 'shape:c'])
    expect(idsOf(doc, 'binding:')).toEqual(['binding:across-start'])
    expect(endsOf(doc, 'across')).toEqual(before)
  })

  it('a connector that goes takes its bindings, and its id is free again', () => {
    const doc = boardWith(...boxes, connector('ab', 'a', 'b'))
    remove(doc, 'ab')
    expect(idsOf(doc, 'binding:')).toEqual([])
    expect(create(doc, connector('ab', 'b', 'c'))).toMatchObject({ item: { content: { from: 'b', to: 'c' } } })
  })
})

describe('an image', () => {
  const url = 'https://example.com/cat.png'
  const image = (id: string, given: object = {}): NewItem & { id: string } => ({
    ...{ id, type: 'image', width: 300, height: 200, content: { url, title: 'A cat' } },
    ...given,
  })

  it('is a shape with an asset that says where the picture is', () => {
    const doc = boardWith(image('a'))
    expect(readItem(doc, 'a')).toMatchObject({ width: 300, height: 200, content: { url, title: 'A cat' } })
    expect(propsOf(doc, 'shape:a')).toMatchObject({
      w: 300,
      h: 200,
      altText: 'A cat',
      assetId: idsOf(doc, 'asset:')[0],
    })
    expect(idsOf(doc, 'asset:').map(id => propsOf(doc, id))).toMatchObject([{ src: url, w: 300, h: 200 }])
    expect(faults(doc)).toEqual([])
  })

  it.each([`/v1/boards/b1/assets/${'0f'.repeat(32)}`, 'data:image/png;base64,AAAA'])('may be from %s', src => {
    const doc = boardWith(image('a', { content: { url: src } }))
    expect(readItem(doc, 'a')?.content).toEqual({ url: src, title: '' })
    expect(faults(doc)).toEqual([])
  })

  it('shares its asset with others of the same picture, and leaves it when it goes', () => {
    const doc = boardWith(image('a'))
    const [asset = ''] = idsOf(doc, 'asset:')
    const renamed = { ...record(doc, asset), props: { ...propsOf(doc, asset), name: 'as a person named it' } }
    putRecord(doc, renamed)
    create(doc, image('b'))
    expect(idsOf(doc, 'asset:').map(id => record(doc, id))).toEqual([renamed])
    remove(doc, 'a')
    expect(readItem(doc, 'b')?.content.url).toBe(url)
  })

  it('shows another picture when it is told to, and a copy of it does not', () => {
    const doc = boardWith(image('a'), image('b'))
    const other = 'https://example.com/dog.png'
    expect(update(doc, { id: 'a', content: { url: other } })).toMatchObject({ item: { content: { url: other } } })
    expect(readItem(doc, 'b')?.content.url).toBe(url)
    expect(faults(doc)).toEqual([])
  })
})
