import fc from 'fast-check'
import * as encoding from 'lib0/encoding'
import { describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import { SyncError } from '../../core/base/errors.ts'
import * as byHand from '../../test/kit/frames.ts'
import {
  decodeFrame,
  encodeAwarenessFrame,
  encodePermissionDenied,
  encodeSyncStep1,
  encodeSyncStep2,
  encodeUpdate,
  keepAliveFrame,
} from './frames.ts'

const doc = new Y.Doc()
doc.clientID = 7
doc.getText('t').insert(0, 'x'.repeat(300))
const update = Y.encodeStateAsUpdate(doc)
const state = { clientId: 7, clock: 3, json: new TextEncoder().encode('{"cursor":null}') }

const frames = {
  'sync step 1': byHand.syncStep1(doc),
  'sync step 2': byHand.syncStep2(update),
  update: byHand.edit(update),
  awareness: encodeAwarenessFrame([state, { clientId: 2 ** 32, clock: 0, json: Uint8Array.of(0x7b, 0x7d) }]),
  'query awareness': Uint8Array.of(3),
}

/** Decodes, or is refused by the one error that has a close code. */
function malformed(bytes: Uint8Array): boolean {
  try {
    decodeFrame(bytes)
    return false
  } catch (error) {
    expect(error).toBeInstanceOf(SyncError)
    expect((error as SyncError).code).toBe('frame-malformed')
    return true
  }
}

describe('a frame', () => {
  test('is written as a stock client reads it', () => {
    expect(encodeSyncStep1(Y.encodeStateVector(doc))).toEqual(frames['sync step 1'])
    expect(encodeSyncStep2(update)).toEqual(frames['sync step 2'])
    expect(encodeUpdate(update)).toEqual(frames.update)
    expect([...keepAliveFrame]).toEqual([1, 1, 0])
    expect([...encodePermissionDenied('no')]).toEqual([2, 0, 2, 0x6e, 0x6f])
  })

  test('comes back as what it was', () => {
    expect(decodeFrame(frames['sync step 1'])).toEqual({ kind: 'sync-step-1', stateVector: new Map([[7, 300]]) })
    expect(decodeFrame(frames['sync step 2'])).toEqual({ kind: 'sync-step-2', update })
    expect(decodeFrame(frames.update)).toEqual({ kind: 'update', update })
    expect(decodeFrame(encodeAwarenessFrame([state]))).toEqual({ kind: 'awareness', states: [state] })
    expect(decodeFrame(keepAliveFrame)).toEqual({ kind: 'awareness', states: [] })
    expect(decodeFrame(frames['query awareness'])).toEqual({ kind: 'query-awareness' })
  })

  test('of a type that is not for us is unknown, whatever follows', () => {
    expect(decodeFrame(Uint8Array.of(2, 0, 1, 0x6e))).toEqual({ kind: 'unknown', type: 2 })
    expect(decodeFrame(Uint8Array.of(200, 1, 9, 9, 9))).toEqual({ kind: 'unknown', type: 200 })
  })

  test.each(Object.entries(frames))('cut short anywhere is malformed: %s', (_, frame) => {
    for (let length = 0; length < frame.length; length++) expect(malformed(frame.slice(0, length))).toBe(true)
  })

  test.each(Object.entries(frames))('with bytes left over is malformed: %s', (_, frame) => {
    expect(malformed(Uint8Array.of(...frame, 0))).toBe(true)
  })

  test('with bytes left over inside is malformed', () => {
    expect(malformed(Uint8Array.of(0, 0, 2, 0, 9))).toBe(true) // a state vector of no clients, and a byte
    expect(malformed(Uint8Array.of(1, 2, 0, 9))).toBe(true) // an awareness update of no states, and a byte
  })

  test('with an unknown sync step or an impossible length is malformed', () => {
    expect(malformed(Uint8Array.of(0, 3, 0))).toBe(true)
    expect(malformed(Uint8Array.of(0, 2, 255, 255, 255, 255, 255, 255, 255, 15))).toBe(true)
    expect(malformed(Uint8Array.of(1, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1))).toBe(true)
    expect(malformed(Uint8Array.of(0, 0, 5, 255, 255, 255, 255, 15))).toBe(true)
  })

  test('with more states than anybody has reason to send is not read', () => {
    const saying = (states: number, bytes: number) => {
      const encoder = encoding.createEncoder()
      encoding.writeVarUint(encoder, 1)
      const inner = encoding.createEncoder()
      encoding.writeVarUint(inner, states)
      encoding.writeUint8Array(inner, new Uint8Array(bytes))
      encoding.writeVarUint8Array(encoder, encoding.toUint8Array(inner))
      return encoding.toUint8Array(encoder)
    }
    expect(decodeFrame(saying(10_000, 30_000))).toMatchObject({ kind: 'awareness', states: { length: 10_000 } })
    expect(decodeFrame(saying(10_001, 30_003))).toEqual({ kind: 'awareness-overfull' })
    expect(malformed(saying(10_001, 30_002))).toBe(true)
    expect(malformed(Uint8Array.of(...saying(10_001, 30_003), 0))).toBe(true)

    const millions = saying(5_000_000, 15_000_000)
    const begun = performance.now()
    decodeFrame(millions)
    expect(performance.now() - begun).toBeLessThan(100)
  })

  test('of any bytes decodes or is malformed, never anything else', () => {
    const anyFrame = fc.uint8Array({ maxLength: 64 })
    const likeAFrame = fc
      .tuple(fc.constantFrom([0, 0], [0, 1], [0, 2], [1], [2], [3]), anyFrame)
      .map(([head, rest]) => Uint8Array.of(...head, ...rest))
    fc.assert(
      fc.property(fc.oneof(anyFrame, likeAFrame), bytes => void malformed(bytes)),
      { numRuns: 5_000 },
    )
  })

  test('never reads beyond its own bytes, whatever memory it lies in', () => {
    const memory = Buffer.alloc(64, 1)
    memory.set([0, 2, 40], 0)
    expect(malformed(memory.subarray(0, 10))).toBe(true)
  })
})
