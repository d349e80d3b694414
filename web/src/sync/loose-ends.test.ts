import { atom } from '@tldraw/state'
import type { TLGroupShape, TLPageId } from '@tldraw/tlschema'
import type { IndexKey } from '@tldraw/utils'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { removeRecord } from '../../../core/doc/record-layout.ts'
import { expectSettled, first, historyOf, put, remove, second, stored, usual } from '../../../test/kit/settled-pages.ts'
import {
  arrowEnd,
  edit,
  exchange,
  frame,
  geo,
  inside,
  makeStore,
  move,
  openPage,
  paint,
  rectangle,
  shapeId,
  twoPages,
  undoable,
} from './testing.ts'

describe('what is put into something that a peer deletes meanwhile', () => {
  it('lies on the page where it was, when that was a frame', () => {
    const { alice, bob, settle } = twoPages()
    alice.store.put([frame('f', { x: 100, y: 200 })])
    settle()
    alice.store.put([inside('f', 's', { x: 10, y: 20 })])
    remove(bob, shapeId('f'))
    settle()
    settle()
    for (const { store } of [alice, bob]) {
      expect(geo(store, 's')).toMatchObject({ x: 110, y: 220, parentId: usual })
      expect(store.has(shapeId('f'))).toBe(false)
    }
    expectSettled(alice, bob)
  })

  it('also when it was not yet written as the deletion came', () => {
    const { alice, bob, settle } = twoPages()
    alice.store.put([frame('f', { x: 100 })])
    settle()
    alice.store.put([inside('f', 's', { x: 10 })])
    remove(bob, shapeId('f'))
    bob.binding.flush()
    exchange(alice.doc, bob.doc)
    settle()
    for (const { store } of [alice, bob]) expect(geo(store, 's')).toMatchObject({ x: 110, parentId: usual })
    expectSettled(alice, bob)
  })

  it('above what lies there, one above the other as before', () => {
    const { alice, bob, settle } = twoPages()
    alice.store.put([frame('f'), rectangle('top', { index: 'a9' as IndexKey })])
    settle()
    const names = ['s', 't', 'u']
    alice.store.put([...names].reverse().map(name => inside('f', name, { index: `a${name}` as IndexKey })))
    remove(bob, shapeId('f'))
    settle()
    settle()
    const indexes = ['top', ...names].map(name => String(geo(bob.store, name)?.index))
    expect(new Set(indexes).size).toBe(4)
    expect([...indexes].sort()).toEqual(indexes)
  })

  it('turned as it was, when the frame was turned', () => {
    const { alice, bob, settle } = twoPages()
    alice.store.put([frame('f', { x: 100, y: 100, rotation: Math.PI / 2 })])
    settle()
    alice.store.put([inside('f', 's', { x: 10, y: 20, rotation: 1 })])
    remove(bob, shapeId('f'))
    settle()
    settle()
    const { x, y, rotation } = geo(bob.store, 's') ?? {}
    expect([x, y, rotation].map(value => value?.toFixed(6))).toEqual(
      [80, 110, 1 + Math.PI / 2].map(value => value.toFixed(6)),
    )
  })

  it('in the outer frame, when only the inner one is gone', () => {
    const { alice, bob, settle } = twoPages()
    alice.store.put([frame('outer', { x: 100 }), frame('inner', { x: 50, parentId: shapeId('outer') })])
    settle()
    alice.store.put([inside('inner', 's', { x: 10 })])
    remove(bob, shapeId('inner'))
    settle()
    settle()
    for (const { store } of [alice, bob]) expect(geo(store, 's')).toMatchObject({ x: 60, parentId: shapeId('outer') })
    expectSettled(alice, bob)
  })

  it('on the page, when all frames around it are gone', () => {
    const { alice, bob, settle } = twoPages()
    alice.store.put([frame('outer', { x: 100 }), frame('inner', { x: 50, parentId: shapeId('outer') })])
    settle()
    alice.store.put([inside('inner', 's', { x: 10 })])
    remove(bob, shapeId('outer'), shapeId('inner'))
    settle()
    settle()
    for (const { store } of [alice, bob]) expect(geo(store, 's')).toMatchObject({ x: 160, parentId: usual })
    expectSettled(alice, bob)
  })

  it('on the page, when what is left of its frames lies in itself by now', () => {
    const alice = openPage()
    alice.store.put([
      frame('outer'),
      frame('inner', { parentId: shapeId('outer') }),
      frame('s', { parentId: shapeId('inner') }),
    ])
    alice.binding.flush()
    const peer = new Y.Doc()
    exchange(alice.doc, peer)
    put(peer, frame('outer', { parentId: shapeId('s') }))
    peer.transact(() => removeRecord(peer, shapeId('inner')))
    alice.binding.flush()
    exchange(alice.doc, peer)
    expect(alice.store.get(shapeId('s'))?.parentId).toBe(usual)
    expect(alice.store.get(shapeId('outer'))?.parentId).toBe(shapeId('s'))
    expectSettled(alice)
  })

  it.each([
    ['the one who ungroups', 1, 2],
    ['the one who moves it', 2, 1],
  ])('where it was in a group that a peer ungroups, though %s wrote last', (_, aliceId, bobId) => {
    const { alice, bob, settle } = twoPages()
    alice.doc.clientID = aliceId
    bob.doc.clientID = bobId
    const group = { ...frame('g', { x: 100 }), type: 'group', props: {} } as unknown as TLGroupShape
    alice.store.put([group, inside('g', 'a', { x: 10 }), inside('g', 'b', { x: 20 })])
    settle()
    edit(alice.store, 'a', move(15))
    for (const name of ['a', 'b']) edit(bob.store, name, shape => ({ ...shape, x: shape.x + 100, parentId: usual }))
    remove(bob, group.id)
    settle()
    settle()
    for (const { store } of [alice, bob]) {
      expect(geo(store, 'a')).toMatchObject({ x: aliceId > bobId ? 115 : 110, parentId: usual })
      expect(geo(store, 'b')).toMatchObject({ x: 120, parentId: usual })
    }
    expectSettled(alice, bob)
  })

  it('is there for all who look on, though none of them writes', () => {
    const { alice, bob: deleter, settle } = twoPages()
    alice.store.put([frame('f', { x: 100 })])
    settle()
    const looker = openPage()
    exchange(alice.doc, looker.doc)
    remove(deleter, shapeId('f'))
    deleter.binding.flush()
    const agent = new Y.Doc()
    exchange(alice.doc, agent)
    put(agent, inside('f', 's', { x: 10 }))
    exchange(agent, looker.doc)
    expect(geo(looker.store, 's')).toMatchObject({ x: 10, parentId: shapeId('f') })
    exchange(agent, looker.doc, alice.doc, deleter.doc)
    exchange(agent, looker.doc, alice.doc, deleter.doc)
    for (const page of [alice, deleter, looker]) expect(geo(page.store, 's')).toMatchObject({ x: 110, parentId: usual })
    expect(looker.doc.store.clients.has(looker.doc.clientID)).toBe(false)
    expectSettled(alice, deleter, looker)
  })

  it('lies on its page, which comes back with its name', () => {
    const { alice, bob, settle } = twoPages()
    alice.store.put([second, rectangle('old', { parentId: second.id })])
    settle()
    alice.store.put([rectangle('new', { parentId: second.id })])
    remove(bob, second.id, shapeId('old'))
    settle()
    settle()
    for (const { store } of [alice, bob]) {
      expect(store.get(second.id)).toEqual(second)
      expect([store.has(shapeId('new')), store.has(shapeId('old'))]).toEqual([true, false])
    }
    expectSettled(alice, bob)
  })

  it('in a frame on a page that was deleted with it, lies on that page', () => {
    const { alice, bob, settle } = twoPages()
    alice.store.put([second, frame('f', { x: 100, parentId: second.id })])
    settle()
    alice.store.put([inside('f', 's', { x: 10 })])
    remove(bob, second.id, shapeId('f'))
    settle()
    settle()
    for (const { store } of [alice, bob]) expect(geo(store, 's')).toMatchObject({ x: 110, parentId: second.id })
    expectSettled(alice, bob)
  })
})

