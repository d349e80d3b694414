/** The rules of boards' lives and of kept answers that hold on every database. */

import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { BoardId } from '../../core/contract/board-id.ts'
import { BoardDirectory } from '../../core/store/board-directory.ts'
import type { Sql } from '../../core/store/database.ts'
import type { KeyedRequest } from '../../core/store/kept-answers.ts'
import { newChange } from './outbox-cases.ts'
import { batch, freshBoard, logOf, type Site, textOf } from './site.ts'

export function directoryCases(site: () => Site): void {
  const directory = () => site().storage.directory
  const within = <T>(work: (sql: Sql) => Promise<T>) => site().database.transaction(work)
  const deletedAgo = (board: BoardId, time: string) =>
    site().database.query('UPDATE boardsync.boards SET deleted_at = now() - $2::interval WHERE id = $1', [board, time])

  /** A directory that tells of each statement before it asks it. */
  function stepwise(before: (text: string) => Promise<void>): BoardDirectory {
    const { database } = site()
    return new BoardDirectory({
      async query<R>(text: string, parameters?: readonly unknown[]) {
        await before(text)
        return database.query<R>(text, parameters)
      },
      transaction: (...given) => database.transaction(...given),
      close: () => database.close(),
    })
  }

  async function drawnBoard(): Promise<BoardId> {
    const { boards, archive, changes } = site().storage
    const board = freshBoard()
    const { epoch } = await boards.create(board)
    await boards.append(randomUUID(), [batch(board, 'a', 'b')])
    await archive.save(board, epoch, 2, Uint8Array.of(0, 0), 7)
    await archive.pack(board)
    await boards.append(randomUUID(), [batch(board, 'c')])
    await changes.submit(newChange(board, 'waits'), false)
    return board
  }

  async function rowsOf(board: BoardId): Promise<string[]> {
    const tables = await site().database.query<{ name: string }>(
      `SELECT table_name AS name FROM information_schema.columns
       WHERE table_schema = 'boardsync' AND column_name = 'board_id' ORDER BY table_name`,
    )
    const found: string[] = []
    for (const { name } of tables) {
      const rows = await site().database.query(`SELECT 1 FROM boardsync.${name} WHERE board_id = $1`, [board])
      if (rows.length > 0) found.push(name)
    }
    return found
  }

  describe('a deleted board', () => {
    test('is restored with its log for 30 days, and not a moment longer', async () => {
      const [soon, late] = [await drawnBoard(), await drawnBoard()]
      for (const board of [soon, late]) expect(await within(sql => directory().remove(sql, board))).toBeDefined()
      expect(await within(sql => directory().remove(sql, soon))).toBeUndefined()
      expect(await directory().find(soon)).toBeUndefined()
      await deletedAgo(soon, '29 days 23 hours')
      await deletedAgo(late, '30 days 1 minute')
      expect(await within(sql => directory().restore(sql, soon))).toMatchObject({ id: soon, headSeq: 3, itemCount: 7 })
      expect(await within(sql => directory().restore(sql, late))).toBeUndefined()
      expect((await logOf(site().storage, soon)).map(textOf)).toEqual(['c'])
    })

    test('is purged after 30 days with everything of it, and its id is free', async () => {
      await directory().purge() // what other tests left
      const [gone, kept, alive] = [await drawnBoard(), await drawnBoard(), await drawnBoard()]
      for (const board of [gone, kept]) await within(sql => directory().remove(sql, board))
      await deletedAgo(gone, '31 days')
      await deletedAgo(kept, '29 days')
      await site().database.query(
        `INSERT INTO boardsync.item_changes (public_id, board_id, change, actor, request_hash)
         SELECT gen_random_uuid(), $1, n::text, 'agent:bot', '' FROM generate_series(1, 250) AS n`,
        [gone],
      )
      const before = await rowsOf(alive)
      expect(before).toEqual(expect.arrayContaining(['board_history', 'board_updates', 'canvas_snapshots']))
      expect(await within(sql => directory().create(sql, gone, 'again'))).toBeUndefined()
      expect(await directory().purge()).toBe(1)
      expect(await rowsOf(gone)).toEqual([])
      for (const board of [kept, alive]) expect(await rowsOf(board)).toEqual(before)
      expect(await within(sql => directory().create(sql, gone, 'again'))).toMatchObject({ headSeq: 0, title: 'again' })
      expect(await directory().purge()).toBe(0)
    })

    test.each([
      ['anything of it', 'DELETE'],
      ['itself', 'DELETE FROM boardsync.boards'],
    ])('whose id is another board’s before %s is purged leaves that board alone', async (_what, step) => {
      await directory().purge()
      const board = await drawnBoard()
      await within(sql => directory().remove(sql, board))
      await deletedAgo(board, '31 days')
      let isAnother = false
      const late = stepwise(async text => {
        if (isAnother || !text.startsWith(step)) return
        isAnother = true
        expect(await directory().purge()).toBe(1)
        await within(sql => directory().create(sql, board, 'another'))
        await site().storage.boards.append(randomUUID(), [batch(board, 'new')])
      })
      expect(await late.purge()).toBe(0)
      expect(isAnother).toBe(true)
      expect(await directory().find(board)).toMatchObject({ title: 'another' })
      expect((await logOf(site().storage, board)).map(textOf)).toEqual(['new'])
    })

    test('is purged no further once that is to end, and the rest of it another time', async () => {
      await directory().purge()
      const board = await drawnBoard()
      await within(sql => directory().remove(sql, board))
      await deletedAgo(board, '31 days')
      const ending = new AbortController()
      let steps = 0
      const purging = stepwise(async text => {
        if (!text.startsWith('DELETE')) return
        steps += 1
        ending.abort()
      })
      expect(await purging.purge(ending.signal)).toBe(0)
      expect(steps).toBe(1)
      expect(await directory().purge()).toBe(1)
      expect(await rowsOf(board)).toEqual([])
    })

    test('takes no edit, and an edit before it is there when it comes back', async () => {
      const board = await drawnBoard()
      await within(sql => directory().remove(sql, board))
      const { boards, changes } = site().storage
      expect((await boards.append(randomUUID(), [batch(board, 'late')])).size).toBe(0)
      expect((await boards.appendWaiting(randomUUID(), batch(board, 'late'))).size).toBe(0)
      expect(await changes.submit(newChange(board, 'late'), true)).toBeUndefined()
      await within(sql => directory().restore(sql, board))
      expect((await logOf(site().storage, board)).map(textOf)).toEqual(['c'])
      expect((await boards.append(randomUUID(), [batch(board, 'd')])).size).toBe(1)
    })
  })

  test('the list goes on behind an id, among those asked for', async () => {
    const ids = Array.from({ length: 4 }, () => freshBoard()).sort()
    for (const id of ids) await within(sql => directory().create(sql, id, undefined))
    const list = async (after: string, limit: number) => (await directory().list(after, limit, ids)).map(({ id }) => id)
    expect(await list('', 10)).toEqual(ids)
    expect(await list(ids[1] ?? '', 1)).toEqual([ids[2]])
    expect((await directory().list('', 1_000, undefined)).map(({ id }) => id)).toEqual(expect.arrayContaining(ids))
  })

  test('a board changes when it is edited or renamed, not when it is snapshotted or read', async () => {
    const board = await drawnBoard()
    const changed = async () => {
      await site().database.query(`UPDATE boardsync.boards SET changed_at = 'epoch' WHERE id = $1`, [board])
      return async () => ((await directory().find(board))?.changedAt.getTime() ?? 0) > 0
    }
    const { boards, archive } = site().storage
    let hasChanged = await changed()
    const epoch = (await boards.head(board))?.epoch ?? 0
    await archive.save(board, epoch, 3, Uint8Array.of(0, 0), 9)
    expect([await hasChanged(), (await directory().find(board))?.itemCount]).toEqual([false, 9])
    await boards.append(randomUUID(), [batch(board, 'd')])
    expect(await hasChanged()).toBe(true)
    hasChanged = await changed()
    await within(sql => directory().rename(sql, board, 'x'))
    expect(await hasChanged()).toBe(true)
  })

  describe('a kept answer', () => {
    const request = (given: Partial<KeyedRequest> = {}): KeyedRequest => ({
      scope: '',
      subject: randomUUID(),
      key: 'key',
      hash: 'hash',
      ...given,
    })
    const once = (keyed: KeyedRequest | undefined, work: (sql: Sql) => Promise<string>) =>
      site().storage.answers.once(keyed, work, answer => answer)

    test('stands for work that is done once, also when requests come together', async () => {
      const keyed = request()
      let done = 0
      const work = async () => `answer ${++done}`
      const outcomes = await Promise.all([1, 2, 3].map(() => once(keyed, work)))
      expect(outcomes.map(({ kind }) => kind).sort()).toEqual(['done', 'repeated', 'repeated'])
      expect(await once(keyed, work)).toEqual({ kind: 'repeated', answer: 'answer 1' })
      expect(done).toBe(1)
    })

    test('is kept with the work, or not at all', async () => {
      const [keyed, board] = [request(), freshBoard()]
      const failing = once(keyed, async sql => {
        await directory().create(sql, board, undefined)
        throw new Error('too late')
      })
      await expect(failing).rejects.toThrow('too late')
      expect(await directory().find(board)).toBeUndefined()
      expect(await once(keyed, async () => 'now')).toEqual({ kind: 'done', result: 'now' })
    })

    test('belongs to one scope and subject, tells another request, and lasts a day', async () => {
      const keyed = request()
      const work = async () => 'answer'
      await once(keyed, work)
      expect(await once({ ...keyed, hash: 'other' }, work)).toEqual({ kind: 'reused' })
      for (const other of [{ scope: 'b' }, { subject: randomUUID() }, { key: 'k2' }]) {
        expect((await once({ ...keyed, ...other }, work)).kind).toBe('done')
      }
      const age = (hours: number) =>
        site().database.query(
          `UPDATE boardsync.kept_answers SET created_at = now() - $2 * interval '1 hour' WHERE subject = $1`,
          [keyed.subject, hours],
        )
      await age(23)
      await site().storage.answers.forgetOld()
      expect((await once(keyed, work)).kind).toBe('repeated')
      await age(25)
      expect((await once({ ...keyed, hash: 'other' }, work)).kind).toBe('done')
      await age(25)
      await site().storage.answers.forgetOld()
      expect(
        await site().database.query('SELECT 1 FROM boardsync.kept_answers WHERE subject = $1', [keyed.subject]),
      ).toEqual([])
    })

    test('is kept for nobody who sent no key', async () => {
      expect(await once(undefined, async () => 'a')).toEqual({ kind: 'done', result: 'a' })
      expect(await once(undefined, async () => 'b')).toEqual({ kind: 'done', result: 'b' })
    })
  })
}
