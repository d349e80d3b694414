import { describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import { author, contentOf, stored } from '../../test/kit/stored-boards.ts'
import { Replica } from './replica.ts'

function three() {
  const alice = author(1)
  for (const value of [1, 2, 3]) alice.map.set(`shape:${value}`, value)
  const [first, second, third] = alice.updates as [Uint8Array, Uint8Array, Uint8Array]
  return { alice, first, second, third }
}

describe('an update that is applied', () => {
  test('is logged as the bytes that came in', () => {
    const { first } = three()
    const replica = new Replica(stored())
    const applied = replica.apply(first, 'a peer')
    expect(applied).toEqual({ update: first, incomplete: false })
    expect(applied.update).toBe(first)
  })

  test('and changes nothing is not logged: known structs, deletions made already, nothing at all', () => {
    const { alice, first } = three()
    alice.map.delete('shape:1')
    const deletion = alice.updates[3] as Uint8Array
    const replica = new Replica(stored())
    replica.apply(Y.encodeStateAsUpdate(alice.doc), 'a peer')
    for (const update of [first, deletion, Y.encodeStateAsUpdate(alice.doc), Y.encodeStateAsUpdate(new Y.Doc())]) {
      expect(replica.apply(update, 'a peer')).toEqual({ update: undefined, incomplete: false })
    }
  })

  test('and only deletes is logged', () => {
    const { alice } = three()
    const replica = new Replica(stored({ 1: Y.encodeStateAsUpdate(alice.doc) }))
    alice.map.delete('shape:1')
    expect(replica.apply(alice.updates[3] as Uint8Array, 'a peer').update).toBe(alice.updates[3])
    expect(contentOf(replica)).toEqual({ 'shape:2': 2, 'shape:3': 3 })
  })
})

describe('an update that depends on what is missing', () => {
  test('leaves nothing behind: not in the document, not in what it sends, not to be tried again', () => {
    const { first, third } = three()
    const replica = new Replica(stored({ 1: first }))
    const before = Y.encodeStateAsUpdate(replica.doc)
    expect(replica.apply(third, 'a peer')).toEqual({ update: undefined, incomplete: true })
    expect(Y.encodeStateAsUpdate(replica.doc)).toEqual(before)
    expect(replica.doc.store.pendingStructs).toBe(null)
  })

  test('leaves no transaction to what the document keeps', () => {
    const { first } = three()
    const replica = new Replica(stored())
    let transactions: readonly unknown[] | undefined
    replica.doc.on('beforeAllTransactions', () => {
      transactions = replica.doc._transactionCleanups
    })
    replica.apply(first, 'ann')
    expect(transactions).toEqual([])
  })

  test('with a deletion of what is missing leaves nothing behind either', () => {
    const { alice } = three()
    alice.map.delete('shape:3')
    const replica = new Replica(stored())
    expect(replica.apply(alice.updates[3] as Uint8Array, 'a peer')).toEqual({ update: undefined, incomplete: true })
    expect(replica.doc.store.pendingDs).toBe(null)
    expect(Y.encodeStateAsUpdate(replica.doc)).toEqual(Y.encodeStateAsUpdate(new Y.Doc()))
  })

  test('is logged as the part that was integrated, which another replica can apply by itself', () => {
    const { first, third } = three()
    const bob = author(2)
    bob.map.set('shape:bob', 'here')
    const mixed = Y.mergeUpdates([third, ...bob.updates])
    const replica = new Replica(stored({ 1: first }))
    const { update, incomplete } = replica.apply(mixed, 'a peer')
    expect(incomplete).toBe(true)
    const other = new Replica(stored({ 1: first, 2: update as Uint8Array }))
    expect(contentOf(other)).toEqual({ 'shape:1': 1, 'shape:bob': 'here' })
    expect(other.doc.store.pendingStructs).toBe(null)
  })

  test('is logged without the deletions that others made before', () => {
    const { alice, third } = three()
    const carol = author(3)
    for (let shape = 0; shape < 500; shape++) carol.map.set(`carol:${shape}`, shape)
    for (let shape = 0; shape < 500; shape += 2) carol.map.delete(`carol:${shape}`)
    const bob = author(2)
    bob.map.set('shape:bob', 'here')
    const replica = new Replica(stored({ 1: Y.encodeStateAsUpdate(carol.doc) }))
    const { update } = replica.apply(Y.mergeUpdates([third, ...bob.updates]), 'a peer')
    expect(Y.decodeUpdate(update as Uint8Array).ds.clients.size).toBe(0)
    expect(alice.updates).toHaveLength(3)
  })

  test('is whole once what was missing is there', () => {
    const { first, second, third } = three()
    const replica = new Replica(stored({ 1: first }))
    replica.apply(third, 'a peer')
    replica.apply(second, 'a peer')
    expect(replica.apply(third, 'a peer').update).toBe(third)
    expect(contentOf(replica)).toEqual({ 'shape:1': 1, 'shape:2': 2, 'shape:3': 3 })
  })
})

describe('how far the log is known', () => {
  test('own rows right after what is known are known too', () => {
    const { first } = three()
    const replica = new Replica(stored({ 1: first }))
    expect(replica.advance(2, 4)).toBe(true)
    expect(replica.known).toBe(4)
  })

  test('own rows behind a gap are not, before the rows between are read', () => {
    const { alice, first, second, third } = three()
    const replica = new Replica(stored({ 1: first }))
    replica.apply(alice.updates[2] as Uint8Array, 'a peer')
    expect(replica.advance(3, 3)).toBe(false)
    expect(replica.known).toBe(1)
    replica.absorb(stored({ 2: second, 3: third }))
    expect(replica.known).toBe(3)
  })

  test('never goes back', () => {
    const { first, second } = three()
    const replica = new Replica(stored({ 1: first, 2: second }))
    expect(replica.advance(1, 1)).toBe(true)
    expect(replica.known).toBe(2)
    replica.absorb(stored({ 1: first }))
    expect(replica.known).toBe(2)
  })
})

describe('reading on', () => {
  test('gives what changed the document, row by row, and nothing it had', () => {
    const { first, second, third } = three()
    const replica = new Replica(stored({ 1: first }))
    replica.apply(second, 'a peer')
    expect(replica.absorb(stored({ 1: first, 2: second, 3: third }))).toEqual([third])
  })

  test('from a snapshot, where the rows are gone, gives what the snapshot brought', () => {
    const { alice, first } = three()
    const replica = new Replica(stored({ 1: first }))
    const peer = new Y.Doc()
    Y.applyUpdate(peer, first)
    const snapshot = { seq: 3, state: Y.encodeStateAsUpdateV2(alice.doc) }
    alice.map.set('shape:4', 4)
    const changes = replica.absorb(stored({ 4: alice.updates[3] as Uint8Array }, snapshot))
    expect(replica.known).toBe(4)
    for (const change of changes) Y.applyUpdate(peer, change)
    expect(peer.getMap('tldraw').toJSON()).toEqual(alice.map.toJSON())
    expect(contentOf(replica)).toEqual(alice.map.toJSON())
  })

  test('passes over a snapshot it is beyond', () => {
    const { alice, first, second, third } = three()
    const replica = new Replica(stored({ 1: first, 2: second, 3: third }))
    expect(replica.absorb(stored({}, { seq: 2, state: Y.encodeStateAsUpdateV2(alice.doc) }, 3))).toEqual([])
    expect(replica.known).toBe(3)
  })

  test('for the first time has nobody to tell', () => {
    const { alice } = three()
    const replica = new Replica(stored({}, { seq: 3, state: Y.encodeStateAsUpdateV2(alice.doc) }))
    expect(replica.known).toBe(3)
    expect(contentOf(replica)).toEqual(alice.map.toJSON())
  })
})

describe('a local change', () => {
  test('is one update under the given client id, and none when nothing changed', () => {
    const replica = new Replica(stored())
    const update = replica.edit(77, () => {
      replica.doc.getMap('tldraw').set('shape:a', 1)
      replica.doc.getMap('tldraw').set('shape:b', 2)
    })
    expect([...Y.parseUpdateMeta(update as Uint8Array).to]).toEqual([[77, 2]])
    expect(replica.edit(77, () => undefined)).toBe(undefined)
  })

  test('that throws tells so, and leaves no listener behind', () => {
    const replica = new Replica(stored())
    const fail = () => {
      throw new Error('no')
    }
    expect(() => replica.edit(77, fail)).toThrow('no')
    expect(replica.edit(77, () => replica.doc.getMap('tldraw').set('shape:a', 1))).toBeDefined()
  })
})

describe('a document that rests', () => {
  test('is the same when it wakes, and goes on: what was deleted stays so, what comes in is applied', () => {
    const { alice, first, second, third } = three()
    alice.map.delete('shape:1')
    const replica = new Replica(stored({ 1: first, 2: second, 3: alice.updates[3] as Uint8Array }))
    const before = replica.doc
    replica.rest()
    expect(replica.usedAt).toBeUndefined()
    expect(replica.apply(third, 'a peer')).toEqual({ update: third, incomplete: false })
    expect(replica.doc).not.toBe(before)
    expect(contentOf(replica)).toEqual({ 'shape:2': 2, 'shape:3': 3 })
    expect(replica.known).toBe(3)
  })

  test('still refuses what depends on structs it has not got', () => {
    const { first, third } = three()
    const replica = new Replica(stored({ 1: first }))
    replica.rest()
    expect(replica.apply(third, 'a peer').incomplete).toBe(true)
    expect(contentOf(replica)).toEqual({ 'shape:1': 1 })
  })

  test('is handed out whole without being woken', () => {
    const { alice, first, second, third } = three()
    const replica = new Replica(stored({ 1: first, 2: second, 3: third }))
    const clocks = replica.encodeStateVector()
    replica.rest()
    const copy = new Y.Doc()
    for (const update of replica.encodeState()) Y.applyUpdate(copy, update)
    expect(copy.getMap('tldraw').toJSON()).toEqual(alice.map.toJSON())
    expect(replica.encodeStateVector()).toEqual(clocks)
    expect(replica.usedAt).toBeUndefined()
  })
})
