import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import * as Y from 'yjs'
import { MemoryIndexedDb, memoryKeyRange, turn } from '../../../test/kit/memory-indexeddb.ts'
import { BoardCache, confirmedOf, unsavedOf } from './board-cache.ts'
import { SavedEdits } from './saved.ts'

const own = (confirmed: number, deleted: { client: number; clock: number; length: number }[] = []) => ({
  confirmed,
  deleted,
  at: 0,
})
/** By client id, how much of it is kept: 1 and 2 were this browser's, 3 is a peer's. */
const kept = new Map([
  [1, 10],
  [2, 5],
  [3, 40],
])

describe('of what a browser kept', () => {
  it('what own client ids wrote beyond the last confirmation is still to be saved', () => {
    const deleted = [{ client: 3, clock: 7, length: 2 }]
    const notes = new Map([
      [1, own(10)],
      [2, own(3, deleted)],
    ])
    expect(unsavedOf(kept, notes)).toEqual({ written: [{ client: 2, clock: 3, length: 2 }], deleted })
  })

  it('a server has to know all the rest, or its board is another one', () => {
    expect(confirmedOf(kept, new Map([[2, own(3)]]))).toEqual(
      new Map([
        [1, 10],
        [2, 3],
        [3, 40],
      ]),
    )
    expect(confirmedOf(kept, new Map([[2, own(0)]])).has(2)).toBe(false)
  })

  it('a note that speaks of more than was kept claims nothing', () => {
    const notes = new Map([[2, own(9)]])
    expect(unsavedOf(kept, notes).written).toEqual([])
    expect(confirmedOf(kept, notes).get(2)).toBe(5)
  })
})

describe('edits of an earlier visit', () => {
  it('count as unsaved, and as confirmed up to the first of them, until the server shows them', () => {
    const doc = new Y.Doc()
    doc.getMap('tldraw').set('a', 1)
    doc.getMap('tldraw').set('b', 1)
    const again = new Y.Doc()
    Y.applyUpdate(again, Y.encodeStateAsUpdate(doc))
    const saved = new SavedEdits(again)
    expect(saved.confirmedOf(doc.clientID)).toBe(2)
    saved.add({ written: [{ client: doc.clientID, clock: 1, length: 1 }], deleted: [] })
    expect([saved.hasUnsaved, saved.hasEdited, saved.confirmedOf(doc.clientID)]).toEqual([true, true, 1])
  })

  it('that were deletions only count too', () => {
    const saved = new SavedEdits(new Y.Doc())
    const deleted = [{ client: 3, clock: 7, length: 2 }]
    saved.add({ written: [], deleted })
    expect(saved.hasUnsaved).toBe(true)
    expect(saved.unsavedDeletions).toEqual(deleted)
  })
})

describe('the database of a board', () => {
  let browser: MemoryIndexedDb
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    browser = new MemoryIndexedDb()
    vi.stubGlobal('indexedDB', browser)
    vi.stubGlobal('IDBKeyRange', memoryKeyRange)
  })
  afterEach(() => {
    vi.useRealTimers()
    vi.unstubAllGlobals()
    vi.restoreAllMocks()
  })

  /** A visit that writes two records, deletes one, and hears nothing from a server. */
  async function visit() {
    const doc = new Y.Doc()
    const cache = await BoardCache.open('board', doc)
    const saved = new SavedEdits(doc, () => cache.note(saved))
    doc.getMap('tldraw').set('a', 1)
    doc.getMap('tldraw').set('b', 1)
    doc.getMap('tldraw').delete('a')
    return { doc, cache, saved }
  }

  async function leave({ cache, saved }: Awaited<ReturnType<typeof visit>>) {
    cache.noteNow(saved)
    await cache.close()
    await settled()
  }

  it('gives back at the next visit what no server confirmed', async () => {
    const first = await visit()
    expect(first.cache.isKeeping).toBe(true)
    await leave(first)
    const doc = new Y.Doc()
    const { unsaved, heldBoard } = await BoardCache.open('board', doc)
    expect(heldBoard).toBe(true)
    expect(doc.getMap('tldraw').toJSON()).toEqual({ b: 1 })
    expect(unsaved.written).toEqual([{ client: first.doc.clientID, clock: 0, length: 2 }])
    expect(unsaved.deleted).toEqual(first.saved.unsavedDeletions)
  })

  it('that was forgotten notes nothing any more, at once or soon', async () => {
    const first = await visit()
    await first.cache.clear()
    expect(first.cache.isKeeping).toBe(false)
    // What the page writes as it goes.
    first.doc.getMap('tldraw').delete('b')
    await vi.advanceTimersByTimeAsync(1_000)
    await leave(first)
    const { unsaved, heldBoard } = await BoardCache.open('board', new Y.Doc())
    expect(heldBoard).toBe(false)
    expect(unsaved).toEqual({ written: [], deleted: [] })
  })

  it('that is slow to be read is left for the next visit, and this one goes on without', async () => {
    const first = await visit()
    await leave(first)
    browser.isStuck = true
    const doc = new Y.Doc()
    const opening = expect(BoardCache.open('board', doc)).rejects.toThrow('slow')
    await settled()
    await vi.advanceTimersByTimeAsync(60_000)
    await opening
    browser.isStuck = false
    await settled()
    expect(doc.store.clients.size).toBe(0)
    doc.getMap('tldraw').set('of this visit', 1)
    const later = new Y.Doc()
    const { unsaved } = await BoardCache.open('board', later)
    expect(later.getMap('tldraw').toJSON()).toEqual({ b: 1 })
    expect(unsaved.written).toEqual([{ client: first.doc.clientID, clock: 0, length: 2 }])
  })

  it('whose notes cannot be written gives back what it holds all the same, and keeps nothing of this visit', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    const first = await visit()
    await leave(first)
    browser.beforeWriting = store => {
      if (store === 'custom') throw new Error('the disk is full')
    }
    const doc = new Y.Doc()
    const cache = await BoardCache.open('board', doc)
    expect(doc.getMap('tldraw').toJSON()).toEqual({ b: 1 })
    expect(cache.unsaved.written).toEqual([{ client: first.doc.clientID, clock: 0, length: 2 }])
    expect([cache.isKeeping, warn.mock.calls.length]).toEqual([false, 1])
    // It would count as confirmed at the next visit, and as another board's when the server does not know it.
    doc.getMap('tldraw').set('of this visit', 1)
    await cache.close()
    await settled()
    const later = new Y.Doc()
    browser.beforeWriting = () => {}
    await BoardCache.open('board', later)
    expect(later.getMap('tldraw').toJSON()).toEqual({ b: 1 })
  })

  it('whose notes cannot be read is deleted, at once', async () => {
    await leave(await visit())
    browser.beforeReading = store => {
      if (store === 'custom') throw new Error('the disk is damaged')
    }
    await expect(BoardCache.open('board', new Y.Doc())).rejects.toThrow('damaged')
    expect(browser.databases.has('board')).toBe(false)
  })

  it('that cannot be read is deleted, at once', async () => {
    await leave(await visit())
    browser.answersReading = false
    await expect(BoardCache.open('board', new Y.Doc())).rejects.toThrow('cannot be read')
    expect(browser.databases.has('board')).toBe(false)
  })

  const settled = async () => {
    for (let count = 0; count < 20; count++) await turn()
  }
})
