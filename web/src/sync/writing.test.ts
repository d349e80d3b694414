/** When a page writes at all: not for looking, not while it may only look, and what goes along with the first edit. */
import { TLDOCUMENT_ID, type TLUser, UserRecordType } from '@tldraw/tlschema'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { metaOf, readRecord, readRecords, recordsOf } from '../../../core/doc/record-layout.ts'
import { edit, exchange, geo, makeStore, move, openPage, rectangle, shapeId, twoPages } from './testing.ts'

describe('looking at a board writes nothing', () => {
  it('neither opening an empty one', () => {
    const { store, doc, binding } = openPage()
    expect([...store.allRecords()].some(record => record.typeName === 'page')).toBe(true)
    binding.flush()
    expect(Y.encodeStateVector(doc)).toEqual(Y.encodeStateVector(new Y.Doc()))
  })

  it('nor the user record that tldraw makes when an editor starts', () => {
    const { store, doc, binding } = openPage()
    const user = store.props.users.currentUser.get()
    if (user) store.put([user])
    binding.flush()
    expect(doc.store.clients.size).toBe(0)
  })

  it('nor opening one that others have written to', () => {
    const { alice } = twoPages()
    const doc = new Y.Doc()
    Y.applyUpdate(doc, Y.encodeStateAsUpdate(alice.doc))
    const { store, binding } = openPage(doc)
    binding.flush()
    expect(geo(store, 'r')).toEqual(rectangle('r'))
    expect(doc.store.clients.has(doc.clientID)).toBe(false)
  })
})

describe('a user who goes by another name now', () => {
  /** Opens a board on which they have drawn as `Amber Otter`. */
  function visitAgain() {
    const earlier = openPage()
    const user = earlier.store.props.users.currentUser.get() as TLUser
    earlier.store.put([user, rectangle('r')])
    earlier.binding.flush()
    const doc = new Y.Doc()
    Y.applyUpdate(doc, Y.encodeStateAsUpdate(earlier.doc))
    const page = openPage(doc)
    const { id } = user
    const written = () => readRecord(id, recordsOf(doc).get(id))?.name
    return { ...page, written, rename: (name: string) => page.store.update(id, user => ({ ...user, name })) }
  }

  it('writes nothing by that alone', () => {
    const { doc, binding, rename } = visitAgain()
    rename('Teal Heron')
    binding.flush()
    expect(doc.store.clients.has(doc.clientID)).toBe(false)
  })

  it('signs the next edit with it', () => {
    const { store, binding, written, rename } = visitAgain()
    rename('Teal Heron')
    binding.flush()
    expect(written()).toBe('Amber Otter')
    edit(store, 'r', move(1))
    binding.flush()
    expect(written()).toBe('Teal Heron')
  })
})

describe('while this user may only look', () => {
  it('nothing is written, whatever changes in the store, and nothing counts as waiting', () => {
    const { alice } = twoPages()
    const doc = new Y.Doc()
    Y.applyUpdate(doc, Y.encodeStateAsUpdate(alice.doc))
    const { store, binding } = openPage(doc, makeStore(), { mayEdit: () => false })
    store.remove([shapeId('r')])
    store.put([rectangle('s')])
    expect(binding.hasWaiting).toBe(false)
    binding.flush()
    exchange(alice.doc, doc)
    expect(doc.store.clients.has(doc.clientID)).toBe(false)
  })

  it('what they see is the board again once they may edit, and from then on their edits are written', () => {
    const { alice } = twoPages()
    const doc = new Y.Doc()
    Y.applyUpdate(doc, Y.encodeStateAsUpdate(alice.doc))
    let mayEdit = false
    const { store, binding } = openPage(doc, makeStore(), { mayEdit: () => mayEdit })
    store.remove([shapeId('r')])
    store.put([rectangle('s')])
    binding.flush()
    mayEdit = true
    binding.catchUp()
    expect([geo(store, 'r'), geo(store, 's')]).toEqual([rectangle('r'), undefined])
    edit(store, 'r', move(5))
    binding.flush()
    exchange(alice.doc, doc)
    expect(geo(alice.store, 'r')?.x).toBe(5)
  })
})

it('what tldraw puts back by itself, after a peer removed it, is nobody’s edit', () => {
  const { alice, bob } = twoPages()
  bob.doc.transact(() => recordsOf(bob.doc).delete('document:document'))
  exchange(alice.doc, bob.doc)
  expect(alice.store.get(TLDOCUMENT_ID)).toBeDefined()
  const before = Y.encodeStateVector(alice.doc)
  alice.binding.flush()
  expect(Y.encodeStateVector(alice.doc)).toEqual(before)
})

describe('the first edit brings what a board needs', () => {
  it('document, page, schema, layout and who edited', () => {
    const { store, doc, binding } = openPage()
    const user = UserRecordType.create({ ...store.props.users.currentUser.get(), name: 'Amber Otter' })
    store.put([user])
    binding.flush()
    store.put([rectangle('r')])
    binding.flush()
    expect([...readRecords(doc).keys()].sort()).toEqual(['document:document', 'page:page', shapeId('r'), user.id])
    expect(metaOf(doc).get('schema')).toEqual(store.schema.serialize())
    expect(metaOf(doc).get('layout')).toBe('fields')
  })

  it('and later edits bring none of it again', () => {
    const { alice, bob, settle } = twoPages()
    edit(bob.store, 'r', move(10))
    const before = Y.encodeStateAsUpdate(alice.doc).length
    settle()
    expect(Y.encodeStateAsUpdate(alice.doc).length - before).toBeLessThan(120)
  })
})
