import { atom } from '@tldraw/state'
import { type RecordsDiff, reverseRecordsDiff } from '@tldraw/store'
import {
  PageRecordType,
  type TLGeoShape,
  type TLGroupShape,
  type TLPage,
  type TLPageId,
  type TLParentId,
  type TLRecord,
  type TLShapeId,
  type TLStore,
} from '@tldraw/tlschema'
import type { IndexKey } from '@tldraw/utils'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import {
  type PlainRecord,
  putRecord,
  readRecord,
  readRecords,
  recordsOf,
  removeRecord,
} from '../../../core/doc/record-layout.ts'
import { plain } from './plain.ts'
import {
  arrowEnd,
  edit,
  exchange,
  frame,
  geo,
  inside,
  makeStore,
  move,
  openPage,
  type Page,
  paint,
  rectangle,
  shapeId,
  twoPages,
  undoable,
} from './testing.ts'

type Diff = RecordsDiff<TLRecord>
const usual = 'page:page' as TLPageId
const stored = ({ doc }: Pick<Page, 'doc'>, id: string) => readRecord(id, recordsOf(doc).get(id))
const remove = ({ store }: Page, ...ids: string[]) => store.remove(ids as TLRecord['id'][])
const historyOf = ({ doc }: Page) => Y.encodeStateVector(doc)

function put(doc: Y.Doc, ...records: TLRecord[]): void {
  doc.transact(() => {
    for (const record of records) putRecord(doc, plain(record))
  })
}

/** All documents say the same, every store shows what they say, and nothing in it hangs on nothing. */
function expectSettled(...pages: Page[]): void {
  const shared = ({ store }: Page) =>
    Object.fromEntries(
      store
        .allRecords()
        .filter(({ typeName }) => ['shape', 'binding', 'page'].includes(typeName))
        .map(record => [record.id, record]),
    )
  for (const page of pages) {
    const records = readRecords(page.doc)
    const parents = [...records.values()].map(({ parentId }) => parentId).filter(id => id !== undefined)
    expect(parents.filter(id => !records.has(String(id)))).toEqual([])
    expect([...page.binding.setAside]).toEqual([])
    expect(ringedIn(records)).toEqual([])
    for (const [id, record] of Object.entries(shared(page))) expect(records.get(id)).toEqual(record)
    expect(shared(page)).toEqual(shared(pages[0] as Page))
  }
}

/** The shapes of which the way up leads to no page. */
function ringedIn(records: ReadonlyMap<string, PlainRecord>): string[] {
  const leadsNowhere = (id: string) => {
    let parent: unknown = id
    for (let steps = 0; steps <= records.size; steps++) parent = records.get(String(parent))?.parentId ?? parent
    return !String(parent).startsWith('page:')
  }
  return [...records.keys()].filter(id => id.startsWith('shape:') && leadsNowhere(id))
}

/** What leads to a page is shown where the document has it, everything else somewhere. */
function expectShown({ store, doc }: Page): void {
  const records = readRecords(doc)
  const unsure = new Set(ringedIn(records))
  for (const [id, { typeName, parentId }] of records) {
    if (typeName !== 'shape') continue
    const shown = store.get(id as TLShapeId)
    expect([id, shown?.parentId]).toEqual([id, unsure.has(id) ? expect.any(String) : parentId])
  }
}

const shownBy = ({ store }: Page) => new Map(store.allRecords().map(record => [record.id as string, plain(record)]))

