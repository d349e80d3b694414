/**
 * The rules of a board whose row another instance holds. They need connections that lock each other out, which the
 * embedded database cannot have: it has a single connection, and belongs to a single process.
 */

import { randomBytes, randomUUID } from 'node:crypto'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { BoardId } from '../../core/contract/board-id.ts'
import type { Database, Sql } from '../../core/store/database.ts'
import { until } from '../kit/until.ts'
import { decide, newChange } from './outbox-cases.ts'
import { batch, freshBoard, logOf, type SharedSite, textOf } from './site.ts'

export function lockedRowCases(site: () => SharedSite): void {
  const boards = () => site().storage.boards
  const newBoard = async () => {
    const board = freshBoard()
    return { board, epoch: (await boards().create(board)).epoch }
  }
  const lock = (board: BoardId, strength = 'FOR NO KEY UPDATE') =>
    hold(site().anotherInstance().database, sql =>
      sql.query(`SELECT FROM boardsync.boards WHERE id = $1 ${strength}`, [board]),
    )
  const somebodyWaitsForALock = () =>
    until(async () => {
      const waiting = await site().database.query(
        `SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`,
      )
      return waiting.length > 0
    })

  describe('a board whose row somebody else holds', () => {
    test('is left out of a commit that writes the others, and written when asked for again', async () => {
      const [{ board: held }, { board: other }] = [await newBoard(), await newBoard()]
      const release = await lock(held)
      const batches = [batch(held, 'a'), batch(other, 'b')]
      expect([...(await boards().append(randomUUID(), batches)).keys()]).toEqual([other])
      await release()
      expect([...(await boards().append(randomUUID(), [batch(held, 'a')])).keys()]).toEqual([held])
      expect((await logOf(site().storage, held)).map(textOf)).toEqual(['a'])
    })

    test('is waited for by a commit of its own', async () => {
      const { board } = await newBoard()
      const release = await lock(board)
      const committing = boards().appendWaiting(randomUUID(), batch(board, 'a'))
      await somebodyWaitsForALock()
      await release()
      expect((await committing).get(board)).toMatchObject({ firstSeq: 1, lastSeq: 1 })
    })

    test('is waited for by a snapshot', async () => {
      const { board, epoch } = await newBoard()
      await boards().append(randomUUID(), [batch(board, 'a')])
      const release = await lock(board)
      const { archive } = site().storage
      const saving = archive.save(board, epoch, 1, Uint8Array.of(0, 0))
      await somebodyWaitsForALock()
      await release()
      expect(await saving).toMatchObject({ outcome: 'saved' })
      expect(await archive.read(board, 0)).toMatchObject({ snapshot: { seq: 1 }, rows: [] })
    })

    test('for a snapshot of its own is waited for by a newer one, which packs only what that left', async () => {
      const { board, epoch } = await newBoard()
      await boards().append(randomUUID(), [batch(board, 'a', 'b')])
      const release = await hold(site().anotherInstance().database, async sql => {
        await sql.query('UPDATE boardsync.boards SET snapshot_seq = 1 WHERE id = $1', [board])
        await sql.query('DELETE FROM boardsync.board_updates WHERE board_id = $1 AND seq = 1', [board])
        await sql.query(
          `INSERT INTO boardsync.board_history (board_id, from_seq, to_seq, data) VALUES ($1, 1, 1, '')`,
          [board],
        )
        await sql.query(
          `INSERT INTO boardsync.canvas_snapshots (board_id, seq, state, checksum) VALUES ($1, 1, '', '')`,
          [board],
        )
      })
      const saving = site().storage.archive.save(board, epoch, 2, Uint8Array.of(0, 0))
      await somebodyWaitsForALock()
      await release()
      expect(await saving).toMatchObject({ outcome: 'saved' })
      await site().storage.archive.pack(board)
      const packs = 'SELECT from_seq, to_seq FROM boardsync.board_history WHERE board_id = $1 ORDER BY from_seq'
      expect(await site().database.query(packs, [board])).toEqual([
        { from_seq: 1, to_seq: 1 },
        { from_seq: 2, to_seq: 2 },
      ])
    })

    test.each([
      ['a few rows', 'a'],
      ['megabytes', randomBytes(100_000).toString('hex')],
    ])('whose rows somebody else packs is not waited for, and not packed twice (%s)', async (_name, text) => {
      const { board, epoch } = await newBoard()
      const { archive } = site().storage
      await boards().append(randomUUID(), [batch(board, text, 'b')])
      await archive.save(board, epoch, 2, Uint8Array.of(0, 0))
      const packs = () =>
        site().database.query('SELECT from_seq, to_seq FROM boardsync.board_history WHERE board_id = $1', [board])
      const release = await hold(site().anotherInstance().database, sql =>
        sql.query('SELECT FROM boardsync.board_updates WHERE board_id = $1 AND seq = 1 FOR UPDATE', [board]),
      )
      await archive.pack(board)
      expect(await packs()).toEqual([])
      await release()
      await archive.pack(board)
      await archive.pack(board)
      expect(await packs()).toEqual([{ from_seq: 1, to_seq: 2 }])
      await site().database.query('DELETE FROM boardsync.canvas_snapshots WHERE board_id = $1', [board])
      expect((await logOf(site().storage, board)).map(textOf)).toEqual([text, 'b'])
    })

    test('is not waited for for long', async () => {
      const { board } = await newBoard()
      const release = await lock(board)
      const { archive } = site().storage
      await expect(boards().appendWaiting(randomUUID(), batch(board, 'a'))).rejects.toMatchObject({ failure: 'busy' })
      await expect(boards().appendAgain(randomUUID(), [batch(board, 'a')])).rejects.toMatchObject({ failure: 'busy' })
      await expect(archive.save(board, 0, 0, new Uint8Array())).rejects.toMatchObject({ failure: 'busy' })
      await release()
      expect(await boards().head(board)).toMatchObject({ headSeq: 0 })
    })

    test('gets what the other wrote before it and counts on from there', async () => {
      const { board } = await newBoard()
      const { database } = site().anotherInstance()
      const release = await hold(database, async sql => {
        await sql.query('UPDATE boardsync.boards SET head_seq = 1, bytes = 1 WHERE id = $1', [board])
        await sql.query(
          `INSERT INTO boardsync.board_updates (board_id, seq, actor, data, batch_id)
           VALUES ($1, 1, 'human:bob', 'x', gen_random_uuid())`,
          [board],
        )
      })
      const committing = boards().appendWaiting(randomUUID(), batch(board, 'a', 'b'))
      await somebodyWaitsForALock()
      await release()
      expect((await committing).get(board)).toMatchObject({ firstSeq: 2, lastSeq: 3 })
      expect(await boards().head(board)).toMatchObject({ headSeq: 3, bytes: 3 })
    })

    test('is not left out because of an open insert that refers to it', async () => {
      const { board } = await newBoard()
      const release = await lock(board, 'FOR KEY SHARE')
      expect([...(await boards().append(randomUUID(), [batch(board, 'a')])).keys()]).toEqual([board])
      await release()
    })

    test('is not drained', async () => {
      const { board, epoch } = await newBoard()
      await site().storage.changes.submit(newChange(board, 'a'), false)
      const release = await lock(board)
      const drain = () =>
        site().storage.changes.drain(board, { epoch, seq: 0 }, randomUUID(), pending => pending.map(decide))
      expect(await drain()).toEqual({ kind: 'busy' })
      await release()
      expect(await drain()).toMatchObject({ kind: 'drained', lastSeq: 1 })
    })
  })

  describe('a commit whose backend still holds the row when its answer is lost', () => {
    test('is waited for, and not written twice', async () => {
      const { board } = await newBoard()
      const batchId = randomUUID()
      const release = await hold(site().anotherInstance().database, async sql => {
        await sql.query('UPDATE boardsync.boards SET head_seq = 1 WHERE id = $1', [board])
        await sql.query(
          `INSERT INTO boardsync.board_updates (board_id, seq, actor, data, batch_id) VALUES ($1, 1, 'human:ann', 'a', $2)`,
          [board, batchId],
        )
      })
      const again = boards().appendAgain(batchId, [batch(board, 'a')])
      await somebodyWaitsForALock()
      await release()
      expect((await again).get(board)).toMatchObject({ firstSeq: 1, lastSeq: 1 })
      expect((await logOf(site().storage, board)).map(textOf)).toEqual(['a'])
    })
  })
}

/** Keeps what `work` locks until the returned function commits, or the test ends. */
async function hold(database: Database, work: (sql: Sql) => Promise<unknown>): Promise<() => Promise<void>> {
  let release = () => {}
  const released = new Promise<void>(resolve => {
    release = resolve
  })
  let transaction: Promise<void> = Promise.resolve()
  await new Promise<void>((resolve, reject) => {
    transaction = database.transaction(async sql => {
      await work(sql)
      resolve()
      await released
    })
    transaction.catch(reject)
  })
  const end = async () => {
    release()
    await transaction
  }
  onTestFinished(end) // where the test fails before it lets go
  return end
}
