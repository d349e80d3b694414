/** Whatever pages do while they do not hear of each other: nothing hangs on nothing in the end, and all agree. */

import { type RecordsDiff, reverseRecordsDiff } from '@tldraw/store'
import type { TLParentId, TLRecord, TLShapeId, TLStore } from '@tldraw/tlschema'
import type { IndexKey } from '@tldraw/utils'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { expectSettled, expectShown, ringedIn, second, shownBy, usual } from '../../../test/kit/settled-pages.ts'
import { edit, exchange, frame, move, openPage, type Page, rectangle, shapeId } from './testing.ts'

type Diff = RecordsDiff<TLRecord>

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
