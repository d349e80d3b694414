import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import type { ItemChange } from '../contract/change.ts'
import type { Item, ItemPatch, NewItem } from '../contract/item.ts'
import { itemEtag } from './item-etag.ts'
import { applyChange, listItems, readItem } from './items.ts'
import {
  changeRecord,
  metaOf,
  type PlainRecord,
  putRecord,
  readRecord,
  readRecords,
  recordsOf,
} from './record-layout.ts'
import { recordFault, serializedSchema } from './tldraw-schema.ts'

const create = (doc: Y.Doc, item: NewItem & { id: string }) => applyChange(doc, { action: 'create', item })
const update = (doc: Y.Doc, item: ItemPatch & { id: string }, if_match = '*') =>
  applyChange(doc, { action: 'update', item, if_match })
const remove = (doc: Y.Doc, id: string) => applyChange(doc, { action: 'delete', item: { id } })

function boardWith(...items: (NewItem & { id: string })[]): Y.Doc {
  const doc = new Y.Doc()
  for (const item of items) expect(create(doc, item)).toMatchObject({ status: 'applied' })
  return doc
}

function record(doc: Y.Doc, id: string): PlainRecord {
  const found = readRecord(id, recordsOf(doc).get(id))
  if (!found) throw new Error(`no record ${id}`)
  return found
}

const idsOf = (doc: Y.Doc) => [...recordsOf(doc).keys()].sort()
const stateOf = (doc: Y.Doc) => Y.encodeStateAsUpdate(doc)

/** What tldraw's page writes when a person draws. */
const drawn = (id: string, type: string, props: object, rest: object = {}): PlainRecord => ({
  ...{ id: `shape:${id}`, typeName: 'shape', type, x: 10, y: 20, rotation: 0, index: 'a1', parentId: 'page:page' },
  ...{ isLocked: false, opacity: 1, props, meta: {}, ...rest },
})
const bold = { type: 'paragraph', content: [{ type: 'text', text: 'bold', marks: [{ type: 'bold' }] }] }
const richText = { type: 'doc', content: [bold] }
const noteProps = {
  ...{ color: 'blue', labelColor: 'black', size: 'm', font: 'draw', fontSizeAdjustment: 1, align: 'middle-legacy' },
  ...{ verticalAlign: 'middle', growY: 30, url: '', richText, scale: 2, textLastEditedBy: null },
}
const arrowProps = {
  ...{ kind: 'arc', labelColor: 'black', color: 'black', fill: 'none', dash: 'draw', size: 'm', bend: 0, scale: 1 },
  ...{ arrowheadStart: 'none', arrowheadEnd: 'arrow', font: 'draw', start: { x: 0, y: 0 }, end: { x: 9, y: 9 } },
  ...{ richText, labelPosition: 0.5, elbowMidPoint: 0.5 },
}
const binding = (id: string, from: string, to: string, terminal: string): PlainRecord => ({
  ...{
    id: `binding:${id}`,
    typeName: 'binding',
    type: 'arrow',
    fromId: `shape:${from}`,
    toId: `shape:${to}`,
    meta: {},
  },
  props: { terminal, normalizedAnchor: { x: 0.5, y: 0.5 }, isExact: false, isPrecise: false, snap: 'none' },
})
const page = (id: string, index: string): PlainRecord => ({ id, typeName: 'page', name: '', index, meta: {} })

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

