/** A replica of a big board: loaded as bytes, awake in slices, in its snapshot cut. */
import { describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import { drawn, noteProps } from '../../test/kit/items.ts'
import { author, contentOf, stored } from '../../test/kit/stored-boards.ts'
import { turnsIn } from '../../test/kit/turns.ts'
import { type DocumentBytes, isCut, sizeOf } from '../store/state-bytes.ts'
import { recordsForFile } from './board-file.ts'
import { itemsAfter } from './items.ts'
import { type PlainRecord, putRecord } from './record-layout.ts'
import { Replica } from './replica.ts'
import { cutFromBytes, slicesOf } from './slices.ts'

describe('a big board', () => {
  const big = () => {
    const alice = author(1)
    for (let shape = 0; shape < 40; shape++) alice.map.set(`shape:${shape}`, noise(20_000, shape))
    return alice
  }
  /** What no encoding makes smaller. */
  const noise = (bytes: number, seed: number) =>
    Uint8Array.from({ length: bytes }, (_, index) => (index * 2_654_435_761 + seed * 40_503) >>> 13)
  /** Cheaper to compare than their bytes one by one. */
  const shapesIn = (doc: Y.Doc) => Buffer.concat([...doc.getMap<Uint8Array>('tldraw').values()]).toString('base64')
  const snapshotOf = (doc: Y.Doc) => ({ seq: 7, state: Y.encodeStateAsUpdateV2(doc) })

  test('is loaded as bytes, and is the same when it wakes, at once or in slices', async () => {
    const { doc, map } = big()
    for (const wake of [(replica: Replica) => replica.wake(), async () => {}]) {
      const replica = await Replica.load(stored({}, snapshotOf(doc)))
      expect(replica.rests).toBe(true)
      expect(replica.known).toBe(7)
      expect(replica.encodeState().length).toBeGreaterThan(3)
      await wake(replica)
      expect(contentOf(replica)).toEqual(map.toJSON())
    }
  })

  test('has the rows after its snapshot too', async () => {
    const alice = big()
    const snapshot = snapshotOf(alice.doc)
    const { length } = alice.updates
    alice.map.set('shape:late', 1)
    alice.map.delete('shape:0')
    const [eighth, ninth] = alice.updates.slice(length) as [Uint8Array, Uint8Array]
    const replica = await Replica.load(stored({ 8: eighth, 9: ninth }, snapshot))
    expect(replica.known).toBe(9)
    expect(contentOf(replica)).toEqual(alice.map.toJSON())
  })

  test('whoever cannot wait for it to wake in slices does not get it twice', async () => {
    const { doc, map } = big()
    const replica = await Replica.load(stored({}, snapshotOf(doc)))
    const woken = replica.wake()
    const impatient = replica.doc
    await woken
    expect(replica.doc).toBe(impatient)
    expect(contentOf(replica)).toEqual(map.toJSON())
  })

  test('keeps its records packed for who edits it, and as values for who will read it, again after a rest', async () => {
    const { doc, map } = author(1)
    for (let shape = 0; shape < 40; shape++) map.set(`shape:${shape}`, { text: `${shape}`.repeat(10_000) })
    const replica = await Replica.load(stored({}, snapshotOf(doc)))
    const isPacked = () => {
      const [once, again] = ['shape:7', 'shape:7'].map(id => replica.doc.getMap('tldraw').get(id))
      return once !== again
    }
    for (let times = 0; times < 2; times++) {
      await replica.wake()
      expect(isPacked()).toBe(true)
      await replica.wakeToChange()
      expect(isPacked()).toBe(true)
      await replica.wakeToRead()
      expect(isPacked()).toBe(false)
      expect(contentOf(replica)).toEqual(map.toJSON())
      replica.rest()
    }
  })

  test('whose snapshot cannot be read says so, as a small one does', async () => {
    const { doc } = big()
    const state = snapshotOf(doc).state.fill(255, 100, 200)
    const found: unknown[] = []
    const damaged = { ...stored({}, { seq: 7, state }), onUnreadable: (part: unknown) => void found.push(part) }
    await expect(Replica.load(damaged)).rejects.toThrow()
    expect(found).toEqual(['snapshot'])
  })

  test('lies in its snapshot cut, is not cut anew when it is loaded, and is the same in every way to read it', async () => {
    const { doc } = big()
    const drawn = shapesIn(doc)
    const replica = new Replica(stored({}, snapshotOf(doc)))
    const state = await replica.encodeWhole(sizeOf(Y.encodeStateAsUpdateV2(doc)))
    expect(isCut(state)).toBe(true)
    const kept = stored({}, { seq: 7, state })
    const never = () => Promise.reject(new Error('it is cut already'))
    const loaded = await Replica.load(kept, never)
    expect([loaded.rests, loaded.known]).toEqual([true, 7])
    expect(loaded.encodeState()).toBe((state as DocumentBytes).slices)
    expect(loaded.encodeStateVector()).toEqual(Y.encodeStateVector(doc))
    expect(shapesIn(loaded.doc)).toBe(drawn)
    expect(shapesIn(new Replica(kept).doc)).toBe(drawn)

    const behind = new Replica(stored())
    const told = new Y.Doc()
    for (const update of behind.absorb(kept)) Y.applyUpdate(told, update)
    expect([shapesIn(behind.doc), shapesIn(told)]).toEqual([drawn, drawn])
  })

  test('cut, and a slice of it cannot be read: that is told when it wakes', async () => {
    const { doc } = big()
    const state = slicesOf(Y.encodeStateAsUpdateV2(doc))
    state.slices[1] = Uint8Array.of(1, 2, 3)
    const found: unknown[] = []
    const damaged = { ...stored({}, { seq: 7, state }), onUnreadable: (part: unknown) => void found.push(part) }
    for (const wake of ['wake', 'wakeToRead'] as const) {
      await expect((await Replica.load(damaged))[wake]()).rejects.toThrow()
    }
    expect(found).toEqual(['snapshot', 'snapshot'])
    expect(() => new Replica(damaged)).toThrow()
    expect(found).toEqual(['snapshot', 'snapshot', 'snapshot'])
  })

  test('whose rows no snapshot covers yet is read while others get their turn, and is the same', async () => {
    const { doc, map, updates } = author(1)
    for (let row = 0; row < 40; row++) {
      doc.transact(() => {
        for (let n = 0; n < 500; n++) map.set(`shape:${row}-${n}`, { props: { text: `${n}`.repeat(20) }, x: n })
      })
    }
    const rows = Object.fromEntries(updates.map((update, index) => [index + 1, update]))
    let replica: Replica | undefined
    const turns = await turnsIn(async () => {
      replica = await Replica.load(stored(rows))
    })
    expect(turns).toBeGreaterThan(1)
    expect(replica?.known).toBe(updates.length)
    expect(replica && contentOf(replica)).toEqual(map.toJSON())
    expect(replica?.encodeStateVector()).toEqual(Y.encodeStateVector(doc))
  })

  test('is listed, searched and exported while others get their turn', async () => {
    const doc = new Y.Doc()
    doc.transact(() => {
      for (let n = 0; n < 10_000; n++) putRecord(doc, drawn(`n${n}`, 'note', noteProps, { x: n }))
    })
    const right = { minX: 9_999, minY: 0, maxX: 19_999, maxY: 100 }
    const found: string[] = []
    const searching = await turnsIn(async () => {
      for await (const item of itemsAfter(doc, '', { box: right })) found.push(item.id)
    })
    // Each is 400 wide.
    expect(found).toHaveLength(401)
    let records: readonly PlainRecord[] = []
    const exporting = await turnsIn(async () => {
      records = await recordsForFile(doc)
    })
    expect(records.filter(record => record.typeName === 'page')).toHaveLength(1)
    // To sort the ids takes 2,000 of each.
    expect(searching).toBeGreaterThan(3_000)
    expect(exporting).toBeGreaterThan(5_000)
  })

  test('that is mostly history, and one that is small by now, lies in its snapshot as one update', async () => {
    const { doc, map } = author(1)
    doc.transact(() => {
      for (let turn = 0; turn < 100_000; turn++) map.set(`shape:${turn % 2}`, turn)
    })
    expect(Y.encodeStateAsUpdate(doc).byteLength).toBeGreaterThan(cutFromBytes)
    const drawnOver = new Replica(stored({}, snapshotOf(doc)))
    for (const rows of [0, 10 * cutFromBytes]) {
      const state = await drawnOver.encodeWhole(cutFromBytes + rows)
      expect(Buffer.compare(state as Uint8Array, Y.encodeStateAsUpdateV2(doc))).toBe(0)
    }

    const cleared = author(2)
    cleared.map.set('shape:1', noise(cutFromBytes - 1_000, 1))
    const small = new Replica(stored({}, snapshotOf(cleared.doc)))
    expect(isCut(await small.encodeWhole(10 * cutFromBytes))).toBe(false)
  })
})
