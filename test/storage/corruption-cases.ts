/** The rules of a board whose stored bytes are no longer what was written: it opens whole or not at all, never empty. */

import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { contentIn, Drawing } from './drawing.ts'
import type { Site } from './site.ts'

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest()

interface Stored {
  state: Uint8Array
  checksum: Uint8Array
}

/** With a checksum that fits: what was written was already broken. */
const sealed = (state: Uint8Array): Stored => ({ state, checksum: sha256(state) })

const damages: [name: string, damage: (stored: Stored) => Stored][] = [
  ['one bit flipped', ({ state, checksum }) => ({ state: state.with(20, (state[20] ?? 0) ^ 4), checksum })],
  ['cut short', ({ state, checksum }) => ({ state: state.subarray(0, -3), checksum })],
  ['nothing left of it', ({ checksum }) => ({ state: new Uint8Array(), checksum })],
  ['another checksum', ({ state }) => ({ state, checksum: sha256(new Uint8Array([1])) })],
  ['no bytes, as written', () => sealed(new Uint8Array())],
  ['a compressed stream that ends early, as written', ({ state }) => sealed(state.subarray(0, -3))],
  ['garbage for a compressed stream, as written', () => sealed(new Uint8Array([1, 255, 254, 253, 252]))],
  ['a format nobody knows, as written', ({ state }) => sealed(state.with(0, 9))],
]

export function corruptionCases(site: () => Site): void {
  /** Snapshots at 3 and 6, history up to `packedTo`, the other rows up to 8 in the log. */
  const twiceSaved = async (packedTo: 0 | 3 | 6 = 6) => {
    const drawing = await Drawing.on(site().storage)
    for (const seq of [3, 6]) {
      await drawing.edit(3)
      if (seq <= packedTo) await drawing.snapshot()
      else await drawing.save()
    }
    await drawing.edit(2)
    return drawing
  }
  const damageSnapshot = async ({ board }: Drawing, seq: number, damage: (stored: Stored) => Stored) => {
    const [stored] = await site().database.query<Stored & { seq: number }>(
      'SELECT state, checksum FROM boardsync.canvas_snapshots WHERE board_id = $1 AND seq = $2',
      [board, seq],
    )
    if (!stored) throw new Error(`there is no snapshot at ${seq}`)
    const { state, checksum } = damage({ state: new Uint8Array(stored.state), checksum: stored.checksum })
    await site().database.query(
      'UPDATE boardsync.canvas_snapshots SET state = $3, checksum = $4 WHERE board_id = $1 AND seq = $2',
      [board, seq, state, checksum],
    )
  }
  const remove = ({ board }: Drawing, table: string, where: string) =>
    site().database.query(`DELETE FROM boardsync.${table} WHERE board_id = $1 AND ${where}`, [board])

  describe.each(damages)('a corrupt snapshot (%s)', (_name, damage) => {
    test.each([0, 3, 6] as const)(
      'is passed over for the one before it and the rows since, %s of them packed',
      async packedTo => {
        const drawing = await twiceSaved(packedTo)
        await damageSnapshot(drawing, 6, damage)
        const stored = await drawing.load()
        expect(stored.snapshot?.seq).toBe(3)
        expect(stored.rows.map(row => row.seq)).toEqual([4, 5, 6, 7, 8])
        expect(contentIn(stored)).toEqual(drawing.content)
        // Who has the rows that the log has no more is given all of it.
        if (packedTo === 6) expect(contentIn(await drawing.load(5))).toEqual(drawing.content)
      },
    )

    test.each([3, 6] as const)(
      'like the one before it is passed over for the whole of history and log, %s packed',
      async packedTo => {
        const drawing = await twiceSaved(packedTo)
        await damageSnapshot(drawing, 6, damage)
        await damageSnapshot(drawing, 3, damage)
        const stored = await drawing.load()
        expect(stored.snapshot).toBeUndefined()
        expect(contentIn(stored)).toEqual(drawing.content)
      },
    )

    test('fails the load, by a message that names the board, when nothing else has its rows', async () => {
      const drawing = await twiceSaved()
      await damageSnapshot(drawing, 6, damage)
      await damageSnapshot(drawing, 3, damage)
      await remove(drawing, 'board_history', 'to_seq <= 3')
      await expect(drawing.load()).rejects.toThrow(`board ${drawing.board}: rows between 0 and 8 are missing`)
    })
  })

  describe('a corrupt snapshot', () => {
    test('is healed by the next two', async () => {
      const drawing = await twiceSaved()
      await damageSnapshot(drawing, 6, ({ state }) => sealed(state.subarray(0, -3)))
      await drawing.snapshot()
      expect(await drawing.load()).toMatchObject({ snapshot: { seq: 8 }, rows: [] })
      await damageSnapshot(drawing, 8, ({ state }) => sealed(state.subarray(0, -3)))
      expect(contentIn(await drawing.load())).toEqual(drawing.content)
    })
  })

  describe('a hole', () => {
    test.each([
      ['in the log', 'board_updates', 'seq = 7'],
      ['at the end of the log', 'board_updates', 'seq = 8'],
    ])('%s fails the load, from the start and for a replica that lacks the row', async (_name, table, where) => {
      const drawing = await twiceSaved()
      await remove(drawing, table, where)
      await expect(drawing.load()).rejects.toThrow('rows between 6 and 8 are missing')
      await expect(drawing.load(6)).rejects.toThrow('rows between 6 and 8 are missing')
    })

    test('in history fails the load that needs those rows, and no other', async () => {
      const drawing = await twiceSaved()
      await remove(drawing, 'board_history', 'from_seq = 4')
      expect(contentIn(await drawing.load())).toEqual(drawing.content)
      await remove(drawing, 'canvas_snapshots', 'seq = 6')
      await expect(drawing.load()).rejects.toThrow('rows between 3 and 8 are missing')
    })

    test('where every snapshot and all of history was is never an empty board', async () => {
      const drawing = await twiceSaved()
      await remove(drawing, 'canvas_snapshots', 'true')
      await remove(drawing, 'board_history', 'true')
      await expect(drawing.load()).rejects.toThrow('rows between 0 and 8 are missing')
    })
  })

  describe('a corrupt piece of history', () => {
    test.each([
      ['one bit flipped', (data: Uint8Array) => data.with(20, (data[20] ?? 0) ^ 4)],
      ['cut short', (data: Uint8Array) => data.subarray(0, -3)],
      ['a format nobody knows', (data: Uint8Array) => data.with(0, 9)],
      ['nothing left of it', () => new Uint8Array()],
    ])('(%s) fails the load that needs it, by a message that names the board', async (_name, damage) => {
      const drawing = await twiceSaved()
      const [pack] = await site().database.query<{ data: Uint8Array }>(
        'SELECT data FROM boardsync.board_history WHERE board_id = $1 AND from_seq = 4',
        [drawing.board],
      )
      const data = damage(new Uint8Array(pack?.data ?? []))
      await site().database.query('UPDATE boardsync.board_history SET data = $2 WHERE board_id = $1 AND from_seq = 4', [
        drawing.board,
        data,
      ])
      expect(contentIn(await drawing.load())).toEqual(drawing.content)
      await remove(drawing, 'canvas_snapshots', 'seq = 6')
      await expect(drawing.load()).rejects.toThrow(`board ${drawing.board}: history from 4 to 6 is corrupt`)
    })
  })
}
