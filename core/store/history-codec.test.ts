import { describe, expect, test } from 'vitest'
import type { LogRow } from './board-log.ts'
import { inPacks, packRows, unpackRows } from './history-codec.ts'

const MiB = 1024 * 1024

const rowsOf = (...sizes: number[]): LogRow[] =>
  sizes.map((size, index) => ({
    seq: 2 ** 40 + index,
    actor: index % 2 === 0 ? 'human:Zoë' : 'agent:bot',
    data: Uint8Array.from({ length: size }, (_, at) => at),
    at: new Date(1_700_000_000_000 + index),
  }))

describe('packed rows', () => {
  test('come back as they were: seq, actor, bytes and time', async () => {
    const rows = rowsOf(0, 1, 256, 70_000)
    expect(await unpackRows(await packRows(rows))).toEqual(rows)
  })

  test('are never read as anything else, whichever bit of them has changed', async () => {
    const rows = rowsOf(40, 40)
    const packed = new Uint8Array(await packRows(rows))
    let noticed = 0
    for (let at = 0; at < packed.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const changed = packed.with(at, (packed[at] ?? 0) ^ (1 << bit))
        // A few bits mean nothing: gzip's time and system, padding.
        const read = await unpackRows(changed).catch(() => undefined)
        if (read === undefined) noticed++
        else expect(read).toEqual(rows)
      }
    }
    expect(noticed).toBeGreaterThan(packed.length * 8 * 0.8)
  })

  test('are cut into runs of at most 500 rows and a mebibyte, save where one row alone is larger', () => {
    const sizesOf = (...sizes: number[]) => inPacks(rowsOf(...sizes)).map(pack => pack.length)
    expect(sizesOf()).toEqual([])
    expect(sizesOf(...Array.from({ length: 1_200 }, () => 10))).toEqual([500, 500, 200])
    expect(sizesOf(MiB / 2, MiB / 2, 1)).toEqual([2, 1])
    expect(sizesOf(1, 3 * MiB, 1)).toEqual([1, 1, 1])
  })

  test('are cut without losing or moving any', () => {
    const rows = rowsOf(...Array.from({ length: 1_200 }, () => 5_000))
    expect(inPacks(rows).flat()).toEqual(rows)
  })
})
