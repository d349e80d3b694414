/** The rules of a store that went back behind its clients (a point-in-time restore): it is seen, and they can push again. */

import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { contentIn, Drawing } from './drawing.ts'
import { decide, newChange } from './outbox-cases.ts'
import { batch, freshBoard, logOf, type Site, textOf } from './site.ts'

const tables = ['boards', 'board_updates', 'canvas_snapshots', 'board_history'] as const

export function restoreCases(site: () => Site): void {
  const keyOf = (table: string) => (table === 'boards' ? 'id' : 'board_id')
  /** @returns what brings the board back to how it is now */
  const backup = async (board: string) => {
    const saved = new Map<string, string>()
    for (const table of tables) {
      const [row] = await site().database.query<{ rows: string | null }>(
        `SELECT json_agg(t)::text AS rows FROM boardsync.${table} t WHERE ${keyOf(table)} = $1`,
        [board],
      )
      saved.set(table, row?.rows ?? '[]')
    }
    return () =>
      site().database.transaction(async sql => {
        await sql.query('DELETE FROM boardsync.boards WHERE id = $1', [board])
        for (const [table, rows] of saved) {
          await sql.query(
            `INSERT INTO boardsync.${table} SELECT * FROM json_populate_recordset(NULL::boardsync.${table}, $1::json)`,
            [rows],
          )
        }
      })
  }

  describe('a board restored to an earlier state', () => {
    test('shows its lower head to who knows more, and takes no snapshot and no change from them', async () => {
      const drawing = await Drawing.on(site().storage)
      const { board, epoch } = drawing
      await drawing.edit(3)
      const restore = await backup(board)
      await drawing.edit(3)
      await restore()
      const { boards, changes } = site().storage
      expect(await boards.head(board)).toMatchObject({ epoch, headSeq: 3 })
      expect((await drawing.load(6)).head.headSeq).toBe(3)
      expect(await drawing.snapshot(6)).toBe('store-went-back')
      await changes.submit(newChange(board, 'x'), false)
      const drained = await changes.drain(board, { epoch, seq: 6 }, randomUUID(), pending => pending.map(decide))
      expect(drained).toEqual({ kind: 'store-went-back' })
    })

    test('takes in again what it lost: the same edits, batches and changes', async () => {
      const { boards, changes } = site().storage
      const board = freshBoard()
      const { epoch } = await boards.create(board)
      await boards.append(randomUUID(), [batch(board, 'a')])
      const restore = await backup(board)
      const batchId = randomUUID()
      const change = newChange(board, 'x', { idempotencyKey: 'once' })
      const push = async () => {
        await boards.appendAgain(batchId, [batch(board, 'b', 'c')])
        await changes.submit(change, false)
        return changes.drain(board, { epoch, seq: 3 }, randomUUID(), pending => pending.map(decide))
      }
      expect(await push()).toMatchObject({ kind: 'drained', lastSeq: 4 })
      await restore()
      expect((await logOf(site().storage, board)).map(textOf)).toEqual(['a'])
      expect(await push()).toMatchObject({ kind: 'drained', lastSeq: 4 })
      expect((await logOf(site().storage, board)).map(textOf)).toEqual(['a', 'b', 'c', 'x'])
    })

    test('from before a compaction is whole, and is compacted anew', async () => {
      const drawing = await Drawing.on(site().storage)
      await drawing.edit(4)
      await drawing.snapshot(2)
      const restore = await backup(drawing.board)
      await drawing.snapshot(4)
      await restore()
      expect(contentIn(await drawing.load())).toEqual(drawing.content)
      expect(await drawing.snapshot(4)).toBe('saved')
      expect(await drawing.load()).toMatchObject({ snapshot: { seq: 4 }, rows: [] })
    })

    test('under a new epoch refuses all that was read before, at whatever seq it stands', async () => {
      const drawing = await Drawing.on(site().storage)
      const { board, epoch } = drawing
      await drawing.edit(3)
      await site().database.query('UPDATE boardsync.boards SET epoch = epoch + 1 WHERE id = $1', [board])
      expect(await drawing.snapshot(2)).toBe('store-went-back')
      const drained = await site().storage.changes.drain(board, { epoch, seq: 3 }, randomUUID(), pending =>
        pending.map(decide),
      )
      expect(drained).toEqual({ kind: 'store-went-back' })
    })
  })
}
