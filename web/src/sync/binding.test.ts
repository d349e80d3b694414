/** Two pages of one board: what one does, the other shows, and what both do at once comes to the same on both. */
import {
  InstancePageStateRecordType,
  PageRecordType,
  type TLGeoShape,
  TLINSTANCE_ID,
  type TLPageId,
  type TLShapeId,
  toRichText,
} from '@tldraw/tlschema'
import type { IndexKey } from '@tldraw/utils'
import { afterEach, describe, expect, it, vi } from 'vitest'
import * as Y from 'yjs'
import { putRecord, readRecord, readRecords, recordsOf } from '../../../core/doc/record-layout.ts'
import { plain } from './plain.ts'
import { edit, exchange, geo, move, openPage, paint, rectangle, shapeId, twoPages } from './testing.ts'

describe('what one page does, the other shows', () => {
  it('creating, changing and deleting', () => {
    const { alice, bob, settle } = twoPages()
    expect(geo(bob.store, 'r')).toEqual(geo(alice.store, 'r'))
    edit(bob.store, 'r', move(70))
    settle()
    expect(geo(alice.store, 'r')?.x).toBe(70)
    alice.store.remove([shapeId('r')])
    settle()
    expect(geo(bob.store, 'r')).toBeUndefined()
  })

  it('one transaction per flush, whatever happened in between', () => {
    const { alice } = twoPages()
    const updates = vi.fn()
    alice.doc.on('update', updates)
    for (let x = 1; x <= 50; x++) edit(alice.store, 'r', move(x))
    alice.store.put([rectangle('s')])
    alice.store.remove([shapeId('s')])
    alice.binding.flush()
    expect(updates).toHaveBeenCalledTimes(1)
    expect([...readRecords(alice.doc).keys()]).not.toContain(shapeId('s'))
  })

  it('without an echo, in either direction', () => {
    const { alice, bob, settle } = twoPages()
    const merged = vi.spyOn(alice.store, 'mergeRemoteChanges')
    edit(alice.store, 'r', move(5))
    settle()
    expect(merged).not.toHaveBeenCalled()
    const before = Y.encodeStateVector(bob.doc)
    bob.binding.flush()
    expect(Y.encodeStateVector(bob.doc)).toEqual(before)
  })
})

describe('a page of the board that a peer deleted', () => {
  const second = PageRecordType.create({
    id: PageRecordType.createId('second'),
    name: 'Page 2',
    index: 'a2' as IndexKey,
  })
  const on = (page: TLPageId) => ({ parentId: page })

  function twoPagesOfTwo() {
    const pages = twoPages()
    pages.alice.store.put([second, rectangle('s', on(second.id))])
    pages.settle()
    return pages
  }

  it('stays deleted, whatever else the user was changing then, on it or elsewhere', () => {
    const { alice, bob, settle } = twoPagesOfTwo()
    edit(bob.store, 'r', move(10))
    edit(bob.store, 's', move(10))
    alice.store.remove([second.id, shapeId('s')])
    alice.binding.flush()
    exchange(alice.doc, bob.doc)
    settle()
    for (const { store, doc } of [alice, bob]) {
      expect([store.has(second.id), recordsOf(doc).has(second.id), store.has(shapeId('s'))]).toEqual(
        Array(3).fill(false),
      )
      expect(geo(store, 'r')?.x).toBe(10)
    }
  })

  it('comes back under what the user was drawing on it', () => {
    const { alice, bob, settle } = twoPagesOfTwo()
    bob.store.put([rectangle('new', on(second.id))])
    alice.store.remove([second.id, shapeId('s')])
    alice.binding.flush()
    exchange(alice.doc, bob.doc)
    settle()
    for (const { store } of [alice, bob]) {
      expect([store.has(second.id), store.has(shapeId('new'))]).toEqual([true, true])
    }
  })
})

