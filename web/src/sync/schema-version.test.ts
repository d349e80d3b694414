import type { SerializedSchemaV2 } from '@tldraw/store'
import { describe, expect, it, vi } from 'vitest'
import * as Y from 'yjs'
import { metaOf, putRecord, readRecord, recordsOf } from '../../../core/doc/record-layout.ts'
import { plain } from './plain.ts'
import { edit, geo, makeStore, move, openPage, rectangle, shapeId } from './testing.ts'

const own = makeStore().schema.serialize() as SerializedSchemaV2
const geoSequence = 'com.tldraw.shape.geo'
const withGeo = (version: number) => ({ ...own, sequences: { ...own.sequences, [geoSequence]: version } })
const geoVersion = own.sequences[geoSequence] ?? 0

/** Two rectangles as tldraw wrote them before it had rich text. */
function oldBoard(): Y.Doc {
  const doc = new Y.Doc()
  doc.transact(() => {
    metaOf(doc).set('schema', withGeo(9))
    for (const name of ['r', 's']) {
      const { richText: _, ...props } = rectangle(name).props
      putRecord(doc, { ...plain(rectangle(name)), props: { ...props, text: `hello ${name}` } })
    }
  })
  return doc
}

const stored = (doc: Y.Doc, name: string) =>
  readRecord(shapeId(name), recordsOf(doc).get(shapeId(name)))?.props as Record<string, unknown>

describe('a board that an older tldraw wrote', () => {
  it('is shown as this one has it, and not written to by looking', () => {
    const doc = oldBoard()
    const before = Y.encodeStateVector(doc)
    const { store, binding } = openPage(doc)
    expect(JSON.stringify(geo(store, 'r')?.props.richText)).toContain('hello r')
    binding.flush()
    expect(Y.encodeStateVector(doc)).toEqual(before)
  })

  it('is raised whole with the first edit', () => {
    const doc = oldBoard()
    const { store, binding } = openPage(doc)
    edit(store, 'r', move(5))
    binding.flush()
    expect(metaOf(doc).get('schema')).toEqual(own)
    for (const name of ['r', 's']) {
      expect(Object.keys(stored(doc, name))).toContain('richText')
      expect(Object.keys(stored(doc, name))).not.toContain('text')
    }
    expect(geo(openPage(doc).store, 's')?.props.richText).toEqual(geo(store, 's')?.props.richText)
  })

  it('is raised to the same by two pages at once', () => {
    const [one, two] = [new Y.Doc(), new Y.Doc()]
    for (const doc of [one, two]) Y.applyUpdate(doc, Y.encodeStateAsUpdate(oldBoardOnce))
    for (const [doc, x] of [
      [one, 5],
      [two, 6],
    ] as const) {
      const { store, binding } = openPage(doc)
      edit(store, 'r', move(x))
      binding.flush()
    }
    Y.applyUpdate(one, Y.encodeStateAsUpdate(two))
    Y.applyUpdate(two, Y.encodeStateAsUpdate(one))
    expect(JSON.stringify(geo(openPage(one).store, 's'))).toContain('hello s')
    expect(stored(one, 'r')).toEqual(stored(two, 'r'))
  })
  const oldBoardOnce = oldBoard()
})

describe('a board that a newer tldraw writes', () => {
  it('is not written to any more, from that moment on', () => {
    vi.spyOn(console, 'warn').mockImplementation(() => {})
    const onChange = vi.fn()
    const { store, doc, binding } = openPage(new Y.Doc(), makeStore(), { onChange })
    store.put([rectangle('r')])
    binding.flush()
    expect(binding.isOutdated).toBe(false)
    onChange.mockClear()
    metaOf(doc).set('schema', withGeo(geoVersion + 1))
    expect(binding.isOutdated).toBe(true)
    expect(onChange).toHaveBeenCalled()
    const before = Y.encodeStateVector(doc)
    edit(store, 'r', move(9))
    binding.flush()
    expect(Y.encodeStateVector(doc)).toEqual(before)
    expect(openPage(doc).binding.isOutdated).toBe(true)
  })

  it('what can be shown of it is shown', () => {
    const doc = new Y.Doc()
    doc.transact(() => {
      metaOf(doc).set('schema', withGeo(geoVersion + 1))
      putRecord(doc, plain(rectangle('r')))
    })
    expect(geo(openPage(doc).store, 'r')).toBeDefined()
  })
})

it('shapes of other apps’ own, and a schema that is none, stop nobody', () => {
  for (const schema of [
    { ...own, sequences: { ...own.sequences, 'com.example.card': 7 } },
    'junk',
    { schemaVersion: 2 },
  ]) {
    const doc = new Y.Doc()
    metaOf(doc).set('schema', schema)
    const { store, binding } = openPage(doc)
    store.put([rectangle('r')])
    binding.flush()
    expect(binding.isOutdated).toBe(false)
    expect(recordsOf(doc).has(shapeId('r'))).toBe(true)
  }
})
