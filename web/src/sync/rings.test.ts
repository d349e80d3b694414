/** Frames that people put into each other, seen by pages that bind the document. */

import type { TLGeoShape } from '@tldraw/tlschema'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { removeRecord } from '../../../core/doc/record-layout.ts'
import {
  expectSettled,
  first,
  historyOf,
  put,
  ringedIn,
  second,
  shownBy,
  stored,
  usual,
} from '../../../test/kit/settled-pages.ts'
import { edit, exchange, frame, geo, inside, move, openPage, rectangle, shapeId, twoPages } from './testing.ts'

describe('frames that are put into each other', () => {
  const into = (parent: string, x: number) => (shape: TLGeoShape) => ({ ...shape, x, parentId: shapeId(parent) })

  /** Both hold a frame at 100 and one at 1000, with a shape in each. Then they put them into each other. */
  function ringed() {
    const { alice, bob, settle } = twoPages()
    alice.store.put([frame('f', { x: 100 }), inside('f', 'in f'), frame('g', { x: 1000 }), inside('g', 'in g')])
    settle()
    edit(alice.store, 'f', into('g', 20))
    edit(bob.store, 'g', into('f', 30))
    return { alice, bob, settle }
  }

  /** As `ringed` leaves it, when nobody is there who could mend it. */
  function ringedDoc(): Y.Doc {
    const doc = new Y.Doc()
    put(doc, first, rectangle('r'), inside('f', 'in f'), inside('g', 'in g'))
    put(doc, frame('f', { x: 20, parentId: shapeId('g') }), frame('g', { x: 30, parentId: shapeId('f') }))
    return doc
  }

  it('are there for both: the first of them on the page, where it was put, the other one in it', () => {
    const { alice, bob, settle } = ringed()
    settle()
    for (const { store } of [alice, bob]) {
      expect(geo(store, 'f')).toMatchObject({ x: 1020, parentId: usual })
      expect(geo(store, 'g')).toMatchObject({ x: 30, parentId: shapeId('f') })
      expect([geo(store, 'in f')?.parentId, geo(store, 'in g')?.parentId]).toEqual([shapeId('f'), shapeId('g')])
    }
    settle()
    expectSettled(alice, bob)
  })

  it('also when that was not yet written as the other’s edit came', () => {
    const { alice, bob, settle } = ringed()
    bob.binding.flush()
    exchange(alice.doc, bob.doc)
    for (const { store } of [alice, bob]) expect(geo(store, 'f')).toMatchObject({ x: 1020, parentId: usual })
    settle()
    expectSettled(alice, bob)
  })

  it('are mended once, and nobody writes anything after that', () => {
    const { alice, bob, settle } = ringed()
    settle()
    const before = [alice, bob].map(historyOf)
    settle()
    settle()
    expect([alice, bob].map(historyOf)).toEqual(before)
  })

  it('lie on the page on which they were', () => {
    const { alice, bob, settle } = twoPages()
    const [parentId, x] = [second.id, 1000]
    alice.store.put([second, frame('outer', { x: 50, parentId })])
    alice.store.put([frame('f', { parentId }), frame('g', { x, rotation: Math.PI, parentId: shapeId('outer') })])
    settle()
    edit(alice.store, 'f', into('g', 20))
    edit(bob.store, 'g', into('f', 30))
    settle()
    for (const { store } of [alice, bob]) {
      expect(geo(store, 'f')).toMatchObject({ x: 1030, rotation: Math.PI, parentId })
      expect(geo(store, 'g')).toMatchObject({ x: 30, parentId: shapeId('f') })
    }
    settle()
    expectSettled(alice, bob)
  })

  it('are there, be they three and their authors too', () => {
    const { alice, bob } = twoPages()
    const carol = openPage()
    const pages = [alice, bob, carol]
    alice.store.put(['f', 'g', 'h'].map((name, n) => frame(name, { x: 1000 * n })))
    settle()
    function settle() {
      for (const { binding } of pages) binding.flush()
      exchange(...pages.map(({ doc }) => doc))
    }
    edit(alice.store, 'g', into('h', 20))
    edit(bob.store, 'h', into('f', 30))
    edit(carol.store, 'f', into('g', 10))
    settle()
    for (const { store } of pages) {
      expect(geo(store, 'f')).toMatchObject({ parentId: usual })
      expect(geo(store, 'g')).toMatchObject({ x: 20, parentId: shapeId('h') })
      expect(geo(store, 'h')).toMatchObject({ x: 30, parentId: shapeId('f') })
    }
    settle()
    expectSettled(...pages)
  })

  it('are shown to who looks on, who writes nothing, and then come in as others have them', () => {
    const { alice, bob, settle } = ringed()
    const looker = openPage()
    exchange(alice.doc, looker.doc)
    for (const { binding } of [alice, bob]) binding.flush()
    const [ofAlice, ofBob] = [alice, bob].map(({ doc }) => Y.encodeStateAsUpdate(doc)) as [Uint8Array, Uint8Array]
    Y.applyUpdate(looker.doc, ofAlice, 'a peer')
    Y.applyUpdate(looker.doc, ofBob, 'a peer')
    const before = historyOf(looker)
    expect(geo(looker.store, 'f')).toMatchObject({ x: 1020, parentId: usual })
    expect(geo(looker.store, 'g')).toMatchObject({ x: 30, parentId: shapeId('f') })
    looker.binding.flush()
    expect(historyOf(looker)).toEqual(before)
    settle()
    exchange(alice.doc, bob.doc, looker.doc)
    expectSettled(looker, alice, bob)
  })

  it('are shown when a board is opened that holds them, and nothing is written', () => {
    const looker = openPage(ringedDoc())
    const before = historyOf(looker)
    looker.binding.flush()
    expect(geo(looker.store, 'f')).toMatchObject({ x: 20, parentId: usual })
    expect(geo(looker.store, 'g')).toMatchObject({ x: 30, parentId: shapeId('f') })
    expect([geo(looker.store, 'in f')?.parentId, geo(looker.store, 'in g')?.parentId]).toEqual([
      shapeId('f'),
      shapeId('g'),
    ])
    expect([...looker.binding.setAside]).toEqual([])
    expect(historyOf(looker)).toEqual(before)
  })

  it('are so for everybody from the first edit on', () => {
    const doc = ringedDoc()
    const [drawing, looker] = [openPage(doc), openPage()]
    exchange(doc, looker.doc)
    edit(drawing.store, 'r', move(5))
    drawing.binding.flush()
    expect(stored(drawing, shapeId('f'))).toMatchObject({ x: 20, parentId: usual })
    exchange(doc, looker.doc)
    expectSettled(drawing, looker)
  })

  it.each([
    ['f', 'g'],
    ['g', 'f'],
  ])('are shown as a peer takes them apart who moves %s', (moved, other) => {
    const looker = openPage(ringedDoc())
    const peer = new Y.Doc()
    exchange(looker.doc, peer)
    put(peer, frame(moved, { x: 500 }))
    exchange(looker.doc, peer)
    expect(geo(looker.store, moved)).toMatchObject({ x: 500, parentId: usual })
    expect(geo(looker.store, other)).toMatchObject({ parentId: shapeId(moved) })
    expectSettled(looker)
  })

  it('may be moved by who sees them, like all others', () => {
    const page = openPage(ringedDoc())
    edit(page.store, 'f', move(70))
    page.binding.flush()
    expect(stored(page, shapeId('f'))).toMatchObject({ x: 70, parentId: usual })
    expectSettled(page)
  })

  it('lie as they are shown, also when the first edit takes one out of the other', () => {
    const doc = ringedDoc()
    const [drawing, looker] = [openPage(doc), openPage()]
    exchange(doc, looker.doc)
    edit(drawing.store, 'g', shape => ({ ...shape, x: 300, parentId: usual }))
    drawing.binding.flush()
    expect(geo(drawing.store, 'f')).toMatchObject({ x: 20, parentId: usual })
    expect(geo(drawing.store, 'g')).toMatchObject({ x: 300, parentId: usual })
    exchange(doc, looker.doc)
    expectSettled(drawing, looker)
  })

  it('lie as all others see them, when who takes them apart did not know where they were', () => {
    const page = openPage()
    put(page.doc, first, frame('f'), frame('g', { parentId: shapeId('f') }))
    const peer = new Y.Doc()
    exchange(page.doc, peer)
    put(peer, frame('f', { x: 20, parentId: shapeId('g') }))
    exchange(page.doc, peer)
    expect(geo(page.store, 'f')).toMatchObject({ x: 20, parentId: usual })
    edit(page.store, 'g', shape => ({ ...shape, x: 300, parentId: usual }))
    page.binding.flush()
    expect(geo(page.store, 'f')).toMatchObject({ x: 20, parentId: shapeId('g') })
    expectSettled(page)
  })

  it('are where they were put also for who alone has seen them there', () => {
    const { alice, bob } = ringed()
    alice.binding.stop()
    exchange(alice.doc, bob.doc)
    expect(geo(bob.store, 'f')).toMatchObject({ x: 1020, parentId: usual })
    bob.binding.flush()
    expectSettled(bob)
  })

  it('are left as they are by who does not know where they were, and has not found them so', () => {
    const page = openPage()
    put(page.doc, first, rectangle('r'), frame('f'), frame('g', { parentId: shapeId('f') }))
    const peer = new Y.Doc()
    exchange(page.doc, peer)
    put(peer, frame('f', { x: 20, parentId: shapeId('g') }))
    exchange(page.doc, peer)
    edit(page.store, 'r', move(5))
    page.binding.flush()
    expect(stored(page, shapeId('f'))).toMatchObject({ x: 20, parentId: shapeId('g') })
  })

  it('also one in itself', () => {
    const doc = new Y.Doc()
    put(doc, first, rectangle('r'), inside('s', 's', { x: 10 }))
    const page = openPage(doc)
    expect(geo(page.store, 's')).toMatchObject({ x: 10, parentId: usual })
    edit(page.store, 'r', move(5))
    page.binding.flush()
    expectSettled(page)
  })

  it('also by way of frames that are gone', () => {
    const [looker, peer] = [openPage(), new Y.Doc()]
    put(looker.doc, first, frame('s'), frame('t'))
    put(looker.doc, frame('in s', { parentId: shapeId('s') }), frame('in t', { parentId: shapeId('t') }))
    exchange(looker.doc, peer)
    put(peer, frame('s', { parentId: shapeId('in t') }), frame('t', { parentId: shapeId('in s') }))
    peer.transact(() => ['in s', 'in t'].map(name => removeRecord(peer, shapeId(name))))
    exchange(looker.doc, peer)
    expect(ringedIn(shownBy(looker))).toEqual([])
    expect([geo(looker.store, 's'), geo(looker.store, 't')]).not.toContain(undefined)
  })
})
