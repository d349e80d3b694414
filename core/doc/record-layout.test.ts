import { describe, expect, it, vi } from 'vitest'
import * as Y from 'yjs'
import { applyPacked } from './packed-values.ts'
import {
  changeRecord,
  layoutOf,
  metaOf,
  type PlainRecord,
  putRecord,
  readParentAndIndex,
  readRecord,
  readRecords,
  recordsOf,
  removeRecord,
} from './record-layout.ts'

const note: PlainRecord = {
  id: 'shape:a',
  typeName: 'shape',
  type: 'note',
  x: 1,
  y: 2,
  rotation: 0,
  parentId: 'page:page',
  index: 'a1',
  opacity: 1,
  props: { color: 'yellow', size: 'm', richText: { type: 'doc', content: [] } },
  meta: { item_id: 'a' },
}

const boardWith = (...records: PlainRecord[]): Y.Doc => {
  const doc = new Y.Doc()
  doc.transact(() => {
    for (const record of records) putRecord(doc, record)
  })
  return doc
}
const read = (doc: Y.Doc, id = 'shape:a') => readRecord(id, recordsOf(doc).get(id))
const keysOf = (doc: Y.Doc, id = 'shape:a') => [...(recordsOf(doc).get(id) as Y.Map<unknown>).keys()].sort()
const copy = (doc: Y.Doc): Y.Doc => {
  const other = new Y.Doc()
  Y.applyUpdate(other, Y.encodeStateAsUpdate(doc))
  return other
}
const sync = (a: Y.Doc, b: Y.Doc) => {
  Y.applyUpdate(a, Y.encodeStateAsUpdate(b))
  Y.applyUpdate(b, Y.encodeStateAsUpdate(a))
}

describe('a record', () => {
  it('reads as it was put', () => {
    expect(read(boardWith(note))).toEqual(note)
    expect(readRecords(boardWith(note))).toEqual(new Map([[note.id, note]]))
  })

  it('that lies packed is unpacked once to be read', () => {
    const packed = new Y.Doc()
    applyPacked(packed, Y.encodeStateAsUpdate(boardWith(note)), 'test')
    const base = (recordsOf(packed).get('shape:a') as Y.Map<unknown>)._map.get('base')
    const unpacking = vi.spyOn(base?.content as Y.ContentAny, 'getContent')
    expect(read(packed)).toEqual(note)
    expect(unpacking).toHaveBeenCalledTimes(1)
  })

  it('is stored with one key for each field changed since, and one for the five of its place', () => {
    const doc = boardWith(note)
    const after = { ...note, x: 5, index: 'a2', opacity: 0.5, props: { ...(note.props as object), color: 'red' } }
    expect(changeRecord(doc, note, after)).toBe(true)
    expect(keysOf(doc)).toEqual(['base', 'opacity', 'place', 'props.color'])
    expect(read(doc)).toEqual(after)
  })

  it('is not written when nothing differs, in whatever order its keys are', () => {
    const doc = boardWith(note)
    const before = Y.encodeStateVector(doc)
    const same = { ...note, props: { richText: { content: [], type: 'doc' }, size: 'm', color: 'yellow' } }
    expect(changeRecord(doc, note, same)).toBe(false)
    expect(Y.encodeStateVector(doc)).toEqual(before)
  })

  it('can lose a field', () => {
    const doc = boardWith(note)
    const { opacity: _opacity, ...after } = note
    changeRecord(doc, note, after as PlainRecord)
    expect(read(doc)).toEqual(after)
  })

  it('that is gone stays gone when somebody changes it', () => {
    const doc = boardWith(note)
    removeRecord(doc, note.id)
    expect(changeRecord(doc, note, { ...note, x: 9 })).toBe(false)
    expect(recordsOf(doc).has(note.id)).toBe(false)
  })

  it('keeps what two people change in different fields at the same moment', () => {
    const anna = boardWith(note)
    const ben = copy(anna)
    changeRecord(anna, note, { ...note, x: 50, y: 60 })
    changeRecord(ben, note, { ...note, props: { ...(note.props as object), color: 'red' } })
    sync(anna, ben)
    for (const doc of [anna, ben]) expect(read(doc)).toMatchObject({ x: 50, y: 60, props: { color: 'red' } })
  })

  it('has a whole place after two simultaneous moves, never a mixture', () => {
    const anna = boardWith(note)
    const ben = copy(anna)
    changeRecord(anna, note, { ...note, x: 100 })
    changeRecord(ben, note, { ...note, y: 5, parentId: 'shape:frame' })
    sync(anna, ben)
    expect(read(anna)).toEqual(read(ben))
    const merged = read(anna)
    expect([
      [100, 2, 'page:page'],
      [1, 5, 'shape:frame'],
    ]).toContainEqual([merged?.x, merged?.y, merged?.parentId])
  })
})

