/** The rules of a board's log that hold on every database. */

import { randomBytes, randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { BoardId } from '../../core/contract/board-id.ts'
import { batch, bytes, deleteBoard, entry, freshBoard, logOf, type Site, textOf } from './site.ts'

export function logCases(site: () => Site): void {
  const boards = () => site().storage.boards
  const newBoard = async () => {
    const board = freshBoard()
    await boards().create(board)
    return board
  }

  describe('a board', () => {
    test('comes into being once, whoever asks for it', async () => {
      const board = freshBoard()
      expect(await boards().head(board)).toBeUndefined()
      const heads = await Promise.all(Array.from({ length: 8 }, () => boards().create(board)))
      expect(heads[0]).toEqual({ epoch: expect.any(Number), headSeq: 0, bytes: 0, deleted: false })
      for (const head of heads) expect(head).toEqual(heads[0])
    })

    test('among many that are asked for at once is made where there is none, and found where there is', async () => {
      const there = await newBoard()
      await boards().append(randomUUID(), [batch(there, 'a', 'b')])
      const asked = [freshBoard(), there, freshBoard(), freshBoard(), there]
      const heads = await Promise.all(asked.map(board => boards().create(board)))
      expect(heads.map(({ headSeq }) => headSeq)).toEqual([0, 2, 0, 0, 2])
      expect(await Promise.all(asked.map(board => boards().head(board)))).toEqual(heads)
    })

    test('that does not exist takes no rows and has no head', async () => {
      const [here, nowhere] = [await newBoard(), freshBoard()]
      const committed = await boards().append(randomUUID(), [batch(nowhere, 'lost'), batch(here, 'kept')])
      expect([...committed.keys()]).toEqual([here])
      expect(await boards().head(nowhere)).toBeUndefined()
      expect(await site().storage.archive.read(nowhere, 0)).toBeUndefined()
    })

    test('that was deleted takes no rows, by whichever way, and holds up no other', async () => {
      const [deleted, other] = [await newBoard(), await newBoard()]
      await deleteBoard(site().database, deleted)
      const committed = await boards().append(randomUUID(), [batch(deleted, 'lost'), batch(other, 'kept')])
      expect([...committed.keys()]).toEqual([other])
      expect(await boards().appendWaiting(randomUUID(), batch(deleted, 'lost'))).toEqual(new Map())
      expect(await boards().appendAgain(randomUUID(), [batch(deleted, 'lost')])).toEqual(new Map())
      expect(await boards().head(deleted)).toMatchObject({ headSeq: 0, deleted: true })
      expect(await logOf(site().storage, deleted)).toEqual([])
    })
  })

  test('of many boards only those are told whose head is another than is known, and those that are gone', async () => {
    const [same, edited, restored, deleted, nowhere] = [
      ...(await Promise.all([1, 2, 3, 4].map(newBoard))),
      freshBoard(),
    ]
    const all = [same, edited, restored, deleted, nowhere] as BoardId[]
    const known = await Promise.all(
      all.map(async board => ({ board, epoch: 0, headSeq: 0, ...(await boards().head(board)) })),
    )
    expect(await boards().headsOtherThan([])).toEqual(new Map())
    expect(await boards().headsOtherThan(known.slice(0, -1))).toEqual(new Map())

    await boards().append(randomUUID(), [batch(edited as BoardId, 'a', 'b')])
    await site().database.query('UPDATE boardsync.boards SET epoch = 7 WHERE id = $1', [restored])
    await deleteBoard(site().database, deleted as BoardId)
    const others = await boards().headsOtherThan(known)
    expect(new Set(others.keys())).toEqual(new Set([edited, restored, deleted, nowhere]))
    expect(others.get(edited as BoardId)).toEqual(await boards().head(edited as BoardId))
    expect(others.get(restored as BoardId)).toMatchObject({ epoch: 7, headSeq: 0, deleted: false })
    expect(others.get(deleted as BoardId)).toMatchObject({ deleted: true })
    expect(others.get(nowhere as BoardId)).toBeUndefined()
  })

  describe('a commit', () => {
    test('gives each board its own contiguous seqs, in the order of the commits', async () => {
      const [one, two] = [await newBoard(), await newBoard()]
      const { epoch } = (await boards().head(one)) ?? {}
      const first = await boards().append(randomUUID(), [batch(two, 'x'), batch(one, 'a', 'b')])
      expect(first.get(one)).toEqual({ epoch, firstSeq: 1, lastSeq: 2 })
      expect(first.get(two)).toMatchObject({ firstSeq: 1, lastSeq: 1 })
      const second = await boards().appendWaiting(randomUUID(), batch(one, 'c'))
      expect(second.get(one)).toMatchObject({ firstSeq: 3, lastSeq: 3 })
      const third = await boards().append(randomUUID(), [batch(one, 'd', 'e'), batch(two, 'y')])
      expect(third.get(one)).toMatchObject({ firstSeq: 4, lastSeq: 5 })

      const rows = await logOf(site().storage, one)
      expect(rows.map(row => [row.seq, textOf(row)])).toEqual([...'abcde'].map((text, index) => [index + 1, text]))
      expect((await logOf(site().storage, two)).map(textOf)).toEqual(['x', 'y'])
      expect(await boards().head(one)).toEqual({ epoch, headSeq: 5, bytes: 5, deleted: false })
    })

    test('keeps who made each edit, and when', async () => {
      const board = await newBoard()
      const before = Date.now()
      const entries = [entry('a', 'human:ann'), entry('b', 'agent:bot 7'), entry('c', 'human:Zoë "\\,{}')]
      await boards().append(randomUUID(), [{ board, entries }])
      const rows = await logOf(site().storage, board)
      expect(rows.map(row => row.actor)).toEqual(entries.map(({ actor }) => actor))
      for (const { at } of rows) expect(Math.abs(at.getTime() - before)).toBeLessThan(60_000)
    })

    test('gives every byte back', async () => {
      const board = await newBoard()
      const every = Uint8Array.from({ length: 256 }, (_, value) => value)
      const slice = Uint8Array.from({ length: 600 }, (_, value) => value).subarray(200, 300)
      const large = new Uint8Array(randomBytes(10 * 1024 * 1024))
      const given = [every, new Uint8Array(), slice, large, bytes('\\x00,"{}')]
      await boards().append(randomUUID(), [{ board, entries: given.map(data => ({ actor: 'human:ann', data })) }])
      const rows = await logOf(site().storage, board)
      expect(rows.map(row => Buffer.compare(row.data, given[row.seq - 1] ?? bytes('no such row')))).toEqual([
        0, 0, 0, 0, 0,
      ])
      expect((await boards().head(board))?.bytes).toBe(given.reduce((sum, data) => sum + data.byteLength, 0))
    })

    test('that the database refuses has written nothing, on any of its boards', async () => {
      const [good, bad] = [await newBoard(), await newBoard()]
      const refused = { board: bad, entries: [entry('a'), entry('b', 'human:\0')] }
      const attempts = [
        () => boards().append(randomUUID(), [batch(good, 'x'), refused]),
        () => boards().appendAgain(randomUUID(), [batch(good, 'x'), refused]),
        () => boards().appendWaiting(randomUUID(), refused),
      ]
      for (const attempt of attempts) await expect(attempt()).rejects.toMatchObject({ failure: 'refused' })
      for (const board of [good, bad]) expect(await boards().head(board)).toMatchObject({ headSeq: 0, bytes: 0 })
    })
  })

  describe('a commit whose outcome is unknown', () => {
    test('is not written twice when it did take effect', async () => {
      const board = await newBoard()
      const batchId = randomUUID()
      const first = await boards().append(batchId, [batch(board, 'a', 'b')])
      await boards().append(randomUUID(), [batch(board, 'c')])
      expect(await boards().appendAgain(batchId, [batch(board, 'a', 'b')])).toEqual(first)
      expect((await logOf(site().storage, board)).map(textOf)).toEqual(['a', 'b', 'c'])
    })

    test('is written when it did not', async () => {
      const board = await newBoard()
      const committed = await boards().appendAgain(randomUUID(), [batch(board, 'a', 'b')])
      expect(committed.get(board)).toMatchObject({ firstSeq: 1, lastSeq: 2 })
      expect((await logOf(site().storage, board)).map(textOf)).toEqual(['a', 'b'])
    })

    test('is written on the boards alone that were left out of it', async () => {
      const [has, lacks] = [await newBoard(), await newBoard()]
      const batchId = randomUUID()
      await boards().append(batchId, [batch(has, 'a')])
      const again = await boards().appendAgain(batchId, [batch(has, 'a'), batch(lacks, 'b')])
      expect(again.get(has)).toMatchObject({ firstSeq: 1, lastSeq: 1 })
      expect(again.get(lacks)).toMatchObject({ firstSeq: 1, lastSeq: 1 })
      expect((await logOf(site().storage, has)).map(textOf)).toEqual(['a'])
      expect((await logOf(site().storage, lacks)).map(textOf)).toEqual(['b'])
    })
  })
}
