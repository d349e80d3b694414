import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import {
  applyChange,
  arrowProps,
  binding,
  boardWith,
  create,
  drawn,
  idsOf,
  noteProps,
  page,
  record,
  stateOf,
  update,
} from '../../test/kit/items.ts'
import type { ItemChange } from '../contract/change.ts'
import type { Item } from '../contract/item.ts'
import { itemEtag } from './item-etag.ts'
import { readItem } from './items.ts'
import { hazardOf } from './record-hazard.ts'
import { changeRecord, metaOf, putRecord, readRecords, recordsOf } from './record-layout.ts'
import { recordFault, serializedSchema } from './tldraw-schema.ts'

describe('the first item of a board', () => {
  it('brings the document, the page and the schema with it', () => {
    const doc = boardWith({ id: 'a', type: 'sticky' })
    expect(idsOf(doc)).toEqual(['document:document', 'page:page', 'shape:a'])
    expect(metaOf(doc).toJSON()).toEqual({ layout: 'fields', schema: serializedSchema })
    for (const found of readRecords(doc).values()) expect(recordFault(found)).toBeUndefined()
    expect(record(doc, 'shape:a')).toMatchObject({ parentId: 'page:page', meta: { item_id: 'a', item_type: 'sticky' } })
  })

  it('lies on the first page where other programs made the pages, and leaves those as they are', () => {
    const doc = new Y.Doc()
    for (const foreign of [page('page:z', 'Zz'), page('page:b', 'a2'), page('page:a', 'a1')]) putRecord(doc, foreign)
    create(doc, { id: 'a', type: 'sticky' })
    expect(idsOf(doc)).toEqual(['document:document', 'page:a', 'page:b', 'page:z', 'shape:a'])
    expect(record(doc, 'shape:a').parentId).toBe('page:z')
  })

  it('is one Yjs transaction with the origin it was given', () => {
    const doc = new Y.Doc()
    const origins: unknown[] = []
    doc.on('update', (_update: Uint8Array, origin: unknown) => origins.push(origin))
    applyChange(doc, { action: 'create', item: { id: 'a', type: 'sticky' } }, 'bridge')
    expect(origins).toEqual(['bridge'])
  })
})

describe('a new item', () => {
  it('is drawn above everything among its siblings', () => {
    const doc = boardWith({ id: 'frame', type: 'frame' }, { id: 'inside', type: 'sticky', parent: 'frame' })
    putRecord(doc, drawn('top', 'note', noteProps, { index: 'b10V' }))
    putRecord(doc, drawn('strange', 'note', noteProps, { index: 'zz no index' }))
    create(doc, { id: 'a', type: 'sticky' })
    create(doc, { id: 'b', type: 'sticky', parent: 'frame' })
    expect(String(record(doc, 'shape:a').index) > 'b10V').toBe(true)
    expect(String(record(doc, 'shape:b').index) > String(record(doc, 'shape:inside').index)).toBe(true)
    expect(String(record(doc, 'shape:b').index) < 'b10V').toBe(true)
  })

  it('lies no deeper than a canvas shows, nor is it moved there', () => {
    const doc = boardWith({ id: 'f0', type: 'frame' }, { id: 'a', type: 'sticky' })
    const within = (n: number) => create(doc, { id: `f${n + 1}`, type: 'frame', parent: `f${n}` }).status
    let depth = 0
    while (depth < 200 && within(depth) === 'applied') depth++
    const deepest = record(doc, `shape:f${depth}`)
    expect(hazardOf(deepest, id => record(doc, id).parentId)).toBeUndefined()
    expect(hazardOf({ ...deepest, parentId: deepest.id, id: 'shape:x' }, id => record(doc, id).parentId)).toBeDefined()
    expect(update(doc, { id: 'a', parent: `f${depth}` })).toMatchObject({ errors: [{ pointer: '/parent' }] })
    expect(update(doc, { id: 'a', parent: `f${depth - 1}` }).status).toBe('applied')
  })

  it('under an id that is taken is refused, and what was there stays', () => {
    const doc = boardWith({ id: 'a', type: 'sticky', x: 1 })
    expect(create(doc, { id: 'a', type: 'sticky', x: 2 })).toMatchObject({ reason: 'item-exists' })
    expect(readItem(doc, 'a')).toMatchObject({ x: 1 })
  })

  it('does not overwrite foreign content either', () => {
    const doc = new Y.Doc()
    recordsOf(doc).set('shape:a', 'mine')
    expect(create(doc, { id: 'a', type: 'sticky' })).toMatchObject({ reason: 'item-exists' })
    expect(recordsOf(doc).get('shape:a')).toBe('mine')
  })

  it('goes on in whole records where the board is made of those', () => {
    const doc = new Y.Doc()
    const theirs = drawn('theirs', 'note', noteProps)
    recordsOf(doc).set(theirs.id, theirs)
    const outcome = create(doc, { id: 'a', type: 'sticky', content: { text: 'hello' } })
    expect(outcome).toMatchObject({ status: 'applied', item: { content: { text: 'hello' } } })
    expect(recordsOf(doc).get('shape:a')).toMatchObject({ id: 'shape:a', type: 'note' })
    update(doc, { id: 'a', style: { color: 'red' } })
    expect(recordsOf(doc).get('shape:a')).toMatchObject({ props: { color: 'red' } })
  })
})