describe('what is put into something that a peer deletes meanwhile', () => {
  it('lies on the page where it was, when that was a frame', () => {
    const { alice, bob, settle } = twoPages()
    alice.store.put([frame('f', { x: 100, y: 200 })])
    settle()
    alice.store.put([inside('f', 's', { x: 10, y: 20 })])
    remove(bob, shapeId('f'))
    settle()
    settle()
    for (const { store } of [alice, bob]) {
      expect(geo(store, 's')).toMatchObject({ x: 110, y: 220, parentId: usual })
      expect(store.has(shapeId('f'))).toBe(false)
    }
    expectSettled(alice, bob)
  })

  it('also when it was not yet written as the deletion came', () => {
    const { alice, bob, settle } = twoPages()
    alice.store.put([frame('f', { x: 100 })])
    settle()
    alice.store.put([inside('f', 's', { x: 10 })])
    remove(bob, shapeId('f'))
    bob.binding.flush()
    exchange(alice.doc, bob.doc)
    settle()
    for (const { store } of [alice, bob]) expect(geo(store, 's')).toMatchObject({ x: 110, parentId: usual })
    expectSettled(alice, bob)
  })

  it('above what lies there, one above the other as before', () => {
    const { alice, bob, settle } = twoPages()
    alice.store.put([frame('f'), rectangle('top', { index: 'a9' as IndexKey })])
    settle()
    const names = ['s', 't', 'u']
    alice.store.put([...names].reverse().map(name => inside('f', name, { index: `a${name}` as IndexKey })))
    remove(bob, shapeId('f'))
    settle()
    settle()
    const indexes = ['top', ...names].map(name => String(geo(bob.store, name)?.index))
    expect(new Set(indexes).size).toBe(4)
    expect([...indexes].sort()).toEqual(indexes)
  })

  it('turned as it was, when the frame was turned', () => {
    const { alice, bob, settle } = twoPages()
    alice.store.put([frame('f', { x: 100, y: 100, rotation: Math.PI / 2 })])
    settle()
    alice.store.put([inside('f', 's', { x: 10, y: 20, rotation: 1 })])
    remove(bob, shapeId('f'))
    settle()
    settle()
    const { x, y, rotation } = geo(bob.store, 's') ?? {}
    expect([x, y, rotation].map(value => value?.toFixed(6))).toEqual(
      [80, 110, 1 + Math.PI / 2].map(value => value.toFixed(6)),
    )
  })

  it('in the outer frame, when only the inner one is gone', () => {
    const { alice, bob, settle } = twoPages()
    alice.store.put([frame('outer', { x: 100 }), frame('inner', { x: 50, parentId: shapeId('outer') })])
    settle()
    alice.store.put([inside('inner', 's', { x: 10 })])
    remove(bob, shapeId('inner'))
    settle()
    settle()
    for (const { store } of [alice, bob]) expect(geo(store, 's')).toMatchObject({ x: 60, parentId: shapeId('outer') })
    expectSettled(alice, bob)
  })

  it('on the page, when all frames around it are gone', () => {
    const { alice, bob, settle } = twoPages()
    alice.store.put([frame('outer', { x: 100 }), frame('inner', { x: 50, parentId: shapeId('outer') })])
    settle()
    alice.store.put([inside('inner', 's', { x: 10 })])
    remove(bob, shapeId('outer'), shapeId('inner'))
    settle()
    settle()
    for (const { store } of [alice, bob]) expect(geo(store, 's')).toMatchObject({ x: 160, parentId: usual })
    expectSettled(alice, bob)
  })

  it('on the page, when what is left of its frames lies in itself by now', () => {
    const alice = openPage()
    alice.store.put([
      frame('outer'),
      frame('inner', { parentId: shapeId('outer') }),
      frame('s', { parentId: shapeId('inner') }),
    ])
    alice.binding.flush()
    const peer = new Y.Doc()
    exchange(alice.doc, peer)
    put(peer, frame('outer', { parentId: shapeId('s') }))
    peer.transact(() => removeRecord(peer, shapeId('inner')))
    alice.binding.flush()
    exchange(alice.doc, peer)
    expect(alice.store.get(shapeId('s'))?.parentId).toBe(usual)
    expect(alice.store.get(shapeId('outer'))?.parentId).toBe(shapeId('s'))
    expectSettled(alice)
  })

  it.each([
    ['the one who ungroups', 1, 2],
    ['the one who moves it', 2, 1],
  ])('where it was in a group that a peer ungroups, though %s wrote last', (_, aliceId, bobId) => {
    const { alice, bob, settle } = twoPages()
    alice.doc.clientID = aliceId
    bob.doc.clientID = bobId
    const group = { ...frame('g', { x: 100 }), type: 'group', props: {} } as unknown as TLGroupShape
    alice.store.put([group, inside('g', 'a', { x: 10 }), inside('g', 'b', { x: 20 })])
    settle()
    edit(alice.store, 'a', move(15))
    for (const name of ['a', 'b']) edit(bob.store, name, shape => ({ ...shape, x: shape.x + 100, parentId: usual }))
    remove(bob, group.id)
    settle()
    settle()
    for (const { store } of [alice, bob]) {
      expect(geo(store, 'a')).toMatchObject({ x: aliceId > bobId ? 115 : 110, parentId: usual })
      expect(geo(store, 'b')).toMatchObject({ x: 120, parentId: usual })
    }
    expectSettled(alice, bob)
  })

  it('is there for all who look on, though none of them writes', () => {
    const { alice, bob: deleter, settle } = twoPages()
    alice.store.put([frame('f', { x: 100 })])
    settle()
    const looker = openPage()
    exchange(alice.doc, looker.doc)
    remove(deleter, shapeId('f'))
    deleter.binding.flush()
    const agent = new Y.Doc()
    exchange(alice.doc, agent)
    put(agent, inside('f', 's', { x: 10 }))
    exchange(agent, looker.doc)
    expect(geo(looker.store, 's')).toMatchObject({ x: 10, parentId: shapeId('f') })
    exchange(agent, looker.doc, alice.doc, deleter.doc)
    exchange(agent, looker.doc, alice.doc, deleter.doc)
    for (const page of [alice, deleter, looker]) expect(geo(page.store, 's')).toMatchObject({ x: 110, parentId: usual })
    expect(looker.doc.store.clients.has(looker.doc.clientID)).toBe(false)
    expectSettled(alice, deleter, looker)
  })

  it('lies on its page, which comes back with its name', () => {
    const { alice, bob, settle } = twoPages()
    alice.store.put([second, rectangle('old', { parentId: second.id })])
    settle()
    alice.store.put([rectangle('new', { parentId: second.id })])
    remove(bob, second.id, shapeId('old'))
    settle()
    settle()
    for (const { store } of [alice, bob]) {
      expect(store.get(second.id)).toEqual(second)
      expect([store.has(shapeId('new')), store.has(shapeId('old'))]).toEqual([true, false])
    }
    expectSettled(alice, bob)
  })

  it('in a frame on a page that was deleted with it, lies on that page', () => {
    const { alice, bob, settle } = twoPages()
    alice.store.put([second, frame('f', { x: 100, parentId: second.id })])
    settle()
    alice.store.put([inside('f', 's', { x: 10 })])
    remove(bob, second.id, shapeId('f'))
    settle()
    settle()
    for (const { store } of [alice, bob]) expect(geo(store, 's')).toMatchObject({ x: 110, parentId: second.id })
    expectSettled(alice, bob)
  })
})