describe('simultaneous changes of different fields both survive', () => {
  it('made at the same time', () => {
    const { alice, bob, settle } = twoPages()
    edit(alice.store, 'r', move(300))
    edit(bob.store, 'r', paint('red'))
    settle()
    for (const { store } of [alice, bob]) {
      expect(geo(store, 'r')).toMatchObject({ x: 300, props: { color: 'red' } })
    }
  })

  it('also when the other one arrives before the own one is flushed', () => {
    const { alice, bob, settle } = twoPages()
    edit(alice.store, 'r', move(300))
    edit(bob.store, 'r', paint('red'))
    bob.binding.flush()
    exchange(alice.doc, bob.doc)
    expect(geo(alice.store, 'r')).toMatchObject({ x: 300, props: { color: 'red' } })
    settle()
    expect(geo(bob.store, 'r')).toMatchObject({ x: 300, props: { color: 'red' } })
  })

  it('a record that a peer deleted stays deleted, though the user was changing it', () => {
    const { alice, bob, settle } = twoPages()
    edit(alice.store, 'r', move(300))
    bob.store.remove([shapeId('r')])
    settle()
    expect(geo(alice.store, 'r')).toBeUndefined()
    expect(recordsOf(alice.doc).has(shapeId('r'))).toBe(false)
  })
})

it('remote changes never look like the user’s own', () => {
  const { alice, bob, settle } = twoPages()
  const own = vi.fn()
  alice.store.listen(own, { source: 'user', scope: 'document' })
  edit(bob.store, 'r', move(9))
  settle()
  expect(geo(alice.store, 'r')?.x).toBe(9)
  expect(own).not.toHaveBeenCalled()
})

describe('a record that cannot be shown is set aside alone', () => {
  const broken = rectangle('broken', { props: { ...rectangle('broken').props, color: 'no colour' as 'red' } })

  it('on load and live, and stays in the document', () => {
    const warn = quietly()
    const doc = new Y.Doc()
    doc.transact(() => {
      putRecord(doc, plain(rectangle('good')))
      putRecord(doc, plain(broken))
      recordsOf(doc).set('junk', 'not a record')
    })
    const { store } = openPage(doc)
    expect(geo(store, 'good')).toBeDefined()
    expect(geo(store, 'broken')).toBeUndefined()
    doc.transact(() => {
      putRecord(doc, plain(rectangle('later')))
      putRecord(doc, plain({ ...broken, x: 1 }))
    })
    expect(geo(store, 'later')).toBeDefined()
    expect(recordsOf(doc).has(broken.id)).toBe(true)
    expect(warn).toHaveBeenCalledTimes(2)
  })

  it('and comes in once it is repaired', () => {
    quietly()
    const doc = new Y.Doc()
    doc.transact(() => putRecord(doc, plain(broken)))
    const { store } = openPage(doc)
    doc.transact(() => putRecord(doc, plain(rectangle('broken'))))
    expect(geo(store, 'broken')?.props.color).toBe('black')
  })

  it('a valid record that becomes invalid keeps its last valid face', () => {
    quietly()
    const { alice, bob, settle } = twoPages()
    const value = recordsOf(bob.doc).get(shapeId('r'))
    if (value instanceof Y.Map) value.set('props.color', 42)
    settle()
    expect(geo(alice.store, 'r')?.props.color).toBe('black')
  })

  it('shapes that lie in each other never reach the canvas so, and not at all where they would lie too deep', () => {
    quietly()
    const doc = new Y.Doc()
    const ring = (name: string, length: number) => {
      for (let n = 0; n < length; n++) {
        putRecord(doc, plain(rectangle(name + n, { parentId: shapeId(name + ((n + 1) % length)) })))
      }
    }
    doc.transact(() => {
      ring('short', 100)
      ring('long', 200)
    })
    const { store, binding } = openPage(doc)
    expect(geo(store, 'short0')?.parentId).toBe('page:page')
    for (let n = 1; n < 100; n++) expect(geo(store, `short${n}`)?.parentId).toBe(shapeId(`short${(n + 1) % 100}`))
    for (let n = 0; n < 200; n++) expect(geo(store, `long${n}`)).toBeUndefined()
    expect(binding.setAside.size).toBe(200)
  })

  it('records of each user’s own (camera, pointer) are not taken from the document', () => {
    const doc = new Y.Doc()
    const camera = { id: 'camera:page:page', typeName: 'camera', x: 500, y: 500, z: 4, meta: {} }
    doc.transact(() => putRecord(doc, camera))
    const { store } = openPage(doc)
    expect(store.get('camera:page:page' as never)).toMatchObject({ x: 0, y: 0, z: 1 })
  })
})

