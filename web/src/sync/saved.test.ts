import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { describe, expect, it } from 'vitest'
import { writeSyncStep1, writeSyncStep2, writeUpdate } from 'y-protocols/sync'
import * as Y from 'yjs'
import { SavedEdits } from './saved.ts'

/** A page and the committed state of its board on the server. */
function pageAndServer() {
  const doc = new Y.Doc()
  const committed = new Y.Doc()
  const outbox: Uint8Array[] = []
  const saved = new SavedEdits(doc)
  doc.on('update', update => outbox.push(update))
  const map = doc.getMap<unknown>('tldraw')
  return {
    doc,
    committed,
    map,
    saved,
    /** Commits what the page has sent; the answer is the frame that goes back to it. */
    commit(): Uint8Array {
      const update = Y.mergeUpdates(outbox.splice(0))
      Y.applyUpdate(committed, update)
      return update
    },
    lose: () => outbox.splice(0),
    hear: (write: (encoder: encoding.Encoder) => void) => {
      const encoder = encoding.createEncoder()
      write(encoder)
      const decoder = decoding.createDecoder(encoding.toUint8Array(encoder))
      saved.receive(decoder)
      expect(decoder.pos).toBe(0)
    },
  }
}

describe('an edit is saved when the server has shown that it is committed', () => {
  it('by the echo of the update', () => {
    const { map, saved, commit, hear } = pageAndServer()
    expect(saved.hasEdited).toBe(false)
    map.set('a', 1)
    expect([saved.hasEdited, saved.hasUnsaved]).toEqual([true, true])
    const echo = commit()
    hear(encoder => writeUpdate(encoder, echo))
    expect(saved.hasUnsaved).toBe(false)
  })

  it('and not by the echo of an earlier one', () => {
    const { map, saved, commit, hear } = pageAndServer()
    map.set('a', 1)
    const first = commit()
    map.set('b', 2)
    hear(encoder => writeUpdate(encoder, first))
    expect(saved.hasUnsaved).toBe(true)
    const second = commit()
    hear(encoder => writeUpdate(encoder, second))
    expect(saved.hasUnsaved).toBe(false)
  })

  it('by one frame for many edits', () => {
    const { map, saved, commit, hear } = pageAndServer()
    for (let i = 0; i < 20; i++) map.set(`key ${i % 3}`, i)
    map.delete('key 0')
    const echo = commit()
    hear(encoder => writeUpdate(encoder, echo))
    expect(saved.hasUnsaved).toBe(false)
  })

  it('not by what others wrote', () => {
    const { map, saved, hear } = pageAndServer()
    map.set('a', 1)
    const other = new Y.Doc()
    other.getMap('tldraw').set('b', 2)
    hear(encoder => writeUpdate(encoder, Y.encodeStateAsUpdate(other)))
    expect(saved.hasUnsaved).toBe(true)
  })

  it('not by a frame that leaves the edit out between two others', () => {
    const { map, saved, doc, hear } = pageAndServer()
    const updates: Uint8Array[] = []
    doc.on('update', update => updates.push(update))
    for (const key of ['a', 'b', 'c']) map.set(key, key)
    const [first, , third] = updates as [Uint8Array, Uint8Array, Uint8Array]
    hear(encoder => writeUpdate(encoder, Y.mergeUpdates([first, third])))
    expect(saved.hasUnsaved).toBe(true)
  })

  it('what peers change is nothing to save', () => {
    const { doc, saved } = pageAndServer()
    const other = new Y.Doc()
    other.getMap('tldraw').set('b', 2)
    Y.applyUpdate(doc, Y.encodeStateAsUpdate(other))
    expect([saved.hasEdited, saved.hasUnsaved]).toEqual([false, false])
  })
})

describe('a deletion', () => {
  it('is saved by its echo, and not by any other', () => {
    const { map, saved, commit, hear } = pageAndServer()
    map.set('a', 1)
    map.set('b', 1)
    const creation = commit()
    hear(encoder => writeUpdate(encoder, creation))
    map.delete('a')
    expect(saved.hasUnsaved).toBe(true)
    hear(encoder => writeUpdate(encoder, creation))
    expect(saved.hasUnsaved).toBe(true)
    const deletion = commit()
    hear(encoder => writeUpdate(encoder, deletion))
    expect(saved.hasUnsaved).toBe(false)
  })

  it('of a peer’s record counts as the user’s edit too', () => {
    const { doc, map, saved, commit, hear } = pageAndServer()
    const other = new Y.Doc()
    other.getMap('tldraw').set('b', 2)
    Y.applyUpdate(doc, Y.encodeStateAsUpdate(other))
    map.delete('b')
    expect(saved.hasUnsaved).toBe(true)
    const deletion = commit()
    hear(encoder => writeUpdate(encoder, deletion))
    expect(saved.hasUnsaved).toBe(false)
  })
})

describe('after a reconnect, when the echo was lost', () => {
  it('the state vector of the server’s sync step 1 saves what was written', () => {
    const { map, saved, commit, committed, hear } = pageAndServer()
    map.set('a', 1)
    commit()
    hear(encoder => writeSyncStep1(encoder, committed))
    expect(saved.hasUnsaved).toBe(false)
  })

  it('a state vector that ends before the edit does not', () => {
    const { map, saved, commit, lose, committed, hear } = pageAndServer()
    map.set('a', 1)
    commit()
    map.set('b', 1)
    lose()
    hear(encoder => writeSyncStep1(encoder, committed))
    expect(saved.hasUnsaved).toBe(true)
  })

  it('the delete set of its sync step 2 saves what was deleted', () => {
    const { doc, map, saved, commit, committed, hear } = pageAndServer()
    map.set('a', 1)
    map.delete('a')
    commit()
    hear(encoder => writeSyncStep1(encoder, committed))
    expect(saved.hasUnsaved).toBe(true)
    hear(encoder => writeSyncStep2(encoder, committed, Y.encodeStateVector(doc)))
    expect(saved.hasUnsaved).toBe(false)
  })
})
