import { describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import { drawn, noteProps } from '../../test/kit/items.ts'
import { turnsIn } from '../../test/kit/turns.ts'
import { countItems } from './item-count.ts'
import { itemsAfter } from './items.ts'
import { applyPacked } from './packed-values.ts'
import { changeRecord, putRecord, readRecord, recordsOf, removeRecord } from './record-layout.ts'

const note = (id: string, fields: object = {}) => drawn(id, 'note', noteProps, fields)

async function listed(doc: Y.Doc): Promise<number> {
  let count = 0
  for await (const _item of itemsAfter(doc, '')) count += 1
  return count
}

describe('the number of items', () => {
  test('is that of the items listed, whatever else lies there, and stays so with every edit', async () => {
    const doc = new Y.Doc()
    const records = recordsOf(doc)
    const edits: [items: number, edit: () => void][] = [
      [0, () => {}],
      [2, () => ['a', 'b'].map(id => putRecord(doc, note(id)))],
      [2, () => records.set('shape:number', 42)],
      [2, () => records.set('shape:map', new Y.Map([['base', { id: 'shape:another', typeName: 'shape' }]]))],
      [2, () => putRecord(doc, note('invalid', { opacity: 7 }))],
      [2, () => putRecord(doc, note('x'.repeat(257)))],
      [2, () => putRecord(doc, { ...note('c'), id: 'note:c' })],
      [3, () => putRecord(doc, note('number'))],
      [4, () => changeRecord(doc, note('invalid', { opacity: 7 }), note('invalid'))],
      [3, () => changeRecord(doc, note('a'), note('a', { opacity: 'half' }))],
      [2, () => removeRecord(doc, 'shape:b')],
    ]
    for (const [items, edit] of edits) {
      doc.transact(edit)
      expect([await countItems(doc), await listed(doc)]).toEqual([items, items])
      const packed = new Y.Doc()
      applyPacked(packed, Y.encodeStateAsUpdate(doc), 'test')
      expect(await countItems(packed)).toBe(items)
    }
  })

  test('is found while others get their turn, and then not looked for again', async () => {
    const doc = new Y.Doc()
    doc.transact(() => {
      for (let n = 0; n < 20_000; n++) putRecord(doc, note(`n${n}`))
    })
    const counts: number[] = []
    const [first, again] = [
      await turnsIn(async () => counts.push(await countItems(doc))),
      await turnsIn(async () => counts.push(await countItems(doc))),
    ]
    expect(counts).toEqual([20_000, 20_000])
    expect(first).toBeGreaterThan(3_000)
    expect(again).toBe(0)
  })

  test('has what was edited while it was looked for', async () => {
    const doc = new Y.Doc()
    doc.transact(() => {
      for (let n = 0; n < 20_000; n++) putRecord(doc, note(`n${n}`))
    })
    let edits = 0
    const edit = () => {
      if (edits === 1_000) return
      setImmediate(edit)
      edits += 1
      putRecord(doc, note(`new-${edits}`))
      recordsOf(doc).set('shape:n0', edits)
      removeRecord(doc, 'shape:n19999')
    }
    let editsMeanwhile = 0
    await turnsIn(async () => {
      setImmediate(edit)
      await countItems(doc)
      editsMeanwhile = edits
    })
    expect(editsMeanwhile).toBe(1_000)
    expect(readRecord('shape:n0', recordsOf(doc).get('shape:n0'))).toBeUndefined()
    expect(await countItems(doc)).toBe(20_000 - 2 + edits)
  })
})