describe('the text that somebody writes', () => {
  const text = (words: string) => (shape: TLGeoShape) => ({
    ...shape,
    props: { ...shape.props, richText: toRichText(words) },
  })

  /** Alice is in `r`'s text, as tldraw's store says it. */
  function writing() {
    const pages = twoPages()
    const { store } = pages.alice
    const pageId = 'page:page' as TLPageId
    const instance = store.schema.types.instance.create({ id: TLINSTANCE_ID, currentPageId: pageId })
    const turnTo = (editingShapeId: TLShapeId | null) =>
      store.put([
        store.schema.types.instance_page_state.create({
          id: InstancePageStateRecordType.createId(pageId),
          pageId,
          editingShapeId,
        }),
      ])
    store.put([instance])
    turnTo(shapeId('r'))
    return { ...pages, turnTo }
  }

  it('stays theirs while they write, and everything else of the shape arrives', () => {
    const { alice, bob, settle } = writing()
    edit(alice.store, 'r', text('Alice'))
    settle()
    edit(bob.store, 'r', shape => paint('red')(text('Bob')(move(9)(shape))))
    settle()
    expect(geo(alice.store, 'r')).toMatchObject({ x: 9, props: { color: 'red', richText: toRichText('Alice') } })
  })

  it('is what was written last, when they are done', () => {
    const { alice, bob, settle, turnTo } = writing()
    edit(bob.store, 'r', text('Bob'))
    settle()
    turnTo(null)
    settle()
    for (const { store } of [alice, bob]) expect(geo(store, 'r')?.props.richText).toEqual(toRichText('Bob'))
    edit(bob.store, 'r', text('Bob again'))
    settle()
    expect(geo(alice.store, 'r')?.props.richText).toEqual(toRichText('Bob again'))
  })

  it('is theirs for everybody, when they wrote last', () => {
    const { alice, bob, settle, turnTo } = writing()
    edit(bob.store, 'r', text('Bob'))
    settle()
    edit(alice.store, 'r', text('Alice'))
    settle()
    turnTo(null)
    settle()
    for (const { store } of [alice, bob]) expect(geo(store, 'r')?.props.richText).toEqual(toRichText('Alice'))
  })

  it('is theirs also where they leave it right after the last word', () => {
    const { alice, bob, settle, turnTo } = writing()
    edit(bob.store, 'r', text('Bob'))
    settle()
    edit(alice.store, 'r', shape => move(9)(text('Alice')(shape)))
    turnTo(null)
    settle()
    for (const { store } of [alice, bob])
      expect(geo(store, 'r')).toMatchObject({ x: 9, props: { richText: toRichText('Alice') } })
  })
})

describe('boards that other programs began, in whole records', () => {
  it('are read, and go on in whole records', () => {
    const doc = new Y.Doc()
    recordsOf(doc).set(shapeId('r'), rectangle('r'))
    const { store, binding } = openPage(doc)
    edit(store, 'r', move(40))
    store.put([rectangle('s')])
    binding.flush()
    for (const name of ['r', 's']) expect(recordsOf(doc).get(shapeId(name))).not.toBeInstanceOf(Y.Map)
    expect(readRecord(shapeId('r'), recordsOf(doc).get(shapeId('r')))).toMatchObject({ x: 40 })
  })
})

it('a binding that stopped writes its last edits and then leaves both sides alone', () => {
  const { alice, bob, settle } = twoPages()
  edit(alice.store, 'r', move(11))
  alice.binding.stop()
  settle()
  expect(geo(bob.store, 'r')?.x).toBe(11)
  edit(bob.store, 'r', move(12))
  settle()
  expect(geo(alice.store, 'r')?.x).toBe(11)
})

const quietly = () => vi.spyOn(console, 'warn').mockImplementation(() => {})
afterEach(() => vi.restoreAllMocks())