describe('what was deleted with all that lay in it', () => {
  it('stays deleted, and nobody writes anything', () => {
    const { alice, bob, settle } = twoPages()
    alice.store.put([second, frame('f'), inside('f', 's'), rectangle('t', { parentId: second.id })])
    settle()
    edit(alice.store, 's', move(10))
    alice.binding.flush()
    const before = historyOf(alice)
    remove(bob, second.id, shapeId('f'), shapeId('s'), shapeId('t'))
    settle()
    settle()
    expect(historyOf(alice)).toEqual(before)
    for (const { store } of [alice, bob])
      expect([second.id, shapeId('f'), shapeId('s'), shapeId('t')].filter(id => store.has(id))).toEqual([])
    expectSettled(alice, bob)
  })
})

describe('who may not write', () => {
  it('sees it as all others do, and writes nothing', () => {
    const mode = atom<'readonly' | 'readwrite'>('mode', 'readwrite')
    const store = makeStore()
    Object.assign(store.props, { collaboration: { status: null, mode } })
    const { alice } = twoPages()
    alice.store.put([frame('f', { x: 100 })])
    alice.binding.flush()
    const carol = openPage(new Y.Doc(), store)
    exchange(alice.doc, carol.doc)
    carol.store.put([inside('f', 's', { x: 10 })])
    carol.binding.flush()
    mode.set('readonly')
    const before = historyOf(carol)
    carol.doc.transact(() => removeRecord(carol.doc, shapeId('f')), 'a peer')
    expect(geo(carol.store, 's')).toMatchObject({ x: 110, parentId: usual })
    expect(historyOf(carol)).toEqual(before)
  })
})