it.each([
  ['whatever was done', ['create', 'move', 'delete', 'delete page', 'undo', 'open', 'meet', 'meet without']],
  ['whatever was put into what', ['move', 'move', 'move', 'undo', 'open', 'meet', 'meet without']],
])('nothing hangs on nothing, and all agree, %s while they did not hear of each other', (_, whats) => {
  const name = fc.constantFrom('a', 'b', 'c', 'd')
  const parent = fc.constantFrom('a', 'b', 'c', 'd', 'first', 'second')
  const act = fc.record({
    who: fc.nat(2),
    what: fc.constantFrom(...whats),
    name,
    parent,
    x: fc.integer({ min: -100, max: 100 }),
  })
  fc.assert(
    fc.property(fc.array(act, { maxLength: 40 }), acts => {
      const pages = [openPage(), openPage(), openPage()].map((page, n) => ({ ...page, done: [] as Diff[], n }))
      for (const { store, doc, n } of pages) {
        doc.clientID = n + 1
        store.put([rectangle(`of ${n}`, { index: `a${n + 1}` as IndexKey })])
      }
      pages[0]?.store.put([second, ...['a', 'b', 'c', 'd'].map(name => frame(name))])
      meet(pages)
      function meet(some: Page[]) {
        for (let again = 0; again < 3; again++) {
          for (const { binding } of some) binding.flush()
          exchange(...some.map(({ doc }) => doc))
        }
      }
      /** From then on it looks on, until somebody draws there again. */
      function openAnew(n: number) {
        const { doc, binding } = pages[n] as Page
        binding.stop()
        pages[n] = { ...openPage(doc), done: [], n }
      }
      for (const { who, what, name, parent, x } of acts) {
        const { store, done } = pages[who] as (typeof pages)[number]
        const parentId = parent === 'first' ? usual : parent === 'second' ? second.id : shapeId(parent)
        if (what === 'meet') meet(pages)
        else if (what === 'open') openAnew(who)
        else if (what === 'meet without') meet(pages.filter(({ n }) => n !== who))
        else if (what === 'undo') {
          const diff = done.pop()
          if (diff) store.applyDiff(reverseRecordsDiff(diff))
        } else done.push(store.extractingChanges(() => doAs(store, what, shapeId(name), parentId, x)))
        for (const page of pages) expect(ringedIn(shownBy(page))).toEqual([])
        pages[who]?.binding.flush()
        for (const page of pages) expectShown(page)
      }
      for (const { n } of pages) {
        openAnew(n)
        edit(pages[n]?.store as TLStore, `of ${n}`, move(n + 1))
      }
      meet(pages)
      expectSettled(...pages)
    }),
    { numRuns: 40 },
  )

  /** As tldraw does it: what lies in something goes with it, and nothing is put into what lies in it. */
  function doAs(store: TLStore, what: string, id: TLShapeId, parentId: TLParentId, x: number): void {
    const familyOf = (root: string): TLShapeId[] =>
      store
        .allRecords()
        .filter(record => record.typeName === 'shape')
        .filter(shape => shape.parentId === root)
        .flatMap(shape => [shape.id, ...familyOf(shape.id)])
    const fits = store.has(parentId) && parentId !== id && !familyOf(id).includes(parentId as TLShapeId)
    if (what === 'create' && fits && !store.has(id)) store.put([frame('', { id, parentId, x })])
    else if (what === 'move' && fits && store.has(id)) store.update(id, shape => ({ ...shape, parentId, x }))
    else if (what === 'delete') store.remove([...familyOf(id), id])
    else if (what === 'delete page' && store.has(second.id)) store.remove([...familyOf(second.id), second.id])
  }
})

