/**
 * The rules of several instances on one database. They need connections that hold locks against each other, which the
 * embedded database cannot have: it has a single connection, and belongs to a single process.
 */

import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { BoardId } from '../../core/contract/board-id.ts'
import type { BoardBatch, CommittedBoards } from '../../core/store/board-log.ts'
import type { Database, Sql } from '../../core/store/database.ts'
import type { Storage } from '../../core/store/storage.ts'
import { until } from '../kit/until.ts'
import { contentIn, Drawing } from './drawing.ts'
import { decide, newChange } from './outbox-cases.ts'
import { batch, freshBoard, logOf, type SharedSite, textOf } from './site.ts'

export function sharingCases(site: () => SharedSite): void {
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

  describe('instances that write the same boards at once', () => {
    test('give contiguous seqs, keep each its own order, and never deadlock', async () => {
      const shared = await Promise.all(Array.from({ length: 6 }, async () => (await newBoard()).board))
      const rounds = 40
      const write = async (storage: Storage, name: string) => {
        for (let round = 0; round < rounds; round++) {
          const inSomeOrder = round % 2 === 0 ? shared : shared.toReversed()
          await appendAll(
            storage,
            inSomeOrder.map(board => batch(board, `${name} ${round}`)),
            round,
          )
        }
      }
      const names = ['one', 'two', 'three']
      await Promise.all(names.map(name => write(site().anotherInstance().storage, name)))
      for (const board of shared) {
        const rows = await logOf(site().storage, board)
        expect(rows.map(row => row.seq)).toEqual(Array.from({ length: rounds * names.length }, (_, index) => index + 1))
        for (const name of names) {
          const own = rows.map(textOf).filter(text => text.startsWith(`${name} `))
          expect(own).toEqual(Array.from({ length: rounds }, (_, round) => `${name} ${round}`))
        }
      }
    })

    test('apply each item change exactly once', async () => {
      const { board, epoch } = await newBoard()
      const all = Array.from({ length: 60 }, (_, index) => `change ${index}`)
      const submit = async () => {
        for (const text of all) await site().storage.changes.submit(newChange(board, text), false)
      }
      const applied = new Set<string>()
      const drain = async ({ boards, changes }: Storage) => {
        while (applied.size < all.length) {
          const seq = (await boards.head(board))?.headSeq ?? 0
          const outcome = await changes.drain(board, { epoch, seq }, randomUUID(), pending => pending.map(decide))
          if (outcome.kind === 'drained') for (const { publicId } of outcome.decided) applied.add(publicId)
        }
      }
      const [one, other] = [site().anotherInstance(), site().anotherInstance()]
      await Promise.all([submit(), drain(one.storage), drain(other.storage)])
      expect((await logOf(site().storage, board)).map(textOf)).toEqual(all)
    })

    test('and compact them lose nothing', async () => {
      const drawing = await Drawing.on(site().storage)
      await drawing.edit(30)
      const instances = [site().anotherInstance(), site().anotherInstance(), site().anotherInstance()]
      const compact = async ({ storage }: { storage: Storage }, first: number) => {
        for (let seq = first; seq <= 30; seq += 3) await retryingBusy(() => drawing.snapshot(seq, storage))
      }
      await Promise.all(instances.map((instance, index) => compact(instance, index + 1)))
      const stored = await drawing.load()
      expect(stored).toMatchObject({ snapshot: { seq: 30 }, rows: [] })
      expect(contentIn(stored)).toEqual(drawing.content)
      await site().database.query('DELETE FROM boardsync.canvas_snapshots WHERE board_id = $1', [drawing.board])
      expect(contentIn(await drawing.load())).toEqual(drawing.content)
    })
  })
}

/** Keeps what `work` locks until the returned function commits. */
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
  return async () => {
    release()
    await transaction
  }
}

/** As the committer does: what was left out is asked for again, in the ways there are. */
async function appendAll({ boards }: Storage, batches: BoardBatch[], round: number): Promise<void> {
  const batchId = randomUUID()
  let left = batches
  const leave = (committed: CommittedBoards) => {
    left = left.filter(({ board }) => !committed.has(board))
  }
  if (round % 3 === 0) leave(await retryingBusy(() => boards.appendAgain(batchId, batches)))
  else leave(await boards.append(batchId, batches))
  for (const one of left) leave(await retryingBusy(() => boards.appendWaiting(batchId, one)))
  expect(left).toEqual([])
}

/** A lock that was not free may be tried again; a deadlock is a fault of ours. */
async function retryingBusy<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (!isLockTimeout(error)) throw error
    }
  }
}

function isLockTimeout(error: unknown): boolean {
  const cause: unknown = error instanceof Error ? error.cause : undefined
  return cause instanceof Error && 'code' in cause && cause.code === '55P03'
}
