/** A tracker lives as long as anybody follows its board: what has gone is not remembered. */
import { afterEach, expect, test, vi } from 'vitest'
import * as Y from 'yjs'
import { arrowProps, binding, drawn, noteProps } from '../../test/kit/items.ts'
import { author, stored } from '../../test/kit/stored-boards.ts'
import { BoardRecords } from './board-records.ts'
import { ItemTracker } from './item-tracker.ts'
import { type PlainRecord, putRecord, removeRecord } from './record-layout.ts'
import { Replica } from './replica.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

const asset = (name: string): PlainRecord => ({
  ...{ id: 'asset:a', typeName: 'asset', type: 'image', meta: {} },
  props: { w: 1, h: 1, name, isAnimated: false, mimeType: null, src: `https://a.example/${name}` },
})
const picture = drawn('picture', 'image', {
  ...{ w: 1, h: 1, playing: true, url: '', assetId: 'asset:a', crop: null, flipX: false, flipY: false, altText: '' },
})
const note = drawn('note', 'note', noteProps)
const arrow = (id: string) => drawn(id, 'arrow', arrowProps)

test.each<[string, PlainRecord[], string[], PlainRecord, string]>([
  ['a picture', [asset('one'), picture], [picture.id], asset('two'), picture.id],
  [
    'an arrow that lost its end',
    [note, arrow('k'), arrow('l'), binding('b', 'k', 'note', 'start')],
    ['binding:b'],
    binding('b', 'l', 'note', 'start'),
    'shape:k',
  ],
])('%s is not looked at for the sake of what it no longer depends on', async (_what, before, gone, next, id) => {
  const { doc, updates } = author(1)
  doc.transact(() => {
    for (const record of before) putRecord(doc, record)
  })
  const tracker = await ItemTracker.of(await Replica.load(stored({ 1: Y.encodeStateAsUpdate(doc) })))
  const absorb = (seq: number, edit: () => void) => {
    const { length } = updates
    doc.transact(edit)
    const data = Y.mergeUpdates(updates.slice(length))
    return stored({ [seq]: data }).rows.flatMap(row => tracker.absorb(row, 1))
  }
  expect(
    absorb(2, () => {
      for (const one of gone) removeRecord(doc, one)
    }),
  ).toHaveLength(1)
  const read = vi.spyOn(BoardRecords.prototype, 'record')
  absorb(3, () => putRecord(doc, next))
  expect(read.mock.calls.map(([asked]) => asked)).not.toContain(id)
})