describe('frames that are put into each other', () => {
  const into = (parent: string, x: number) => (shape: TLGeoShape) => ({ ...shape, x, parentId: shapeId(parent) })

  /** Both hold a frame at 100 and one at 1000, with a shape in each. Then they put them into each other. */
  function ringed() {
    const { alice, bob, settle } = twoPages()
    alice.store.put([frame('f', { x: 100 }), inside('f', 'in f'), frame('g', { x: 1000 }), inside('g', 'in g')])
    settle()
    edit(alice.store, 'f', into('g', 20))
    edit(bob.store, 'g', into('f', 30))
    return { alice, bob, settle }
  }

  /** As `ringed` leaves it, when nobody is there who could mend it. */
  function ringedDoc(): Y.Doc {
    const doc = new Y.Doc()
    put(doc, first, rectangle('r'), inside('f', 'in f'), inside('g', 'in g'))
    put(doc, frame('f', { x: 20, parentId: shapeId('g') }), frame('g', { x: 30, parentId: shapeId('f') }))
    return doc
  }

  it('are there for both: the first of them on the page, where it was put, the other one in it', () => {
    const { alice, bob, settle } = ringed()
    settle()
    for (const { store } of [alice, bob]) {
      expect(geo(store, 'f')).toMatchObject({ x: 1020, parentId: usual })
      expect(geo(store, 'g')).toMatchObject({ x: 30, parentId: shapeId('f') })
      expect([geo(store, 'in f')?.parentId, geo(store, 'in g')?.parentId]).toEqual([shapeId('f'), shapeId('g')])
    }
    settle()
    expectSettled(alice, bob)
  })

  it('also when that was not yet written as the other’s edit came', () => {
    const { alice, bob, settle } = ringed()
    bob.binding.flush()
    exchange(alice.doc, bob.doc)
    for (const { store } of [alice, bob]) expect(geo(store, 'f')).toMatchObject({ x: 1020, parentId: usual })
    settle()
    expectSettled(alice, bob)
  })

  it('are mended once, and nobody writes anything after that', () => {
    const { alice, bob, settle } = ringed()
    settle()
    const before = [alice, bob].map(historyOf)
    settle()
    settle()
    expect([alice, bob].map(historyOf)).toEqual(before)
  })

  it('lie on the page on which they were', () => {
    const { alice, bob, settle } = twoPages()
    const [parentId, x] = [second.id, 1000]
    alice.store.put([second, frame('outer', { x: 50, parentId })])
    alice.store.put([frame('f', { parentId }), frame('g', { x, rotation: Math.PI, parentId: shapeId('outer') })])
    settle()
    edit(alice.store, 'f', into('g', 20))
    edit(bob.store, 'g', into('f', 30))
    settle()
    for (const { store } of [alice, bob]) {
      expect(geo(store, 'f')).toMatchObject({ x: 1030, rotation: Math.PI, parentId })
      expect(geo(store, 'g')).toMatchObject({ x: 30, parentId: shapeId('f') })
    }
    settle()
    expectSettled(alice, bob)
  })

  it('are there, be they three and their authors too', () => {
    const { alice, bob } = twoPages()
    const carol = openPage()
    const pages = [alice, bob, carol]
    alice.store.put(['f', 'g', 'h'].map((name, n) => frame(name, { x: 1000 * n })))
    settle()
    function settle() {
      for (const { binding } of pages) binding.flush()
      exchange(...pages.map(({ doc }) => doc))
    }
    edit(alice.store, 'g', into('h', 20))
    edit(bob.store, 'h', into('f', 30))
    edit(carol.store, 'f', into('g', 10))
    settle()
    for (const { store } of pages) {
      expect(geo(store, 'f')).toMatchObject({ parentId: usual })
      expect(geo(store, 'g')).toMatchObject({ x: 20, parentId: shapeId('h') })
      expect(geo(store, 'h')).toMatchObject({ x: 30, parentId: shapeId('f') })
    }
    settle()
    expectSettled(...pages)
  })

  it('are shown to who looks on, who writes nothing, and then come in as others have them', () => {
    const { alice, bob, settle } = ringed()
    const looker = openPage()
    exchange(alice.doc, looker.doc)
    for (const { binding } of [alice, bob]) binding.flush()
    const [ofAlice, ofBob] = [alice, bob].map(({ doc }) => Y.encodeStateAsUpdate(doc)) as [Uint8Array, Uint8Array]
    Y.applyUpdate(looker.doc, ofAlice, 'a peer')
    Y.applyUpdate(looker.doc, ofBob, 'a peer')
    const before = historyOf(looker)
    expect(geo(looker.store, 'f')).toMatchObject({ x: 1020, parentId: usual })
    expect(geo(looker.store, 'g')).toMatchObject({ x: 30, parentId: shapeId('f') })
    looker.binding.flush()
    expect(historyOf(looker)).toEqual(before)
    settle()
    exchange(alice.doc, bob.doc, looker.doc)
    expectSettled(looker, alice, bob)
  })

  it('are shown when a board is opened that holds them, and nothing is written', () => {
    const looker = openPage(ringedDoc())
    const before = historyOf(looker)
    looker.binding.flush()
    expect(geo(looker.store, 'f')).toMatchObject({ x: 20, parentId: usual })
    expect(geo(looker.store, 'g')).toMatchObject({ x: 30, parentId: shapeId('f') })
    expect([geo(looker.store, 'in f')?.parentId, geo(looker.store, 'in g')?.parentId]).toEqual([
      shapeId('f'),
      shapeId('g'),
    ])
    expect([...looker.binding.setAside]).toEqual([])
    expect(historyOf(looker)).toEqual(before)
  })

  it('are so for everybody from the first edit on', () => {
    const doc = ringedDoc()
    const [drawing, looker] = [openPage(doc), openPage()]
    exchange(doc, looker.doc)
    edit(drawing.store, 'r', move(5))
    drawing.binding.flush()
    expect(stored(drawing, shapeId('f'))).toMatchObject({ x: 20, parentId: usual })
    exchange(doc, looker.doc)
    expectSettled(drawing, looker)
  })

  it.each([
    ['f', 'g'],
    ['g', 'f'],
  ])('are shown as a peer takes them apart who moves %s', (moved, other) => {
    const looker = openPage(ringedDoc())
    const peer = new Y.Doc()
    exchange(looker.doc, peer)
    put(peer, frame(moved, { x: 500 }))
    exchange(looker.doc, peer)
    expect(geo(looker.store, moved)).toMatchObject({ x: 500, parentId: usual })
    expect(geo(looker.store, other)).toMatchObject({ parentId: shapeId(moved) })
    expectSettled(looker)
  })

  it('may be moved by who sees them, like all others', () => {
    const page = openPage(ringedDoc())
    edit(page.store, 'f', move(70))
    page.binding.flush()
    expect(stored(page, shapeId('f'))).toMatchObject({ x: 70, parentId: usual })
    expectSettled(page)
  })

  it('lie as they are shown, also when the first edit takes one out of the other', () => {
    const doc = ringedDoc()
    const [drawing, looker] = [openPage(doc), openPage()]
    exchange(doc, looker.doc)
    edit(drawing.store, 'g', shape => ({ ...shape, x: 300, parentId: usual }))
    drawing.binding.flush()
    expect(geo(drawing.store, 'f')).toMatchObject({ x: 20, parentId: usual })
    expect(geo(drawing.store, 'g')).toMatchObject({ x: 300, parentId: usual })
    exchange(doc, looker.doc)
    expectSettled(drawing, looker)
  })

  it('lie as all others see them, when who takes them apart did not know where they were', () => {
    const page = openPage()
    put(page.doc, first, frame('f'), frame('g', { parentId: shapeId('f') }))
    const peer = new Y.Doc()
    exchange(page.doc, peer)
    put(peer, frame('f', { x: 20, parentId: shapeId('g') }))
    exchange(page.doc, peer)
    expect(geo(page.store, 'f')).toMatchObject({ x: 20, parentId: usual })
    edit(page.store, 'g', shape => ({ ...shape, x: 300, parentId: usual }))
    page.binding.flush()
    expect(geo(page.store, 'f')).toMatchObject({ x: 20, parentId: shapeId('g') })
    expectSettled(page)
  })

  it('are where they were put also for who alone has seen them there', () => {
    const { alice, bob } = ringed()
    alice.binding.stop()
    exchange(alice.doc, bob.doc)
    expect(geo(bob.store, 'f')).toMatchObject({ x: 1020, parentId: usual })
    bob.binding.flush()
    expectSettled(bob)
  })

  it('are left as they are by who does not know where they were, and has not found them so', () => {
    const page = openPage()
    put(page.doc, first, rectangle('r'), frame('f'), frame('g', { parentId: shapeId('f') }))
    const peer = new Y.Doc()
    exchange(page.doc, peer)
    put(peer, frame('f', { x: 20, parentId: shapeId('g') }))
    exchange(page.doc, peer)
    edit(page.store, 'r', move(5))
    page.binding.flush()
    expect(stored(page, shapeId('f'))).toMatchObject({ x: 20, parentId: shapeId('g') })
  })

  it('also one in itself', () => {
    const doc = new Y.Doc()
    put(doc, first, rectangle('r'), inside('s', 's', { x: 10 }))
    const page = openPage(doc)
    expect(geo(page.store, 's')).toMatchObject({ x: 10, parentId: usual })
    edit(page.store, 'r', move(5))
    page.binding.flush()
    expectSettled(page)
  })

  it('also by way of frames that are gone', () => {
    const [looker, peer] = [openPage(), new Y.Doc()]
    put(looker.doc, first, frame('s'), frame('t'))
    put(looker.doc, frame('in s', { parentId: shapeId('s') }), frame('in t', { parentId: shapeId('t') }))
    exchange(looker.doc, peer)
    put(peer, frame('s', { parentId: shapeId('in t') }), frame('t', { parentId: shapeId('in s') }))
    peer.transact(() => ['in s', 'in t'].map(name => removeRecord(peer, shapeId(name))))
    exchange(looker.doc, peer)
    expect(ringedIn(shownBy(looker))).toEqual([])
    expect([geo(looker.store, 's'), geo(looker.store, 't')]).not.toContain(undefined)
  })
})

