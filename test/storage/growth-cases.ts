/** The rules of a board that is edited for hours: its log stays short and its size is known. */

import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { Doc, encodeStateAsUpdateV2 } from 'yjs'
import { contentIn } from './drawing.ts'
import { freshBoard, type Site } from './site.ts'

/** Rows that make a snapshot due, and rows that arrive while it is written. */
const [due, meanwhile] = [250, 40]
const promisedRows = 300

export function growthCases(site: () => Site): void {
  describe('a board of ten thousand commits', () => {
    test('keeps its log within the promised rows, two snapshots, and its size to the byte', async () => {
      const { boards, archive } = site().storage
      const board = freshBoard()
      const { epoch } = await boards.create(board)
      const doc = new Doc()
      let updates: Uint8Array[] = []
      doc.on('update', update => updates.push(update))
      let [moves, seq, packed, largest] = [0, 0, 0, 0]
      const edit = async (times: number) => {
        for (let made = 0; made < times; made++) {
          doc.getMap('tldraw').set(`shape:${moves % 37}`, { x: moves++, note: 'n'.repeat(moves % 50) })
        }
        const entries = updates.map(data => ({ actor: 'human:ann' as const, data }))
        updates = []
        seq = (await boards.append(randomUUID(), [{ board, entries }])).get(board)?.lastSeq ?? 0
      }
      while (seq < 10_000) {
        await edit(due)
        const [state, at] = [encodeStateAsUpdateV2(doc), seq]
        await edit(meanwhile)
        expect(await archive.save(board, epoch, at, state)).toMatchObject({ outcome: 'saved', left: at - packed })
        await archive.pack(board)
        packed = at
        const { head, rows, snapshot } = (await archive.read(board, 0)) ?? {}
        const rowBytes = (rows ?? []).reduce((sum, row) => sum + row.data.byteLength, 0)
        expect([head?.bytes, snapshot?.seq]).toEqual([state.byteLength + rowBytes, at])
        const [log] = await site().database.query<{ rows: number }>(
          'SELECT count(*)::int AS rows FROM boardsync.board_updates WHERE board_id = $1',
          [board],
        )
        largest = Math.max(largest, log?.rows ?? 0)
      }
      expect(largest).toBeLessThanOrEqual(promisedRows)
      const [kept] = await site().database.query(
        `SELECT (SELECT count(*)::int FROM boardsync.canvas_snapshots WHERE board_id = $1) AS snapshots,
           (SELECT sum(to_seq - from_seq + 1)::int FROM boardsync.board_history WHERE board_id = $1) AS packed`,
        [board],
      )
      expect(kept).toEqual({ snapshots: 2, packed: seq - meanwhile })
      const stored = await archive.read(board, 0)
      expect(stored && contentIn(stored)).toEqual(doc.getMap('tldraw').toJSON())
    })
  })
}
