/** The rules of item changes that hold on every database: accepted once, decided in order, all or nothing. */

import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { BoardId } from '../../core/contract/board-id.ts'
import { type DecidedChange, drainChanges, type PendingChange } from '../../core/store/change-drain.ts'
import type { NewChange } from '../../core/store/change-outbox.ts'
import { KeyReused } from '../../core/store/kept-answers.ts'
import { batch, bytes, deleteBoard, freshBoard, logOf, type Site, textOf } from './site.ts'

export function newChange(board: BoardId, change: string, given: Partial<NewChange> = {}): NewChange {
  const publicId = randomUUID()
  const fresh = { publicId, board, change, actor: 'agent:bot', idempotencyKey: undefined, requestHash: change } as const
  return { ...fresh, ...given }
}

/** Writes the text of a change to the log; one that says `no…` is rejected, one that says `same…` alters nothing. */
export function decide({ id, publicId, change, actor }: PendingChange): DecidedChange {
  const rejected = change.startsWith('no')
  const update = rejected || change.startsWith('same') ? undefined : bytes(change)
  return {
    id,
    publicId,
    change,
    actor,
    update,
    status: rejected ? 'rejected' : 'applied',
    result: `result of ${change}`,
  }
}

export function outboxCases(site: () => Site): void {
  const changes = () => site().storage.changes
  const newBoard = async () => {
    const board = freshBoard()
    return { board, epoch: (await site().storage.boards.create(board)).epoch }
  }
  const drain = (at: { board: BoardId; epoch: number }, seq: number) =>
    changes().drain(at.board, { epoch: at.epoch, seq }, randomUUID(), pending => pending.map(decide))

  describe('a change', () => {
    test('is kept until it is decided', async () => {
      const { board } = await newBoard()
      const change = newChange(board, 'a "label" with \\u0000 and ä', { requestHash: 'hash' })
      const { publicId } = change
      const pending = { publicId, board, requestHash: 'hash', status: 'pending', result: undefined, seq: undefined }
      expect(await changes().submit(change, false)).toEqual(pending)
      expect(await changes().find(board, publicId)).toEqual(pending)
      expect(await changes().boardsWithPending()).toContain(board)
    })

    test('is found on its own board only', async () => {
      const [one, other] = [await newBoard(), await newBoard()]
      const change = newChange(one.board, 'a')
      await changes().submit(change, false)
      expect(await changes().find(other.board, change.publicId)).toBeUndefined()
      expect(await changes().find(one.board, randomUUID())).toBeUndefined()
    })

    test('brings its board into being where it may, and is refused where it may not', async () => {
      const board = freshBoard()
      expect(await changes().submit(newChange(board, 'a'), false)).toBeUndefined()
      expect(await site().storage.boards.head(board)).toBeUndefined()
      expect(await changes().submit(newChange(board, 'a'), true)).toMatchObject({ status: 'pending' })
      expect(await site().storage.boards.head(board)).toMatchObject({ headSeq: 0 })
      expect(await changes().submit(newChange(board, 'b'), true)).toMatchObject({ status: 'pending' })
    })

    test('is not taken for a board that was deleted, nor decided there', async () => {
      const at = await newBoard()
      await changes().submit(newChange(at.board, 'before'), false)
      await deleteBoard(site().database, at.board)
      expect(await changes().submit(newChange(at.board, 'after'), true)).toBeUndefined()
      expect(await changes().boardsWithPending()).not.toContain(at.board)
      expect(await drain(at, 0)).toEqual({ kind: 'nothing-pending' })
      expect(await site().storage.boards.head(at.board)).toMatchObject({ headSeq: 0 })
    })
  })

  describe('an idempotency key', () => {
    const keyed = (board: BoardId, change: string, given: Partial<NewChange> = {}) =>
      newChange(board, change, { idempotencyKey: 'key', ...given })

    test('makes a repeated request the same change, and shows when it is another request', async () => {
      const { board } = await newBoard()
      const first = await changes().submit(keyed(board, 'a'), false)
      expect(await changes().submit(keyed(board, 'a'), false)).toEqual(first)
      const other = await changes().submit(keyed(board, 'b'), false)
      expect(other).toMatchObject({ publicId: first?.publicId, requestHash: 'a' })
    })

    test('makes requests that come together one change', async () => {
      const { board } = await newBoard()
      const answers = await Promise.all(Array.from({ length: 5 }, () => changes().submit(keyed(board, 'a'), true)))
      expect(new Set(answers.map(answer => answer?.publicId)).size).toBe(1)
    })

    test('is not that of a change and of another write of the board, also where they come together', async () => {
      const { board } = await newBoard()
      const works: string[] = []
      const outcomes = Array.from({ length: 20 }, async (_, n) => {
        const idempotencyKey = `key-${n}`
        const submit = () => changes().submit(newChange(board, `a${n}`, { idempotencyKey }), false)
        const request = { scope: board, subject: 'bot', key: idempotencyKey, hash: 'another' }
        const answer = () =>
          site().storage.answers.once(
            request,
            async () => works.push(idempotencyKey),
            () => 'done',
          )
        const [submitted, answered] =
          n % 2 === 0
            ? await Promise.allSettled([submit(), answer()])
            : (await Promise.allSettled([answer(), submit()])).toReversed()
        const isSubmitted = submitted?.status === 'fulfilled'
        const isAnswered = answered?.status === 'fulfilled' && (answered.value as { kind: string }).kind === 'done'
        return isSubmitted !== isAnswered && isAnswered === works.includes(idempotencyKey)
      })
      expect(await Promise.all(outcomes)).toEqual(Array(20).fill(true))
      for (let n = 0; n < 20; n++) {
        const idempotencyKey = `key-${n}`
        const again = changes().submit(newChange(board, `a${n}`, { idempotencyKey }), false)
        if (works.includes(idempotencyKey)) await expect(again).rejects.toThrow(KeyReused)
        else expect(await again).toMatchObject({ status: 'pending' })
      }
    })

    test('answers with what became of the change', async () => {
      const at = await newBoard()
      await changes().submit(keyed(at.board, 'a'), false)
      await drain(at, 0)
      expect(await changes().submit(keyed(at.board, 'a'), false)).toMatchObject({ status: 'applied', seq: 1 })
    })

    test('belongs to one board and one actor, and lasts a day', async () => {
      const [{ board }, other] = [await newBoard(), await newBoard()]
      const first = await changes().submit(keyed(board, 'a'), false)
      const ids = [first?.publicId]
      ids.push((await changes().submit(keyed(other.board, 'a'), false))?.publicId)
      ids.push((await changes().submit(keyed(board, 'a', { actor: 'agent:other' }), false))?.publicId)
      await site().database.query(
        `UPDATE boardsync.item_changes SET created_at = now() - interval '25 hours' WHERE board_id = $1`,
        [board],
      )
      ids.push((await changes().submit(keyed(board, 'a'), false))?.publicId)
      expect(new Set(ids).size).toBe(4)
    })
  })

  describe('changes that come together', () => {
    test('are stored in their order, with the answer of each', async () => {
      const at = await newBoard()
      const texts = Array.from({ length: 60 }, (_, number) => `"${number}" {\\, ä}`)
      const together = texts.map((text, n) =>
        newChange(at.board, text, { idempotencyKey: n % 2 ? `k"${n}` : undefined }),
      )
      const stored = await changes().submitAll(together, false)
      expect(stored.map(change => change?.publicId)).toEqual(together.map(({ publicId }) => publicId))
      const outcome = await drain(at, 0)
      expect(outcome.kind === 'drained' && outcome.decided.map(({ change }) => change)).toEqual(texts)
    })

    test('are left out where their key was used, before or among them', async () => {
      const at = await newBoard()
      const keyed = (change: string, idempotencyKey: string) => newChange(at.board, change, { idempotencyKey })
      const before = keyed('before', 'x')
      await changes().submit(before, false)
      const [a, b, again] = [keyed('a', 'y'), newChange(at.board, 'b'), keyed('again', 'y')]
      const stored = await changes().submitAll([keyed('late', 'x'), a, b, again], false)
      expect(stored.map(change => change?.publicId)).toEqual([before, a, b, a].map(({ publicId }) => publicId))
      expect(stored.map(change => change?.requestHash)).toEqual(['before', 'a', 'b', 'a'])
      const outcome = await drain(at, 0)
      expect(outcome.kind === 'drained' && outcome.decided.map(({ change }) => change)).toEqual(['before', 'a', 'b'])
    })

    test('are not stored on a board that is not there', async () => {
      const board = freshBoard()
      const together = [newChange(board, 'a'), newChange(board, 'b', { idempotencyKey: 'x' })]
      expect(await changes().submitAll(together, false)).toEqual([undefined, undefined])
      expect(await changes().submitAll([], false)).toEqual([])
    })
  })

  test('answers are dropped after a week, in steps that can be stopped, and a change that waits never is', async () => {
    const [at, elsewhere] = [await newBoard(), await newBoard()]
    const many = Array.from({ length: 150 }, () => newChange(at.board, 'same'))
    const [waiting, done, fresh] = [newChange(elsewhere.board, 'a'), newChange(at.board, 'b'), newChange(at.board, 'c')]
    await changes().submit(waiting, false)
    await changes().submitAll([...many, done, fresh], false)
    await drain(at, 0)
    const statuses = async () => {
      const [first = waiting] = many
      const asked = [waiting, first, done, fresh].map(({ board, publicId }) => changes().find(board, publicId))
      return (await Promise.all(asked)).map(change => change?.status)
    }
    await changes().forgetOld()
    expect(await statuses()).toEqual(['pending', 'applied', 'applied', 'applied'])
    await site().database.query(
      `UPDATE boardsync.item_changes SET created_at = now() - interval '8 days' WHERE public_id <> $1`,
      [fresh.publicId],
    )
    await changes().forgetOld(AbortSignal.abort())
    expect(await statuses()).toEqual(['pending', 'applied', 'applied', 'applied'])
    await changes().forgetOld()
    expect(await statuses()).toEqual(['pending', undefined, undefined, 'applied'])
  })

  describe('a drain', () => {
    test('decides in the order in which changes came, and commits rows, answers and head together', async () => {
      const at = await newBoard()
      await site().storage.boards.append(randomUUID(), [batch(at.board, 'person')])
      const ids: string[] = []
      for (const text of ['a', 'no b', 'same c', 'd']) {
        const change = newChange(at.board, text, { actor: `agent:${text}` })
        ids.push(change.publicId)
        await changes().submit(change, false)
      }
      const outcome = await drain(at, 1)
      expect(outcome).toMatchObject({ kind: 'drained', firstSeq: 2, lastSeq: 3 })
      expect(outcome.kind === 'drained' && outcome.decided.map(({ publicId }) => publicId)).toEqual(ids)
      const rows = await logOf(site().storage, at.board)
      expect(rows.map(row => [row.seq, textOf(row), row.actor])).toEqual([
        [1, 'person', 'human:ann'],
        [2, 'a', 'agent:a'],
        [3, 'd', 'agent:d'],
      ])
      expect(await site().storage.boards.head(at.board)).toMatchObject({ headSeq: 3, bytes: 8 })
      const found = await Promise.all(ids.map(id => changes().find(at.board, id)))
      expect(found.map(change => [change?.status, change?.result, change?.seq])).toEqual([
        ['applied', 'result of a', 2],
        ['rejected', 'result of no b', 2],
        ['applied', 'result of same c', 2],
        ['applied', 'result of d', 3],
      ])
      expect(await drain(at, 3)).toEqual({ kind: 'nothing-pending' })
    })

    test('of changes that alter nothing writes no row', async () => {
      const at = await newBoard()
      await changes().submit(newChange(at.board, 'no'), false)
      expect(await drain(at, 0)).toMatchObject({ kind: 'drained', firstSeq: 1, lastSeq: 0 })
      expect(await site().storage.boards.head(at.board)).toMatchObject({ headSeq: 0, bytes: 0 })
    })

    test('that fails while deciding leaves everything as it was', async () => {
      const at = await newBoard()
      for (const text of ['a', 'b']) await changes().submit(newChange(at.board, text), false)
      const failing = (pending: readonly PendingChange[]) =>
        pending.map(change => {
          if (change.change === 'b') throw new Error('cannot decide b')
          return decide(change)
        })
      const known = { epoch: at.epoch, seq: 0 }
      await expect(changes().drain(at.board, known, randomUUID(), failing)).rejects.toThrow('cannot decide b')
      expect(await site().storage.boards.head(at.board)).toMatchObject({ headSeq: 0, bytes: 0 })
      expect(await drain(at, 0)).toMatchObject({ kind: 'drained', firstSeq: 1, lastSeq: 2 })
    })

    test('decides nothing for a caller that has not read the whole log, or knows another one', async () => {
      const at = await newBoard()
      await site().storage.boards.append(randomUUID(), [batch(at.board, 'x', 'y')])
      const change = newChange(at.board, 'a')
      await changes().submit(change, false)
      expect(await drain(at, 1)).toEqual({ kind: 'behind' })
      expect(await drain(at, 3)).toEqual({ kind: 'store-went-back' })
      expect(await drain({ ...at, epoch: at.epoch + 1 }, 2)).toEqual({ kind: 'store-went-back' })
      expect(await changes().find(at.board, change.publicId)).toMatchObject({ status: 'pending' })
      expect(await drain(at, 2)).toMatchObject({ kind: 'drained', lastSeq: 3 })
    })

    test('may take a long queue in several turns, losing none', async () => {
      const at = await newBoard()
      await site().database.query(
        `INSERT INTO boardsync.item_changes (public_id, board_id, change, actor, request_hash)
         SELECT gen_random_uuid(), $1, n::text, 'agent:bot', '' FROM generate_series(1, 250) AS n`,
        [at.board],
      )
      let seq = 0
      for (let turns = 0; turns < 5; turns++) {
        const outcome = await drain(at, seq)
        if (outcome.kind !== 'drained') break
        seq = outcome.lastSeq
      }
      const rows = await logOf(site().storage, at.board)
      expect(rows.map(textOf)).toEqual(Array.from({ length: 250 }, (_, index) => String(index + 1)))
    })

    test('takes on a few large changes, at least one, and has more time for them', async () => {
      const at = await newBoard()
      const sizes = { a: 1, b: 1_100_000, c: 1, d: 550_000, e: 550_000, f: 1 }
      await site().database.query(
        `INSERT INTO boardsync.item_changes (public_id, board_id, change, actor, request_hash)
         SELECT gen_random_uuid(), $1, repeat(letter, size), 'agent:bot', ''
         FROM unnest($2::text[], $3::int[]) AS waiting (letter, size)`,
        [at.board, Object.keys(sizes), Object.values(sizes)],
      )
      const drains: { taken: string; timeout: unknown }[] = []
      let seq = 0
      while (seq < 6) {
        const outcome = await site().database.transaction(sql =>
          drainChanges(sql, at.board, { epoch: at.epoch, seq }, randomUUID(), async pending => {
            const [set] = await sql.query<{ idle_in_transaction_session_timeout: string }>(
              'SHOW idle_in_transaction_session_timeout',
            )
            const letters = pending.map(({ change }) => change.charAt(0))
            drains.push({ taken: letters.join(''), timeout: set?.idle_in_transaction_session_timeout })
            return pending.map((change, n) => decide({ ...change, change: letters[n] ?? '' }))
          }),
        )
        if (outcome.kind !== 'drained') throw new Error(outcome.kind)
        seq = outcome.lastSeq
      }
      expect(drains.map(({ taken }) => taken)).toEqual(['ab', 'cde', 'f'])
      expect(drains.map(({ timeout }) => timeout === '30s')).toEqual([true, true, false])
      expect((await logOf(site().storage, at.board)).map(textOf)).toEqual([...'abcdef'])
    })
  })
}