describe('what was deleted with all that lay in it', () => {
  it('stays deleted, and nobody writes anything', () => {
    const { alice, bob, settle } = twoPages()
    alice.store.put([second, frame('f'), inside('f', 's'), rectangle('t', { parentId: second.id })])
    settle()
    edit(alice.store, 's', move(10))
    alice.binding.flush()
    const before = historyOf(alice)
    remove(bob, second.id, shapeId('f'), shapeId('s'), shapeId('t'))
    settle()
    settle()
    expect(historyOf(alice)).toEqual(before)
    for (const { store } of [alice, bob])
      expect([second.id, shapeId('f'), shapeId('s'), shapeId('t')].filter(id => store.has(id))).toEqual([])
    expectSettled(alice, bob)
  })
})

describe('who may not write', () => {
  it('sees it as all others do, and writes nothing', () => {
    const mode = atom<'readonly' | 'readwrite'>('mode', 'readwrite')
    const store = makeStore()
    Object.assign(store.props, { collaboration: { status: null, mode } })
    const { alice } = twoPages()
    alice.store.put([frame('f', { x: 100 })])
    alice.binding.flush()
    const carol = openPage(new Y.Doc(), store)
    exchange(alice.doc, carol.doc)
    carol.store.put([inside('f', 's', { x: 10 })])
    carol.binding.flush()
    mode.set('readonly')
    const before = historyOf(carol)
    carol.doc.transact(() => removeRecord(carol.doc, shapeId('f')), 'a peer')
    expect(geo(carol.store, 's')).toMatchObject({ x: 110, parentId: usual })
    expect(historyOf(carol)).toEqual(before)
  })
})