describe('a refused change', () => {
  const id = 'new'
  const data = 'data:image/png;base64,AAAA'
  const connector = (content: { from?: string; to?: string }, parent?: string): ItemChange => ({
    action: 'create',
    item: { id, type: 'connector', content, ...(parent && { parent }) },
  })
  const refused: [string, ItemChange, string, string?][] = [
    ['an image of nothing', { action: 'create', item: { id, type: 'image' } }, 'item-invalid', '/content/url'],
    ['a connector from nowhere', connector({ to: 'a' }), 'item-invalid', '/content/from'],
    ['a connector from what is not there', connector({ from: 'x', to: 'a' }), 'item-invalid', '/content/from'],
    ['a connector to what is not there', connector({ from: 'a', to: 'x' }), 'item-invalid', '/content/to'],
    ['a connector to a connector', connector({ from: 'a', to: 'arrow' }), 'item-invalid', '/content/to'],
    ['a connector to where it begins', connector({ from: 'a', to: 'a' }), 'item-invalid', '/content/to'],
    ['a connector in a missing frame', connector({ from: 'a', to: 'outer' }, 'x'), 'item-invalid', '/parent'],
    ['a missing parent', { action: 'create', item: { id, type: 'text', parent: 'x' } }, 'item-invalid', '/parent'],
    [
      'a parent that is no frame',
      { action: 'create', item: { id, type: 'text', parent: 'a' } },
      'item-invalid',
      '/parent',
    ],
    [
      'a link that is data',
      { action: 'create', item: { id, type: 'document', content: { url: data } } },
      'item-invalid',
      '/content/url',
    ],
    ['an id that is taken', { action: 'create', item: { id: 'a', type: 'text' } }, 'item-exists'],
    ['nothing to update', { action: 'update', item: { id, x: 1 } }, 'item-missing'],
    ['another type', { action: 'update', item: { id: 'a', type: 'text' } }, 'item-invalid', '/type'],
    ['a missing parent', { action: 'update', item: { id: 'a', parent: 'x' } }, 'item-invalid', '/parent'],
    [
      'a link that is data',
      { action: 'update', item: { id: 'a', content: { url: data } } },
      'item-invalid',
      '/content/url',
    ],
    ['itself as parent', { action: 'update', item: { id: 'outer', parent: 'outer' } }, 'item-invalid', '/parent'],
    [
      'its own content as parent',
      { action: 'update', item: { id: 'outer', parent: 'inner' } },
      'item-invalid',
      '/parent',
    ],
    [
      'an end that is not there',
      { action: 'update', item: { id: 'arrow', content: { to: 'x' } } },
      'item-invalid',
      '/content/to',
    ],
    [
      'an end let go',
      { action: 'update', item: { id: 'arrow', content: { from: null } } },
      'item-invalid',
      '/content/from',
    ],
    [
      'both ends at one item',
      { action: 'update', item: { id: 'arrow', content: { to: 'a' } } },
      'item-invalid',
      '/content/to',
    ],
    [
      'another picture, of nothing',
      { action: 'update', item: { id: 'image', content: { url: null } } },
      'item-invalid',
      '/content/url',
    ],
    ['another content', { action: 'update', item: { id: 'a', x: 1 }, if_match: '"old"' }, 'item-changed'],
    ['nothing to delete', { action: 'delete', item: { id } }, 'item-missing'],
    ['another content', { action: 'delete', item: { id: 'a' }, if_match: '"old"' }, 'item-changed'],
  ]

  const board = (): Y.Doc => {
    const doc = boardWith(
      { id: 'a', type: 'sticky' },
      { id: 'outer', type: 'frame' },
      { id: 'middle', type: 'frame', parent: 'outer' },
      { id: 'inner', type: 'frame', parent: 'middle' },
      { id: 'image', type: 'image', content: { url: data } },
    )
    putRecord(doc, drawn('arrow', 'arrow', arrowProps))
    putRecord(doc, binding('1', 'arrow', 'a', 'start'))
    return doc
  }

  it.each(refused)('for %s writes nothing and says why: %j → %s', (_what, change, reason, pointer) => {
    const doc = board()
    const before = stateOf(doc)
    const outcome = applyChange(doc, change)
    expect(outcome).toMatchObject({ status: 'rejected', reason, detail: expect.stringMatching(/\w/) })
    const errors = outcome.status === 'rejected' ? outcome.errors : undefined
    expect(errors?.map(error => error.pointer)).toEqual(pointer === undefined ? undefined : [pointer])
    expect(stateOf(doc)).toEqual(before)
  })

  it('leaves an empty board empty', () => {
    const doc = new Y.Doc()
    create(doc, { id: 'a', type: 'image' })
    create(doc, { id: 'a', type: 'text', parent: 'x' })
    expect(stateOf(doc)).toEqual(stateOf(new Y.Doc()))
  })
})