describe('a board in whole records', () => {
  const foreign = (): Y.Doc => {
    const doc = new Y.Doc()
    recordsOf(doc).set(note.id, note)
    return doc
  }

  it('goes on in whole records', () => {
    const doc = foreign()
    expect(layoutOf(doc)).toBe('records')
    putRecord(doc, { ...note, id: 'shape:b' })
    expect(recordsOf(doc).get('shape:b')).toEqual({ ...note, id: 'shape:b' })
    expect(metaOf(doc).get('layout')).toBe('records')
  })

  it('reads and changes them', () => {
    const doc = foreign()
    const after = { ...note, x: 7, props: { ...(note.props as object), color: 'red' } }
    changeRecord(doc, note, after)
    expect(recordsOf(doc).get(note.id)).toEqual(after)
    expect(read(doc)).toEqual(after)
  })
})

describe('the layout', () => {
  it('is ours on an empty board, and once written stays', () => {
    const doc = new Y.Doc()
    expect(layoutOf(doc)).toBe('fields')
    metaOf(doc).set('layout', 'records')
    putRecord(doc, note)
    expect(recordsOf(doc).get(note.id)).toEqual(note)
  })

  it('is as the first shape has it where nobody wrote it down', () => {
    const doc = boardWith(note)
    metaOf(doc).delete('layout')
    expect(layoutOf(doc)).toBe('fields')
  })
})

describe('foreign content', () => {
  it.each([
    ['text', 'hello'],
    ['null', null],
    ['a record under another id', { ...note, id: 'shape:b' }],
    ['an object without a typeName', { id: 'shape:a' }],
    ['an array', [note]],
    ['a Y.Array', new Y.Array()],
    ['a Y.Map without a base', new Y.Map([['x', 1]])],
    ['a Y.Map with a strange base', new Y.Map([['base', 7]])],
  ])('that is %s is no record', (_what, value) => {
    const doc = new Y.Doc()
    recordsOf(doc).set('shape:a', value)
    expect(read(doc)).toBeUndefined()
    expect(readRecords(doc).size).toBe(0)
  })

  it('cannot reach a prototype through the name of a field', () => {
    const doc = boardWith(note)
    const value = recordsOf(doc).get(note.id) as Y.Map<unknown>
    for (const key of ['__proto__', 'props.__proto__', 'constructor', 'props.prototype'])
      value.set(key, { polluted: 1 })
    expect(read(doc)).toEqual(note)
    expect(Object.getPrototypeOf(read(doc)?.props)).toBe(Object.prototype)
  })
})

describe('parent and index', () => {
  it.each(['fields', 'records'] as const)('are read as the record in layout %s has them', layout => {
    const doc = new Y.Doc()
    metaOf(doc).set('layout', layout)
    putRecord(doc, note)
    expect(readParentAndIndex(recordsOf(doc).get(note.id))).toEqual({ parentId: 'page:page', index: 'a1' })
    changeRecord(doc, note, { ...note, parentId: 'shape:f', index: 'a7' })
    expect(readParentAndIndex(recordsOf(doc).get(note.id))).toEqual({ parentId: 'shape:f', index: 'a7' })
    expect(readParentAndIndex('hello')).toBeUndefined()
  })
})