describe('a board that holds shapes in nothing', () => {
  const lost = 'page:lost' as TLPageId
  function orphaned(): Y.Doc {
    const doc = new Y.Doc()
    put(doc, first, rectangle('r'), inside('gone', 's', { x: 10 }), rectangle('t', { parentId: lost }))
    return doc
  }

  it('shows them on the page, or on a page of their own, and writes nothing', () => {
    const doc = orphaned()
    const before = Y.encodeStateVector(doc)
    const page = openPage(doc)
    page.binding.flush()
    expect(geo(page.store, 's')).toMatchObject({ x: 10, parentId: usual })
    expect(page.store.get(lost)).toBeDefined()
    expect(historyOf(page)).toEqual(before)
  })

  it('and no page at all gets the one that every board begins with', () => {
    const doc = new Y.Doc()
    put(doc, rectangle('r'))
    const page = openPage(doc)
    edit(page.store, 'r', move(5))
    page.binding.flush()
    expect(stored(page, usual)).toEqual(first)
  })

  it('has them there for everybody from the first edit on', () => {
    const doc = orphaned()
    const [drawing, looker] = [openPage(doc), openPage()]
    exchange(doc, looker.doc)
    edit(drawing.store, 'r', move(5))
    drawing.binding.flush()
    exchange(doc, looker.doc)
    expect(stored({ doc }, shapeId('s'))).toMatchObject({ parentId: usual })
    expect(stored({ doc }, lost)).toBeDefined()
    expectSettled(drawing, looker)
  })

  it('shows them in their frame again when that comes back', () => {
    const { alice, bob, settle } = twoPages()
    alice.store.put([frame('f', { x: 100 })])
    settle()
    const undo = undoable(alice.store, () => remove(alice, shapeId('f')))
    alice.binding.flush()
    const looker = openPage()
    exchange(alice.doc, looker.doc)
    // Of one who is gone before hearing of the deletion.
    put(looker.doc, inside('f', 's', { x: 10 }))
    expect(geo(looker.store, 's')).toMatchObject({ x: 10, parentId: usual })
    undo()
    alice.binding.flush()
    exchange(alice.doc, looker.doc, bob.doc)
    for (const { store } of [alice, bob, looker])
      expect(geo(store, 's')).toMatchObject({ x: 10, parentId: shapeId('f') })
  })

  it('moves and changes them like all others', () => {
    const page = openPage(orphaned())
    edit(page.store, 's', shape => paint('red')(move(70)(shape)))
    page.binding.flush()
    expect(stored(page, shapeId('s'))).toMatchObject({ x: 70, parentId: usual, props: { color: 'red' } })
  })
})

