import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { arbitraryEnds, arbitraryItem, requiredContent } from '../../test/kit/arbitrary-item.ts'
import { applyChange } from '../../test/kit/items.ts'
import { type Item, itemSchema, itemTypes, type NewItem } from '../contract/item.ts'
import { type FieldPointer, fieldValue } from './item-fields.ts'
import { itemForms } from './item-forms.ts'
import { shapeIdOf } from './record-ids.ts'
import { type PlainRecord, readRecord, recordsOf } from './record-layout.ts'
import { recordFault } from './tldraw-schema.ts'

function createOn(doc: Y.Doc, item: NewItem, id = 'a'): Item {
  const outcome = applyChange(doc, { action: 'create', item: { ...item, id } })
  if (outcome.status === 'rejected' || !outcome.item) throw new Error(JSON.stringify(outcome))
  return outcome.item
}

function recordOf(doc: Y.Doc, id = 'a'): PlainRecord {
  const record = readRecord(shapeIdOf(id), recordsOf(doc).get(shapeIdOf(id)))
  if (!record) throw new Error(`no record ${id}`)
  return record
}

/** With the items that connectors connect. */
function newBoard(): Y.Doc {
  const doc = new Y.Doc()
  for (const item of arbitraryEnds) applyChange(doc, { action: 'create', item })
  return doc
}

/** What an item says, as somebody would send it to make another like it. */
const wordsOf = ({ id: _id, ...words }: Item) => words as NewItem

describe('every item that the schema allows', () => {
  it("becomes a record that tldraw's own schema accepts, without an empty text node", () => {
    fc.assert(
      fc.property(arbitraryItem, item => {
        const doc = newBoard()
        createOn(doc, item)
        for (const [id, value] of recordsOf(doc).entries()) {
          const record = readRecord(id, value)
          expect(record && recordFault(record)).toBeUndefined()
        }
        expect(JSON.stringify(recordOf(doc).props)).not.toContain('"text":""')
      }),
    )
  })

  it('reads back with all it said, where its type has a use for it', () => {
    fc.assert(
      fc.property(arbitraryItem, item => {
        const read = createOn(newBoard(), item)
        expect(read).toMatchObject({
          id: 'a',
          type: item.type,
          x: item.x ?? (item.type === 'connector' ? read.x : 0),
          y: item.y ?? (item.type === 'connector' ? read.y : 0),
          rotation: item.rotation ?? 0,
        })
        expect(read.created_by).toBe(item.created_by)
        expect(read.record).toBeUndefined()
        for (const [pointer, field] of Object.entries(itemForms[item.type].fields)) {
          const said = fieldValue(item, pointer as FieldPointer)
          if (field.write && said !== undefined)
            expect([pointer, fieldValue(read, pointer as FieldPointer)]).toEqual([pointer, said])
        }
        expect(itemSchema.parse(read)).toEqual(read)
      }),
    )
  })

  it('read and made again from what was read is the same item', () => {
    fc.assert(
      fc.property(arbitraryItem, item => {
        const doc = newBoard()
        const first = createOn(doc, item)
        const second = createOn(doc, wordsOf(first), 'b')
        expect(second).toEqual({ ...first, id: 'b' })
        const { props } = recordOf(doc)
        expect(recordOf(doc, 'b').props).toEqual(props)
      }),
    )
  })

  it('is the same after any patch as if it had been made so', () => {
    fc.assert(
      fc.property(arbitraryItem, arbitraryItem, (item, { type: _type, content = {}, style = {}, ...patch }) => {
        const doc = newBoard()
        createOn(doc, item)
        const outcome = applyChange(doc, { action: 'update', item: { ...patch, content, style, id: 'a' } })
        const merged = {
          ...item,
          ...patch,
          content: { ...item.content, ...content },
          style: { ...item.style, ...style },
        }
        expect(outcome).toEqual({ status: 'applied', item: createOn(newBoard(), merged) })
      }),
    )
  })
})

describe('defaults', () => {
  it.each(itemTypes)('of a %s come back when everything is taken away', type => {
    const doc = newBoard()
    const required = requiredContent[type]
    const content = { text: 'a', title: 'b', url: 'https://example.com', ...required }
    const style = { color: 'red', size: 'xl', font: 'mono', fill: 'solid', dash: 'dotted', align: 'end' } as const
    createOn(doc, { type, x: 1, y: 2, width: 7, height: 8, rotation: 1, content, style, created_by: 'me' })
    const nothing = { x: null, y: null, width: null, height: null, rotation: null, created_by: null }
    const patch = { ...nothing, content: required ? { text: null, title: null } : null, style: null }
    const outcome = applyChange(doc, { action: 'update', item: { ...patch, id: 'a' } })
    expect(outcome).toEqual({
      status: 'applied',
      item: createOn(newBoard(), { type, ...(required && { content: required }) }),
    })
  })

  it('of a sticky are a yellow square of 200', () => {
    expect(createOn(newBoard(), { type: 'sticky' })).toEqual({
      id: 'a',
      type: 'sticky',
      x: 0,
      y: 0,
      width: 200,
      height: 200,
      rotation: 0,
      content: { text: '' },
      style: { color: 'yellow', size: 'm', font: 'draw', align: 'middle' },
    })
  })
})

describe('long text', () => {
  const text = 'lorem ipsum dolor '.repeat(20)

  it('makes a sticky taller, and short text makes it as it was', () => {
    const doc = newBoard()
    const { height = 0 } = createOn(doc, { type: 'sticky', content: { text } })
    expect(height).toBeGreaterThan(600)
    const outcome = applyChange(doc, { action: 'update', item: { id: 'a', content: { text: 'short' } } })
    expect(outcome).toMatchObject({ item: { height: 200 } })
  })

  it.each(['shape', 'document'] as const)('makes a %s taller on the board than the height it was given', type => {
    const doc = newBoard()
    expect(createOn(doc, { type, width: 200, height: 100, content: { text } }).height).toBe(100)
    expect(recordOf(doc).props).toMatchObject({ h: 100, growY: expect.any(Number) })
    expect((recordOf(doc).props as { growY: number }).growY).toBeGreaterThan(400)
  })

  it('wraps in a text that has a width, and stays on its line in one that has not', () => {
    const doc = newBoard()
    createOn(doc, { type: 'text', content: { text } })
    expect(recordOf(doc).props).toMatchObject({ autoSize: true })
    createOn(doc, { type: 'text', width: 300, content: { text } }, 'b')
    expect(recordOf(doc, 'b').props).toMatchObject({ autoSize: false, w: 300 })
  })
})

describe('what a type has no use for', () => {
  it('is accepted and not kept', () => {
    const item = createOn(newBoard(), { type: 'frame', style: { font: 'mono' }, content: { text: 'a', kind: 'star' } })
    expect(item).toMatchObject({ style: { color: 'black' }, content: { title: '' } })
    expect([Object.keys(item.style), Object.keys(item.content)]).toEqual([['color'], ['title']])
  })
})
