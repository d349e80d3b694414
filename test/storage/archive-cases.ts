/** The rules of snapshots and of reading a board back that hold on every database. */

import { randomBytes, randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { slicesOf } from '../../core/doc/slices.ts'
import { BoardArchive } from '../../core/store/board-archive.ts'
import type { LogRow } from '../../core/store/board-log.ts'
import type { Database } from '../../core/store/database.ts'
import { unpackRows } from '../../core/store/history-codec.ts'
import { isCut, sizeOf } from '../../core/store/state-bytes.ts'
import { contentIn, Drawing } from './drawing.ts'
import { batch, freshBoard, logOf, type Site, silent, textOf } from './site.ts'

export function archiveCases(site: () => Site): void {
  const newDrawing = () => Drawing.on(site().storage)
  const seqsIn = async (table: 'board_updates' | 'canvas_snapshots', { board }: Drawing) => {
    const rows = await site().database.query<{ seq: number }>(
      `SELECT seq FROM boardsync.${table} WHERE board_id = $1 ORDER BY seq`,
      [board],
    )
    return rows.map(row => row.seq)
  }
  const packsOf = ({ board }: Drawing) =>
    site().database.query<{ from_seq: number; to_seq: number; data: Uint8Array }>(
      'SELECT from_seq, to_seq, data FROM boardsync.board_history WHERE board_id = $1 ORDER BY from_seq',
      [board],
    )

  describe('a board read back', () => {
    test('is its newest snapshot and the rows after it', async () => {
      const drawing = await newDrawing()
      expect(contentIn(await drawing.load())).toEqual({})
      await drawing.edit(7)
      expect(contentIn(await drawing.load())).toEqual(drawing.content)
      expect(await drawing.snapshot()).toBe('saved')
      expect(await drawing.load()).toMatchObject({ snapshot: { seq: 7 }, rows: [] })
      await drawing.edit(4)
      const stored = await drawing.load()
      expect(stored).toMatchObject({ snapshot: { seq: 7 }, head: { headSeq: 11, epoch: drawing.epoch } })
      expect(stored.rows.map(row => row.seq)).toEqual([8, 9, 10, 11])
      expect(contentIn(stored)).toEqual(drawing.content)
    })

    test('takes one statement, as a whole and for a replica that lacks rows which the log has', async () => {
      const drawing = await newDrawing()
      await drawing.edit(6)
      await drawing.snapshot(4)
      const { database } = site()
      let statements = 0
      const counting: Pick<Database, 'query'> = {
        query(...asked) {
          statements += 1
          return database.query(...asked)
        },
      }
      const archive = new BoardArchive({ ...database, ...counting, transaction: refuse }, silent, 30)
      for (const [known, seqs] of [
        [0, [5, 6]],
        [5, [6]],
        [6, []],
      ] as const) {
        const stored = await archive.read(drawing.board, known)
        expect(stored?.rows.map(row => row.seq)).toEqual(seqs)
        expect(stored?.snapshot?.seq).toBe(known === 0 ? 4 : undefined)
      }
      expect(await archive.read(freshBoard(), 0)).toBeUndefined()
      expect(statements).toBe(4)
    })

    test('gives a replica only the rows it lacks while the log has them all', async () => {
      const drawing = await newDrawing()
      await drawing.edit(6)
      await drawing.snapshot(2)
      expect(await drawing.load(6)).toMatchObject({ snapshot: undefined, rows: [] })
      const stored = await drawing.load(2)
      expect(stored.snapshot).toBeUndefined()
      expect(stored.rows.map(row => row.seq)).toEqual([3, 4, 5, 6])
    })

    test('gives a replica the snapshot when rows it lacks have left the log', async () => {
      const drawing = await newDrawing()
      await drawing.edit(6)
      await drawing.snapshot(4)
      const stored = await drawing.load(3)
      expect(stored.snapshot?.seq).toBe(4)
      expect(stored.rows.map(row => row.seq)).toEqual([5, 6])
      expect(contentIn(stored)).toEqual(drawing.content)
    })

    test('shows its true head to a replica that knows more than the store', async () => {
      const drawing = await newDrawing()
      await drawing.edit(3)
      const stored = await drawing.load(9)
      expect(stored.head.headSeq).toBe(3)
      expect(contentIn(stored)).toEqual(drawing.content)
    })
  })

  describe('a snapshot', () => {
    test('never replaces a newer one', async () => {
      const drawing = await newDrawing()
      await drawing.edit(6)
      expect(await drawing.snapshot(5)).toBe('saved')
      expect(await drawing.snapshot(3)).toBe('older-than-stored')
      expect(await drawing.snapshot(5)).toBe('older-than-stored')
      expect(await seqsIn('canvas_snapshots', drawing)).toEqual([5])
      expect(contentIn(await drawing.load())).toEqual(drawing.content)
    })

    test('is refused when the store has gone back behind it', async () => {
      const drawing = await newDrawing()
      await drawing.edit(3)
      const { archive } = site().storage
      const update = new Uint8Array([0, 0])
      const refused = { outcome: 'store-went-back' }
      expect(await archive.save(drawing.board, drawing.epoch, 4, update)).toMatchObject(refused)
      expect(await archive.save(drawing.board, drawing.epoch + 1, 3, update)).toMatchObject(refused)
      expect(await archive.save(freshBoard(), drawing.epoch, 1, update)).toMatchObject(refused)
      expect(await seqsIn('canvas_snapshots', drawing)).toEqual([])
      expect(await seqsIn('board_updates', drawing)).toEqual([1, 2, 3])
    })

    test('leaves the rows it covers in the log, and tells how many are there', async () => {
      const drawing = await newDrawing()
      await drawing.edit(6)
      expect(await drawing.save(2)).toEqual({ outcome: 'saved', left: 2 })
      expect(await drawing.save(4)).toEqual({ outcome: 'saved', left: 4 })
      expect(await seqsIn('board_updates', drawing)).toEqual([1, 2, 3, 4, 5, 6])
      expect(await drawing.load()).toMatchObject({ snapshot: { seq: 4 }, rows: [{ seq: 5 }, { seq: 6 }] })
      expect(await packsOf(drawing)).toEqual([])
    })

    test('counts the bytes of the state and of the rows after it', async () => {
      const drawing = await newDrawing()
      await drawing.edit(6)
      await drawing.save(4)
      const { head, snapshot, rows } = await drawing.load()
      expect(head.bytes).toBe(
        rows.reduce((sum, row) => sum + row.data.byteLength, snapshot ? sizeOf(snapshot.state) : 0),
      )
      await site().storage.archive.pack(drawing.board)
      expect((await drawing.load()).head.bytes).toBe(head.bytes)
    })

    test('is kept beside the one before it, and no more than these two', async () => {
      const drawing = await newDrawing()
      for (const _ of [1, 2, 3, 4]) {
        await drawing.edit(3)
        await drawing.save()
      }
      expect(await seqsIn('canvas_snapshots', drawing)).toEqual([9, 12])
    })

    test('that is cut comes back so, and its slices are what is counted', async () => {
      const drawing = await newDrawing()
      await drawing.edit(9)
      const state = slicesOf(drawing.stateAt(9))
      await site().storage.archive.save(drawing.board, drawing.epoch, 9, state)
      const stored = await drawing.load()
      expect(stored).toMatchObject({ snapshot: { seq: 9, state }, rows: [], head: { bytes: sizeOf(state) } })
      expect(contentIn(stored)).toEqual(drawing.content)
      await drawing.edit(1)
      expect(contentIn(await drawing.load())).toEqual(drawing.content)
    })

    test('of ten megabytes comes back as it was', async () => {
      const drawing = await newDrawing()
      await drawing.edit(1)
      const update = new Uint8Array(randomBytes(10 * 1024 * 1024))
      const { archive } = site().storage
      expect((await archive.save(drawing.board, drawing.epoch, 1, update)).outcome).toBe('saved')
      const { snapshot } = await drawing.load()
      expect(snapshot && !isCut(snapshot.state) && Buffer.compare(snapshot.state, update)).toBe(0)
    })
  })

  describe('a log that is shortened', () => {
    test('loses the rows that the newest snapshot covers to history, and no others', async () => {
      const drawing = await newDrawing()
      await drawing.edit(6)
      const before = await drawing.load()
      await drawing.save(2)
      await drawing.save(4)
      await site().storage.archive.pack(drawing.board)
      expect(await seqsIn('board_updates', drawing)).toEqual([5, 6])
      const packs = await packsOf(drawing)
      expect(packs).toMatchObject([{ from_seq: 1, to_seq: 4 }])
      const packed = (await Promise.all(packs.map(pack => unpackRows(pack.data)))).flat()
      const plain = (rows: LogRow[]) => rows.map(row => ({ ...row, data: new Uint8Array(row.data) }))
      expect(plain(packed)).toEqual(plain(before.rows.slice(0, 4)))
    })

    test('may have megabytes of them', async () => {
      const { board, epoch } = await newDrawing()
      const { archive, boards } = site().storage
      const texts = Array.from({ length: 5 }, () => randomBytes(300_000).toString('hex'))
      await boards.append(randomUUID(), [batch(board, ...texts)])
      expect((await archive.save(board, epoch, 4, new Uint8Array([0, 0]))).outcome).toBe('saved')
      await archive.pack(board)
      expect((await archive.save(board, epoch, 3, new Uint8Array([0, 0]))).outcome).toBe('older-than-stored')
      await site().database.query('DELETE FROM boardsync.canvas_snapshots WHERE board_id = $1', [board])
      expect((await logOf(site().storage, board)).map(textOf)).toEqual(texts)
    })

    test('by two instances at once loses nothing, and the newer one stands in the end', async () => {
      for (const [one, other] of [
        [12, 7],
        [7, 12],
        [9, 9],
      ] as const) {
        const drawing = await newDrawing()
        await drawing.edit(4)
        await drawing.snapshot(2)
        await drawing.edit(8)
        const outcomes = await Promise.all([drawing.snapshot(one), drawing.snapshot(other)])
        expect(outcomes).toContain('saved')
        // Who found the rows in use left them alone.
        await site().storage.archive.pack(drawing.board)
        const newest = Math.max(one, other)
        const stored = await drawing.load()
        expect(stored.snapshot?.seq).toBe(newest)
        expect(contentIn(stored)).toEqual(drawing.content)
        expect(await seqsIn('board_updates', drawing)).toEqual(
          Array.from({ length: 12 - newest }, (_, index) => newest + 1 + index),
        )
        const packed = (await Promise.all((await packsOf(drawing)).map(pack => unpackRows(pack.data)))).flat()
        expect(packed.map(row => row.seq)).toEqual(Array.from({ length: newest }, (_, index) => index + 1))
      }
    })
  })

  describe('packed history', () => {
    const age = ({ board }: Drawing, days: number) =>
      site().database.query(
        `UPDATE boardsync.board_history SET created_at = now() - $2 * interval '1 day' WHERE board_id = $1`,
        [board, days],
      )

    test('goes when it is older than it has to be kept, save what the older snapshot still needs', async () => {
      const drawing = await newDrawing()
      for (const _ of [1, 2, 3]) {
        await drawing.edit(2)
        await drawing.snapshot()
        await age(drawing, 31)
      }
      // Snapshots at 4 and 6: the rows between them are what makes the older one as good as the newer.
      expect(await packsOf(drawing)).toMatchObject([{ from_seq: 5 }])
      await drawing.edit(2)
      await drawing.snapshot()
      expect(await packsOf(drawing)).toMatchObject([{ from_seq: 7 }])
      expect(contentIn(await drawing.load())).toEqual(drawing.content)
    })

    test('goes from a board that nobody edits any more, too', async () => {
      const drawing = await newDrawing()
      for (const _ of [1, 2, 3]) {
        await drawing.edit(2)
        await drawing.snapshot()
      }
      await site().storage.past.forgetOld()
      expect(await packsOf(drawing)).toHaveLength(3)
      await age(drawing, 31)
      await site().storage.past.forgetOld(AbortSignal.abort())
      expect(await packsOf(drawing)).toHaveLength(3)
      await site().storage.past.forgetOld()
      // Snapshots at 4 and 6.
      expect(await packsOf(drawing)).toMatchObject([{ from_seq: 5 }])
      expect(contentIn(await drawing.load())).toEqual(drawing.content)
    })

    test('stays, however old, where it leads from the older snapshot to the newer one', async () => {
      const drawing = await newDrawing()
      for (const _ of [1, 2]) {
        await drawing.edit(2)
        await drawing.snapshot()
        await age(drawing, 31)
      }
      await site().database.query('DELETE FROM boardsync.canvas_snapshots WHERE board_id = $1 AND seq = 4', [
        drawing.board,
      ])
      await drawing.edit(2)
      await drawing.snapshot()
      expect(await packsOf(drawing)).toMatchObject([{ from_seq: 3 }, { from_seq: 5 }])
    })

    test('of a long log comes back in order', async () => {
      const { board, epoch } = await newDrawing()
      const { archive, boards } = site().storage
      const texts = Array.from({ length: 1_200 }, (_, index) => `edit ${index}`)
      await boards.append(randomUUID(), [batch(board, ...texts)])
      expect(await archive.save(board, epoch, 1_150, new Uint8Array([0, 0]))).toEqual({ outcome: 'saved', left: 1_150 })
      await archive.pack(board)
      await site().database.query('DELETE FROM boardsync.canvas_snapshots WHERE board_id = $1', [board])
      expect((await logOf(site().storage, board)).map(textOf)).toEqual(texts)
    })

    test('stays for as many days as the setting says', async () => {
      const drawing = await newDrawing()
      const archive = new BoardArchive(site().database, silent, 40)
      for (const _ of [1, 2, 3]) {
        await drawing.edit(2)
        await drawing.snapshot(drawing.seq, { archive })
        await age(drawing, 31)
      }
      expect(await packsOf(drawing)).toHaveLength(3)
    })
  })
}

const refuse = async (): Promise<never> => {
  throw new Error('no transaction is needed for this')
}