describe('what a person drew', () => {
  const fill = { color: 'black', fill: 'none', dash: 'draw', size: 'm' }
  const segments = [{ type: 'free', path: '' }]
  const line = { a: { id: 'a', index: 'a1', x: 0, y: 0 }, b: { id: 'b', index: 'a2', x: 1, y: 1 } }
  const nearest: [string, string, object][] = [
    ['note', 'sticky', noteProps],
    ['frame', 'frame', { w: 1, h: 1, name: 'F', color: 'black' }],
    ['arrow', 'connector', arrowProps],
    ['group', 'shape', {}],
    [
      'draw',
      'shape',
      { ...fill, segments, isComplete: true, isClosed: false, isPen: false, scale: 1, scaleX: 1, scaleY: 1 },
    ],
    [
      'highlight',
      'shape',
      { color: 'black', size: 'm', segments, isComplete: true, isPen: false, scale: 1, scaleX: 1, scaleY: 1 },
    ],
    ['line', 'shape', { color: 'black', dash: 'draw', size: 'm', spline: 'line', points: line, scale: 1 }],
    ['embed', 'document', { w: 5, h: 6, url: 'https://example.com' }],
    ['bookmark', 'document', { w: 5, h: 6, assetId: null, url: 'https://example.com' }],
  ]

  it.each(nearest)('as a %s appears as a %s, with its record', (type, itemType, props) => {
    const doc = new Y.Doc()
    const shape = drawn('x-1', type, props)
    expect(recordFault(shape)).toBeUndefined()
    putRecord(doc, shape)
    expect(readItem(doc, 'x-1')).toMatchObject({ id: 'x-1', type: itemType, x: 10, y: 20, record: shape })
    expect(update(doc, { id: 'x-1', x: 11 })).toMatchObject({ status: 'applied', item: { x: 11 } })
    expect(record(doc, shape.id)).toEqual({ ...shape, x: 11 })
  })

  it('keeps all that a patch does not speak of, down to its formatting', () => {
    const doc = new Y.Doc()
    const note = drawn('n', 'note', noteProps)
    putRecord(doc, note)
    const read = { width: 400, height: 460, content: { text: 'bold' }, style: { color: 'blue', align: 'middle' } }
    expect(readItem(doc, 'n')).toMatchObject(read)
    update(doc, { id: 'n', rotation: 1, style: { color: 'red' }, created_by: 'me' })
    expect(record(doc, 'shape:n')).toEqual({ ...note, rotation: 1, props: { ...noteProps, color: 'red' } })
  })

  it("as a copy of an agent's item is a person's own", () => {
    const doc = boardWith({ id: 'a', type: 'document', created_by: 'agent-7' })
    putRecord(doc, { ...record(doc, 'shape:a'), id: 'shape:copy' })
    expect(readItem(doc, 'a')).toMatchObject({ created_by: 'agent-7' })
    expect(readItem(doc, 'copy')).toMatchObject({ id: 'copy', type: 'document', record: { id: 'shape:copy' } })
    expect(readItem(doc, 'copy')).not.toHaveProperty('created_by')
  })

  it('shows where an arrow is bound and where a picture is from', () => {
    const doc = new Y.Doc()
    const url = 'https://example.com/cat.png'
    const assetProps = { w: 1, h: 1, name: '', isAnimated: false, mimeType: 'image/png', src: url }
    const imageProps = {
      ...{
        w: 5,
        h: 6,
        playing: true,
        url: '',
        assetId: 'asset:1',
        crop: null,
        flipX: false,
        flipY: false,
        altText: 'A cat',
      },
    }
    putRecord(doc, { id: 'asset:1', typeName: 'asset', type: 'image', props: assetProps, meta: {} })
    putRecord(doc, drawn('image', 'image', imageProps))
    putRecord(doc, drawn('arrow', 'arrow', arrowProps))
    putRecord(doc, binding('1', 'arrow', 'image', 'end'))
    expect(readItem(doc, 'image')).toMatchObject({
      type: 'image',
      content: { url, title: 'A cat' },
      width: 5,
      height: 6,
    })
    expect(readItem(doc, 'arrow')?.content).toEqual({ text: 'bold', to: 'image' })
  })
})

describe('a list', () => {
  it('has every item, sorted by id, without records that tldraw would reject', () => {
    const doc = boardWith({ id: 'b', type: 'text' }, { id: 'B', type: 'frame' }, { id: 'a', type: 'sticky' })
    putRecord(doc, drawn('c', 'note', noteProps))
    putRecord(doc, drawn('bad', 'note', { ...noteProps, color: 'pink' }))
    putRecord(doc, drawn('foreign', 'spaceship', {}))
    recordsOf(doc).set('shape:text', 'hello')
    expect(listItems(doc).map(item => item.id)).toEqual(['B', 'a', 'b', 'c'])
    for (const item of listItems(doc)) expect(readItem(doc, item.id)).toEqual(item)
    expect(readItem(doc, 'bad')).toBeUndefined()
    expect(readItem(doc, 'nobody')).toBeUndefined()
  })
})

describe('a delete', () => {
  it('takes with it all that lies inside and every binding to what goes, and nothing else', () => {
    const doc = boardWith(
      { id: 'outer', type: 'frame' },
      { id: 'inner', type: 'frame', parent: 'outer' },
      { id: 'deep', type: 'sticky', parent: 'inner' },
      { id: 'outside', type: 'sticky' },
    )
    putRecord(doc, drawn('arrow', 'arrow', arrowProps))
    putRecord(doc, drawn('inside-arrow', 'arrow', arrowProps, { parentId: 'shape:outer' }))
    for (const bound of [
      binding('to-deep', 'arrow', 'deep', 'start'),
      binding('to-outside', 'arrow', 'outside', 'end'),
      binding('from-inside', 'inside-arrow', 'outside', 'end'),
    ]) {
      putRecord(doc, bound)
    }
    expect(remove(doc, 'outer')).toEqual({ status: 'applied' })
    const left = ['binding:to-outside', 'document:document', 'page:page', 'shape:arrow', 'shape:outside']
    expect(idsOf(doc)).toEqual(left)
    expect(remove(doc, 'outer')).toMatchObject({ reason: 'item-missing' })
  })

  it('ends where foreign shapes lie in each other in a circle', () => {
    const doc = new Y.Doc()
    const frame = { w: 1, h: 1, name: '', color: 'black' }
    putRecord(doc, drawn('a', 'frame', frame, { parentId: 'shape:b' }))
    putRecord(doc, drawn('b', 'frame', frame, { parentId: 'shape:a' }))
    expect(update(doc, { id: 'a', parent: null })).toMatchObject({ status: 'applied' })
    expect(recordsOf(doc).has('page:page')).toBe(true)
    expect(remove(doc, 'a')).toEqual({ status: 'applied' })
    expect(idsOf(doc)).toEqual(['document:document', 'page:page'])
  })
})