describe('a patch', () => {
  const sticky = { id: 'a', type: 'sticky', x: 1, y: 2, content: { text: 'hello' }, style: { color: 'red' } } as const

  it('writes the fields that differ and no other', () => {
    const doc = boardWith(sticky)
    update(doc, { id: 'a', type: 'sticky', x: 1, content: { text: 'hello' }, style: { color: 'green' } })
    expect([...(recordsOf(doc).get('shape:a') as Y.Map<unknown>).keys()]).toEqual(['base', 'props.color'])
  })

  it('that changes nothing is applied and writes nothing', () => {
    const doc = boardWith(sticky)
    const before = stateOf(doc)
    expect(update(doc, { id: 'a', x: 1, style: {} })).toEqual({ status: 'applied', item: readItem(doc, 'a') })
    expect(stateOf(doc)).toEqual(before)
  })

  it('survives beside what a person does to other fields at the same moment, and so does that', () => {
    const agents = boardWith(sticky)
    const persons = new Y.Doc()
    Y.applyUpdate(persons, stateOf(agents))
    const before = record(persons, 'shape:a')
    changeRecord(persons, before, { ...before, x: 500, y: 600, isLocked: true })
    update(agents, { id: 'a', content: { text: 'changed' }, style: { color: 'green' } })
    Y.applyUpdate(persons, stateOf(agents))
    Y.applyUpdate(agents, stateOf(persons))
    for (const doc of [agents, persons]) {
      const seen = { x: 500, y: 600, content: { text: 'changed' }, style: { color: 'green' } }
      expect(readItem(doc, 'a')).toMatchObject(seen)
      expect(record(doc, 'shape:a').isLocked).toBe(true)
    }
  })

  it('of the parent moves the item to the top of the frame, and back to the page', () => {
    const doc = boardWith(sticky, { id: 'f', type: 'frame' }, { id: 'b', type: 'sticky', parent: 'f' })
    expect(update(doc, { id: 'a', parent: 'f' })).toMatchObject({ item: { parent: 'f', x: 1, y: 2 } })
    expect(String(record(doc, 'shape:a').index) > String(record(doc, 'shape:b').index)).toBe(true)
    expect(update(doc, { id: 'a', parent: null })).toMatchObject({ status: 'applied' })
    expect(readItem(doc, 'a')).not.toHaveProperty('parent')
    expect(record(doc, 'shape:a').parentId).toBe('page:page')
  })

  it('back to the page goes to the page that the frame is on', () => {
    const doc = boardWith(sticky)
    putRecord(doc, page('page:second', 'a2'))
    putRecord(doc, drawn('f', 'frame', { w: 1, h: 1, name: '', color: 'black' }, { parentId: 'page:second' }))
    update(doc, { id: 'a', parent: 'f' })
    update(doc, { id: 'a', parent: null })
    expect(record(doc, 'shape:a').parentId).toBe('page:second')
  })

  it('with the ETag of what was read goes through once', () => {
    const doc = boardWith(sticky)
    const tag = itemEtag(readItem(doc, 'a') as Item)
    create(doc, { id: 'elsewhere', type: 'sticky' })
    expect(update(doc, { id: 'a', x: 5 }, tag)).toMatchObject({ status: 'applied' })
    expect(update(doc, { id: 'a', x: 6 }, tag)).toMatchObject({ reason: 'item-changed' })
    expect(readItem(doc, 'a')).toMatchObject({ x: 5 })
  })
})
