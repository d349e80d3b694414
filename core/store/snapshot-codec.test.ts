import { deflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import { drawnBy, steps } from '../../test/kit/drawn-by.ts'
import { joined, varUints } from '../base/byte-parts.ts'
import { slicesOf } from '../doc/slices.ts'
import { checksumOf, packState, unpackState } from './snapshot-codec.ts'

describe('a state', () => {
  test.each([
    ['as one update', (v2: Uint8Array) => v2],
    ['cut', slicesOf],
  ])('%s comes back as it was', async (_, formOf) => {
    await fc.assert(
      fc.asyncProperty(steps, fc.constantFrom(10, 20_000), async (drawn, bytes) => {
        const state = formOf(Y.encodeStateAsUpdateV2(drawnBy(3, drawn, bytes)))
        expect(await unpackState(await packState(state))).toEqual({ state })
      }),
      { numRuns: 40 },
    )
  })

  test('of some megabytes comes back in views of one piece of memory, no more of it than its bytes', async () => {
    const slices = Array.from({ length: 40 }, (_, index) => new Uint8Array(100_000).fill(index))
    const unpacked = await unpackState(await packState({ slices, stateVector: Uint8Array.of(0) }))
    if (typeof unpacked === 'string' || !('state' in unpacked)) throw new Error('it is not whole')
    if (unpacked.state instanceof Uint8Array) throw new Error('it is not cut')
    expect(new Set(unpacked.state.slices.map(({ buffer }) => buffer)).size).toBe(1)
    expect(unpacked.state.slices[0]?.buffer.byteLength).toBeLessThan(4_001_000)
    expect(
      unpacked.state.slices.every((slice, index) => Buffer.compare(slice, slices[index] as Uint8Array) === 0),
    ).toBe(true)
  })
})

describe('what was sealed', () => {
  const sealed = (state: Uint8Array) => unpackState({ state, checksum: checksumOf(state) })
  const deflated = (format: number, bytes: Uint8Array) => joined([Uint8Array.of(format), deflateRawSync(bytes)])

  test('in a form that only a newer version knows is no damage', async () => {
    expect(await sealed(deflated(3, Uint8Array.of(0, 0)))).toBe('format-unknown')
  })

  test.each([
    ['empty', new Uint8Array()],
    ['cut off', deflated(2, new Uint8Array(1_000)).subarray(0, 5)],
    ['a slice longer than what is there', deflated(2, joined([varUints(1, 0, 5), Uint8Array.of(1, 2)]))],
    ['no state vector', deflated(2, varUints(7))],
  ])('and is broken says so: %s', async (_, state) => {
    expect(await sealed(state)).toEqual({ damage: expect.any(String) })
  })
})
