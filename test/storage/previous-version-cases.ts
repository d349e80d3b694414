/** The rules of an instance of the version before this one, which writes and reads on while this one has the schema of its own. */

import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { applyUpdate, Doc, encodeStateAsUpdate } from 'yjs'
import { contentIn, Drawing } from './drawing.ts'
import { decide, newChange } from './outbox-cases.ts'
import { freshBoard, type Site } from './site.ts'

/** Statements as schema 0001 had them, word for word. */
const append = `
  WITH incoming AS (
    SELECT * FROM unnest($2::text[], $3::int[], $4::text[], $5::bytea[]) AS entry (board_id, position, actor, data)
  ), locked AS (
    SELECT id, epoch, head_seq FROM boardsync.boards
    WHERE id = ANY ($6::text[]) AND deleted_at IS NULL ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
  ), inserted AS (
    INSERT INTO boardsync.board_updates (board_id, seq, actor, data, batch_id)
    SELECT board_id, head_seq + position, actor, data, $1::uuid FROM incoming JOIN locked ON locked.id = board_id
    RETURNING board_id, octet_length(data) AS bytes
  ), added AS (
    SELECT board_id, count(*) AS entries, sum(bytes)::bigint AS bytes FROM inserted GROUP BY board_id
  )
  UPDATE boardsync.boards SET head_seq = locked.head_seq + added.entries, bytes = boards.bytes + added.bytes
  FROM locked JOIN added ON added.board_id = locked.id WHERE boards.id = locked.id
  RETURNING boards.id, boards.epoch, locked.head_seq + 1 AS first_seq, boards.head_seq AS last_seq`
const drainRows = `
  INSERT INTO boardsync.board_updates (board_id, seq, actor, data, batch_id)
  SELECT $1, row.*, $5::uuid FROM unnest($2::bigint[], $3::text[], $4::bytea[]) AS row`
const readRows = `
  SELECT seq, actor, data, created_at FROM boardsync.board_updates
  WHERE board_id = $1 AND seq > $2 AND seq <= $3 ORDER BY seq`
const removeRows = 'DELETE FROM boardsync.board_updates WHERE board_id = $1 AND seq <= $2 RETURNING seq'
const addSnapshot = 'INSERT INTO boardsync.canvas_snapshots (board_id, seq, state, checksum) VALUES ($1, $2, $3, $4)'

export function previousVersionCases(site: () => Site): void {
  const updateOf = (name: string) => {
    const doc = new Doc()
    doc.getMap('tldraw').set(name, 1)
    return encodeStateAsUpdate(doc)
  }
  const appendAsBefore = (board: string, data: Uint8Array) =>
    site().database.query(append, [randomUUID(), [board], [1], ['human:old'], [data], [board]])

  describe('an instance of the version before', () => {
    test('appends beside this one, and each reads what the other wrote', async () => {
      const { boards, archive } = site().storage
      const board = freshBoard()
      await boards.create(board)
      const ours = async (name: string) =>
        boards.append(randomUUID(), [{ board, entries: [{ actor: 'human:new', data: updateOf(name) }] }])
      await appendAsBefore(board, updateOf('a'))
      await ours('b')
      await appendAsBefore(board, updateOf('c'))
      await site().database.query(drainRows, [board, [4], ['agent:old'], [updateOf('d')], randomUUID()])
      await site().database.query('UPDATE boardsync.boards SET head_seq = 4 WHERE id = $1', [board])
      const stored = await archive.read(board, 0)
      expect(stored && contentIn(stored)).toEqual({ a: 1, b: 1, c: 1, d: 1 })
      const rows = await site().database.query<{ seq: number; data: Uint8Array }>(readRows, [board, 1, 3])
      expect(rows.map(row => row.seq)).toEqual([2, 3])
      const other = new Doc()
      for (const row of rows) applyUpdate(other, row.data)
      expect(other.getMap('tldraw').toJSON()).toEqual({ b: 1, c: 1 })
    })

    test('takes rows away that this one wrote, and its snapshot is read', async () => {
      const drawing = await Drawing.on(site().storage)
      await drawing.edit(3)
      await drawing.snapshot(2)
      const [made] = await site().database.query(
        'SELECT state, checksum FROM boardsync.canvas_snapshots WHERE board_id = $1',
        [drawing.board],
      )
      await site().database.query(removeRows, [drawing.board, 3])
      // A state that lacks the third edit is enough here: it is the snapshot at 3 that is to be read.
      await site().database.query(addSnapshot, [drawing.board, 3, made?.state, made?.checksum])
      const stored = await drawing.load()
      expect(stored).toMatchObject({ snapshot: { seq: 3 }, rows: [] })
      expect(contentIn(stored)).toEqual(drawing.contentAt(2))
    })

    test('leaves changes that this one drains, and the other way round', async () => {
      const { boards, changes } = site().storage
      const board = freshBoard()
      const { epoch } = await boards.create(board)
      await site().database.query(
        `INSERT INTO boardsync.item_changes (public_id, board_id, change, actor, idempotency_key, request_hash)
         VALUES ($1, $2, 'x', 'agent:old', NULL, 'h')`,
        [randomUUID(), board],
      )
      await changes.submit(newChange(board, 'y'), false)
      const drained = await changes.drain(board, { epoch, seq: 0 }, randomUUID(), pending => pending.map(decide))
      expect(drained).toMatchObject({ kind: 'drained', firstSeq: 1, lastSeq: 2 })
    })
  })
}
