import fc from 'fast-check'
import * as encoding from 'lib0/encoding'
import { describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import { SyncError } from '../../core/base/errors.ts'
import { checkUpdate } from './update-check.ts'

/** Written by hand: `[clients, structs, client, clock, …structs, deletions…]`, each a varint or ready bytes. */
function bytes(...parts: (number | string | Uint8Array)[]): Uint8Array {
  const encoder = encoding.createEncoder()
  for (const part of parts) {
    if (typeof part === 'number') encoding.writeVarUint(encoder, part)
    else if (typeof part === 'string') encoding.writeVarString(encoder, part)
    else encoding.writeUint8Array(encoder, part)
  }
  return encoding.toUint8Array(encoder)
}

const refused = (update: Uint8Array, doc = new Y.Doc()): boolean => {
  try {
    checkUpdate(update, doc)
    return false
  } catch (error) {
    expect(error).toBeInstanceOf(SyncError)
    expect((error as SyncError).code).toBe('frame-malformed')
    return true
  }
}

function drawn(): Y.Doc {
  const doc = new Y.Doc()
  doc.clientID = 1
  const map = doc.getMap<unknown>('tldraw')
  doc.getText('t').insert(0, 'hello ☂ world')
  doc.getText('t').format(0, 5, { bold: true })
  map.set(
    'shape:1',
    new Y.Map<unknown>([['base', { type: 'note', props: { text: 'x', nested: [[[{ deep: true }]]] } }]]),
  )
  map.set('shape:2', { plain: [1, 2.5, null, undefined, 'text', true] })
  map.delete('shape:1')
  doc.getArray('a').insert(0, [new Uint8Array([1, 2, 3]), new Y.Text('inside'), new Y.Doc({ guid: 'sub' })])
  return doc
}

const gc = (length: number) => bytes(Uint8Array.of(0), length)
const noDeletions = 0

describe('an update', () => {
  test('that Yjs wrote passes', () => {
    const doc = drawn()
    expect(refused(Y.encodeStateAsUpdate(doc))).toBe(false)
    expect(refused(Y.encodeStateAsUpdate(new Y.Doc()))).toBe(false)
    expect(refused(Y.encodeStateAsUpdate(doc), doc)).toBe(false)
    const later: Uint8Array[] = []
    doc.on('update', (update: Uint8Array) => later.push(update))
    doc.getText('t').insert(3, 'and more')
    doc.getText('t').delete(1, 4)
    expect(later.map(update => refused(update, drawn()))).toEqual([false, false])
    expect(refused(Y.mergeUpdates([Y.encodeStateAsUpdate(drawn()), ...later]))).toBe(false)
  })

  test('cut short anywhere is malformed', () => {
    const update = Y.encodeStateAsUpdate(drawn())
    for (let length = 0; length < update.length; length++) expect(refused(update.slice(0, length))).toBe(true)
  })

  test('with bytes left over is malformed', () => {
    expect(refused(Uint8Array.of(...Y.encodeStateAsUpdate(drawn()), 0))).toBe(true)
    expect(refused(Uint8Array.of(0, 0, 0))).toBe(true)
  })

  test('in the second encoding is malformed, the bomb of 25 bytes that declares 4 million structs included', () => {
    expect(refused(Y.encodeStateAsUpdateV2(drawn()))).toBe(true)
    expect(refused(Y.encodeStateAsUpdateV2(new Y.Doc()))).toBe(true)
    const million = 4_000_000
    const bomb = bytes(0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1, million, 0, million, 0)
    const started = performance.now()
    expect(refused(bomb)).toBe(true)
    expect(performance.now() - started).toBeLessThan(500)
  })

  test('with a struct of no length, or one that hides later edits of its client, is malformed', () => {
    expect(refused(bytes(1, 1, 5, 0, gc(1_000), noDeletions))).toBe(false)
    expect(refused(bytes(1, 1, 5, 0, gc(2 ** 31), noDeletions))).toBe(true)
    expect(refused(bytes(1, 1, 5, 0, gc(0), noDeletions))).toBe(true)
    expect(refused(bytes(1, 1, 5, 2 ** 50, gc(1), noDeletions))).toBe(true)
  })

  test('with a deletion of no length is malformed: Yjs throws when it keeps it', () => {
    expect(refused(bytes(0, 1, 5, 1, 3, 1))).toBe(false)
    expect(refused(bytes(0, 1, 5, 1, 3, 0))).toBe(true)
  })

  test('with two lists for one client is malformed: Yjs applies one of them, and merges both', () => {
    expect(refused(bytes(2, 1, 5, 0, gc(1), 1, 6, 0, gc(1), noDeletions))).toBe(false)
    expect(refused(bytes(2, 1, 5, 0, gc(1), 1, 5, 1, gc(1), noDeletions))).toBe(true)
  })

  test('with an item that refers to a later one of its client is malformed: Yjs throws half-way', () => {
    const item = (origin: number) => bytes(Uint8Array.of(0x84), 5, origin, 'x') // a string with an origin
    const update = (origin: number) => bytes(1, 2, 5, 0, gc(1), item(origin), noDeletions)
    expect(refused(update(0))).toBe(false)
    expect(refused(update(1))).toBe(true)
    expect(() => Y.applyUpdate(new Y.Doc(), update(1))).toThrow()
  })

  test('with an item whose beginning the document has as something else is malformed', () => {
    const doc = new Y.Doc()
    Y.applyUpdate(doc, bytes(1, 1, 5, 0, gc(1), noDeletions))
    const item = bytes(1, 1, 5, 0, Uint8Array.of(0x04), 1, 't', 'xyz', noDeletions) // a string in the root text `t`
    expect(refused(item)).toBe(false)
    expect(refused(item, doc)).toBe(true)
    expect(() => Y.applyUpdate(doc, item)).toThrow()
  })

  test('nested 200,000 deep is malformed, in each way that content can nest', () => {
    const levels = 200_000
    const json = '['.repeat(levels) + ']'.repeat(levels)
    const any = new Uint8Array(2 * levels + 1).fill(1).map((_, at) => (at % 2 === 0 ? 117 : 1))
    any[2 * levels] = 126
    const item = (ref: number, ...content: (number | string | Uint8Array)[]) =>
      bytes(1, 1, 5, 0, Uint8Array.of(ref), 1, 't', ...content, noDeletions)
    const ways = {
      any: item(8, 1, any),
      json: item(2, 1, json),
      embed: item(5, json),
      format: item(6, 'bold', json),
    }
    for (const [way, update] of Object.entries(ways)) expect(refused(update), way).toBe(true)
  })

  test('nested deeper than Yjs can write again is malformed, though Yjs reads it', () => {
    const levels = 50_000
    const json = '['.repeat(levels) + ']'.repeat(levels)
    const update = bytes(1, 1, 5, 0, Uint8Array.of(6), 1, 't', 'bold', json, noDeletions)
    const doc = new Y.Doc()
    Y.applyUpdate(doc, update)
    expect(() => Y.encodeStateAsUpdate(doc)).toThrow(RangeError)
    expect(refused(update)).toBe(true)
  })

  test('that nests through a prototype counts like any other', () => {
    const levels = 600
    const level = bytes(Uint8Array.of(118), 1, '__proto__')
    const nested = bytes(...Array.from({ length: levels }, () => level), Uint8Array.of(118, 0))
    expect(refused(bytes(1, 1, 5, 0, Uint8Array.of(8), 1, 't', 1, nested, noDeletions))).toBe(true)
  })

  test('with more structs than fit in memory is malformed', () => {
    const structs = 2 ** 21 + 1
    const many = new Uint8Array(2 * structs).map((_, at) => at % 2)
    expect(refused(bytes(1, structs, 5, 0, many, noDeletions))).toBe(true)
  })

  test('of any bytes passes or is malformed, never anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), update => void refused(update)),
      { numRuns: 3_000 },
    )
  })

  test('that was changed at random and passes can be applied, and the document written again', () => {
    const update = Y.encodeStateAsUpdate(drawn())
    const change = fc.tuple(fc.nat(update.length - 1), fc.oneof(fc.nat(12), fc.nat(255)))
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), changes => {
        const changed = update.slice()
        for (const [at, byte] of changes) changed[at] = byte
        const doc = new Y.Doc()
        if (refused(changed, doc)) return
        Y.applyUpdate(doc, changed)
        Y.encodeStateAsUpdate(doc)
        Y.encodeStateAsUpdateV2(doc)
      }),
      { numRuns: 2_000 },
    )
  })
})