describe('a board that holds shapes in nothing', () => {
  const lost = 'page:lost' as TLPageId
  function orphaned(): Y.Doc {
    const doc = new Y.Doc()
    put(doc, first, rectangle('r'), inside('gone', 's', { x: 10 }), rectangle('t', { parentId: lost }))
    return doc
  }

  it('shows them on the page, or on a page of their own, and writes nothing', () => {
    const doc = orphaned()
    const before = Y.encodeStateVector(doc)
    const page = openPage(doc)
    page.binding.flush()
    expect(geo(page.store, 's')).toMatchObject({ x: 10, parentId: usual })
    expect(page.store.get(lost)).toBeDefined()
    expect(historyOf(page)).toEqual(before)
  })

  it('and no page at all gets the one that every board begins with', () => {
    const doc = new Y.Doc()
    put(doc, rectangle('r'))
    const page = openPage(doc)
    edit(page.store, 'r', move(5))
    page.binding.flush()
    expect(stored(page, usual)).toEqual(first)
  })

  it('has them there for everybody from the first edit on', () => {
    const doc = orphaned()
    const [drawing, looker] = [openPage(doc), openPage()]
    exchange(doc, looker.doc)
    edit(drawing.store, 'r', move(5))
    drawing.binding.flush()
    exchange(doc, looker.doc)
    expect(stored({ doc }, shapeId('s'))).toMatchObject({ parentId: usual })
    expect(stored({ doc }, lost)).toBeDefined()
    expectSettled(drawing, looker)
  })

  it('shows them in their frame again when that comes back', () => {
    const { alice, bob, settle } = twoPages()
    alice.store.put([frame('f', { x: 100 })])
    settle()
    const undo = undoable(alice.store, () => remove(alice, shapeId('f')))
    alice.binding.flush()
    const looker = openPage()
    exchange(alice.doc, looker.doc)
    // Of one who is gone before hearing of the deletion.
    put(looker.doc, inside('f', 's', { x: 10 }))
    expect(geo(looker.store, 's')).toMatchObject({ x: 10, parentId: usual })
    undo()
    alice.binding.flush()
    exchange(alice.doc, looker.doc, bob.doc)
    for (const { store } of [alice, bob, looker])
      expect(geo(store, 's')).toMatchObject({ x: 10, parentId: shapeId('f') })
  })

  it('moves and changes them like all others', () => {
    const page = openPage(orphaned())
    edit(page.store, 's', shape => paint('red')(move(70)(shape)))
    page.binding.flush()
    expect(stored(page, shapeId('s'))).toMatchObject({ x: 70, parentId: usual, props: { color: 'red' } })
  })
})

describe('the end of an arrow', () => {
  const end = arrowEnd('b', 'r', 's')

  it('stays out of the canvas while its shape is not there, and comes in with it', () => {
    const { alice, bob, settle } = twoPages()
    alice.store.put([rectangle('s')])
    settle()
    alice.store.put([end])
    remove(bob, shapeId('s'))
    bob.binding.flush()
    alice.binding.stop()
    exchange(alice.doc, bob.doc)
    expect(bob.store.has(end.id)).toBe(false)
    put(bob.doc, rectangle('s'))
    expect(bob.store.get(end.id)).toEqual(end)
  })

  it('is gone for everybody when who tied it learns that its shape is gone', () => {
    const { alice, bob, settle } = twoPages()
    alice.store.put([rectangle('s')])
    settle()
    alice.store.put([end])
    remove(bob, shapeId('s'))
    settle()
    settle()
    for (const page of [alice, bob]) expect([page.store.has(end.id), stored(page, end.id)]).toEqual([false, undefined])
  })

  it('comes in with its shapes when a board is opened, in whatever order they are read', () => {
    const doc = new Y.Doc()
    put(doc, end, rectangle('s'), rectangle('r'), first)
    expect(openPage(doc).store.get(end.id)).toEqual(end)
  })
})

describe('a page that only tldraw made', () => {
  it('goes when the board has pages', () => {
    const page = openPage()
    expect(page.store.has(usual)).toBe(true)
    put(page.doc, second, rectangle('s', { parentId: second.id }))
    const pages = page.store.query.records('page').get()
    expect(pages).toEqual([second])
  })

  it('stays while something is drawn on it', () => {
    const page = openPage()
    page.store.put([rectangle('mine')])
    put(page.doc, second)
    page.binding.flush()
    expect(page.store.has(usual)).toBe(true)
    expect(stored(page, usual)).toBeDefined()
  })
})