describe('the end of an arrow', () => {
  const end = arrowEnd('b', 'r', 's')

  it('stays out of the canvas while its shape is not there, and comes in with it', () => {
    const { alice, bob, settle } = twoPages()
    alice.store.put([rectangle('s')])
    settle()
    alice.store.put([end])
    remove(bob, shapeId('s'))
    bob.binding.flush()
    alice.binding.stop()
    exchange(alice.doc, bob.doc)
    expect(bob.store.has(end.id)).toBe(false)
    put(bob.doc, rectangle('s'))
    expect(bob.store.get(end.id)).toEqual(end)
  })

  it('is gone for everybody when who tied it learns that its shape is gone', () => {
    const { alice, bob, settle } = twoPages()
    alice.store.put([rectangle('s')])
    settle()
    alice.store.put([end])
    remove(bob, shapeId('s'))
    settle()
    settle()
    for (const page of [alice, bob]) expect([page.store.has(end.id), stored(page, end.id)]).toEqual([false, undefined])
  })

  it('comes in with its shapes when a board is opened, in whatever order they are read', () => {
    const doc = new Y.Doc()
    put(doc, end, rectangle('s'), rectangle('r'), first)
    expect(openPage(doc).store.get(end.id)).toEqual(end)
  })
})

describe('a page that only tldraw made', () => {
  it('goes when the board has pages', () => {
    const page = openPage()
    expect(page.store.has(usual)).toBe(true)
    put(page.doc, second, rectangle('s', { parentId: second.id }))
    const pages = page.store.query.records('page').get()
    expect(pages).toEqual([second])
  })

  it('stays while something is drawn on it', () => {
    const page = openPage()
    page.store.put([rectangle('mine')])
    put(page.doc, second)
    page.binding.flush()
    expect(page.store.has(usual)).toBe(true)
    expect(stored(page, usual)).toBeDefined()
  })
})

const first: TLPage = PageRecordType.create({ id: usual, name: 'Page 1', index: 'a1' as IndexKey })
const second: TLPage = PageRecordType.create({
  id: PageRecordType.createId('second'),
  name: 'Page 2',
  index: 'a2' as IndexKey,
})
