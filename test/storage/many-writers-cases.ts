/** The rules of several instances, each with connections of its own, that write the same boards at once. */

import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { BoardBatch, CommittedBoards } from '../../core/store/board-log.ts'
import type { Storage } from '../../core/store/storage.ts'
import { contentIn, Drawing } from './drawing.ts'
import { decide, newChange } from './outbox-cases.ts'
import { batch, freshBoard, logOf, type SharedSite, textOf } from './site.ts'

export function manyWritersCases(site: () => SharedSite): void {
  const newBoard = async () => {
    const board = freshBoard()
    return { board, epoch: (await site().storage.boards.create(board)).epoch }
  }

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
