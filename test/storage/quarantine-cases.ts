/** The rules of damaged bytes: they go into quarantine once, as they were found, and the board opens with everything else. */

import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import { Replica } from '../../core/doc/replica.ts'
import { BoardArchive, type StoredBoard } from '../../core/store/board-archive.ts'
import type { Database, Sql } from '../../core/store/database.ts'
import type { CorruptionKind } from '../../core/store/quarantine.ts'
import { contentIn, Drawing } from './drawing.ts'
import { freshBoard, type Site, silent } from './site.ts'

type Bytes = (data: Uint8Array) => Uint8Array

/** In a value: it still decodes. */
const flipped: Bytes = data => data.with(data.length - 2, (data.at(-2) ?? 0) ^ 1)
const cutShort: Bytes = data => data.subarray(0, -3)

export function quarantineCases(site: () => Site): void {
  const archiveOn = (database: Database) => {
    const counted: CorruptionKind[] = []
    const archive = new BoardArchive(database, silent, 30, kind => counted.push(kind))
    const load = async ({ board }: { board: Drawing['board'] }, known = 0): Promise<StoredBoard> => {
      const stored = await archive.read(board, known)
      if (!stored) throw new Error(`there is no board ${board}`)
      await archive.settled()
      return stored
    }
    return { archive, counted, load }
  }
  const inQuarantine = async ({ board }: { board: string }) => {
    const rows = await site().database.query<{ kind: string; seq: number; data: Uint8Array }>(
      'SELECT kind, seq, data FROM boardsync.quarantine WHERE board_id = $1 ORDER BY id',
      [board],
    )
    return rows.map(row => ({ ...row, data: new Uint8Array(row.data) }))
  }
  const bytesOf = async ({ board }: { board: string }, seq: number) => {
    const [row] = await site().database.query<{ data: Uint8Array }>(
      'SELECT data FROM boardsync.board_updates WHERE board_id = $1 AND seq = $2',
      [board, seq],
    )
    return row && new Uint8Array(row.data)
  }
  /** @param checksum whether the row has one: without, it is as the version before this one wrote it */
  const damageRow = async ({ board }: { board: string }, seq: number, damage: Bytes, checksum = true) => {
    const data = damage((await bytesOf({ board }, seq)) ?? new Uint8Array())
    await site().database.query(
      `UPDATE boardsync.board_updates SET data = $3, checksum = CASE WHEN $4 THEN checksum END
       WHERE board_id = $1 AND seq = $2`,
      [board, seq, data, checksum],
    )
    return data
  }
  const damageSnapshot = ({ board }: Drawing, seq: number) =>
    site().database.query(
      `UPDATE boardsync.canvas_snapshots SET state = state || '\\x00' WHERE board_id = $1 AND seq = $2`,
      [board, seq],
    )
  /** Three edits each by Ann and Bob in turn, on shapes of their own: rows 1, 3, 5 and 2, 4, 6. */
  const byTwo = async () => {
    const board = freshBoard()
    await site().storage.boards.create(board)
    const [ann, bob] = [new Y.Doc(), new Y.Doc()]
    for (const turn of [1, 2, 3]) {
      for (const [name, doc] of Object.entries({ ann, bob })) {
        const before = Y.encodeStateVector(doc)
        doc.getMap('tldraw').set(`${name} ${turn}`, turn)
        const entries = [{ actor: 'human:ann' as const, data: Y.encodeStateAsUpdate(doc, before) }]
        await site().storage.boards.append(randomUUID(), [{ board, entries }])
      }
    }
    return { board, ann, bob }
  }
  const bobsAlone = { 'bob 1': 1, 'bob 2': 2, 'bob 3': 3 }

  describe('a corrupt snapshot in quarantine', () => {
    test('was moved there as it was, and is found once', async () => {
      const drawing = await Drawing.on(site().storage)
      await drawing.edit(3)
      await drawing.snapshot()
      await drawing.edit(3)
      await drawing.snapshot()
      await damageSnapshot(drawing, 6)
      const [damaged] = await site().database.query<{ state: Uint8Array }>(
        'SELECT state FROM boardsync.canvas_snapshots WHERE board_id = $1 AND seq = 6',
        [drawing.board],
      )
      const { load, counted } = archiveOn(site().database)
      for (const _ of [1, 2]) expect(contentIn(await load(drawing))).toEqual(drawing.content)
      expect(await inQuarantine(drawing)).toEqual([
        { kind: 'snapshot', seq: 6, data: new Uint8Array(damaged?.state ?? []) },
      ])
      expect(counted).toEqual(['snapshot'])
      const left = 'SELECT seq FROM boardsync.canvas_snapshots WHERE board_id = $1'
      expect(await site().database.query(left, [drawing.board])).toEqual([{ seq: 3 }])
    })

    test('leaves the history that replaces it in place, however old', async () => {
      const drawing = await Drawing.on(site().storage)
      await drawing.edit(2)
      await drawing.snapshot()
      await damageSnapshot(drawing, 2)
      await archiveOn(site().database).load(drawing)
      await site().database.query(
        `UPDATE boardsync.board_history SET created_at = now() - interval '99 days' WHERE board_id = $1`,
        [drawing.board],
      )
      await drawing.edit(1)
      await drawing.snapshot()
      await damageSnapshot(drawing, 3)
      expect(contentIn(await archiveOn(site().database).load(drawing))).toEqual(drawing.content)
    })

    test('is none that a newer version wrote in a format of its own', async () => {
      const drawing = await Drawing.on(site().storage)
      await drawing.edit(2)
      await drawing.snapshot()
      await site().database.query(
        `UPDATE boardsync.canvas_snapshots SET state = '\\x09ff', checksum = sha256('\\x09ff') WHERE board_id = $1`,
        [drawing.board],
      )
      const { load, counted } = archiveOn(site().database)
      expect(contentIn(await load(drawing))).toEqual(drawing.content)
      expect([await inQuarantine(drawing), counted]).toEqual([[], []])
    })

    test('whose bytes only Yjs cannot read is passed over by the next load', async () => {
      const drawing = await Drawing.on(site().storage)
      await drawing.edit(2)
      const { outcome } = await site().storage.archive.save(drawing.board, drawing.epoch, 2, Uint8Array.of(1, 2, 3))
      expect(outcome).toBe('saved')
      const { archive, load } = archiveOn(site().database)
      const stored = await load(drawing)
      expect(() => new Replica(stored)).toThrow()
      await archive.settled()
      expect(contentIn(await load(drawing))).toEqual(drawing.content)
    })
  })

  describe.each([
    ['with a bit flipped', flipped, true],
    ['cut short', cutShort, true],
    ['cut short, written by the version before this one', cutShort, false],
    ['that is nothing, written by the version before this one', () => new Uint8Array(), false],
  ])('a log row %s', (_name, damage, checksum) => {
    test('keeps nothing else from the board, and is in quarantine as it was found', async () => {
      const boardOfTwo = await byTwo()
      const damaged = await damageRow(boardOfTwo, 1, damage, checksum)
      const { archive, load, counted } = archiveOn(site().database)
      const stored = await load(boardOfTwo)
      expect(stored.rows.map(row => row.seq)).toEqual([1, 2, 3, 4, 5, 6])
      const replica = new Replica(stored)
      expect(replica.known).toBe(6)
      expect(replica.doc.getMap('tldraw').toJSON()).toEqual(bobsAlone)
      await archive.settled()
      expect(await inQuarantine(boardOfTwo)).toContainEqual({ kind: 'row', seq: 1, data: damaged })
      expect(await bytesOf(boardOfTwo, 1)).toEqual(Uint8Array.of(0, 0))

      const found = counted.length
      expect(contentIn(await load(boardOfTwo))).toEqual(bobsAlone)
      await archive.settled()
      expect(counted.length).toBe(found)
    })
  })

  describe('a board with a row in quarantine', () => {
    test('keeps copies of the rows that refer to it, and these rows too', async () => {
      const boardOfTwo = await byTwo()
      const dependent = await bytesOf(boardOfTwo, 5)
      await damageRow(boardOfTwo, 3, flipped)
      const { archive, load } = archiveOn(site().database)
      expect(contentIn(await load(boardOfTwo))).toEqual({ ...bobsAlone, 'ann 1': 1 })
      await archive.settled()
      expect(await inQuarantine(boardOfTwo)).toContainEqual({ kind: 'row', seq: 5, data: dependent })
      expect(await bytesOf(boardOfTwo, 5)).toEqual(dependent)
    })

    test('is whole again when somebody who has the edits connects', async () => {
      const { board, ann } = await byTwo()
      await damageRow({ board }, 1, flipped)
      const { load } = archiveOn(site().database)
      const damaged = new Replica(await load({ board }))
      const data = Y.encodeStateAsUpdate(ann, Y.encodeStateVector(damaged.doc))
      await site().storage.boards.append(randomUUID(), [{ board, entries: [{ actor: 'human:ann', data }] }])
      expect(contentIn(await load({ board }))).toEqual({ 'ann 1': 1, 'ann 2': 2, 'ann 3': 3, ...bobsAlone })
    })

    test('is read on by a replica that had the row before it was damaged, which loses nothing', async () => {
      const { board, ann } = await byTwo()
      const { load } = archiveOn(site().database)
      const whole = new Replica(await load({ board }))
      await damageRow({ board }, 1, flipped)
      await load({ board })
      const before = Y.encodeStateVector(ann)
      ann.getMap('tldraw').set('ann 4', 4)
      const data = Y.encodeStateAsUpdate(ann, before)
      await site().storage.boards.append(randomUUID(), [{ board, entries: [{ actor: 'human:ann', data }] }])
      whole.absorb(await load({ board }, 6))
      expect(whole.doc.getMap('tldraw').toJSON()).toEqual({
        ...bobsAlone,
        'ann 1': 1,
        'ann 2': 2,
        'ann 3': 3,
        'ann 4': 4,
      })
    })

    test('is compacted, and the damaged bytes are kept although nobody read them before', async () => {
      const drawing = await Drawing.on(site().storage)
      await drawing.edit(4)
      const damaged = await damageRow(drawing, 2, flipped)
      const { archive, counted, load } = archiveOn(site().database)
      expect(await drawing.snapshot(3, { archive })).toBe('saved')
      expect(await inQuarantine(drawing)).toEqual([{ kind: 'row', seq: 2, data: damaged }])
      expect(counted).toEqual(['row'])
      // The replica that wrote the snapshot had the row: with it the board is whole.
      expect(contentIn(await load(drawing))).toEqual(drawing.content)
      await site().database.query('DELETE FROM boardsync.canvas_snapshots WHERE board_id = $1', [drawing.board])
      expect((await load(drawing)).rows.map(row => row.seq)).toEqual([1, 2, 3, 4])
    })
  })

  describe('quarantine', () => {
    test('keeps a copy of history that cannot be unpacked, once', async () => {
      const drawing = await Drawing.on(site().storage)
      await drawing.edit(2)
      await drawing.snapshot()
      await site().database.query('DELETE FROM boardsync.canvas_snapshots WHERE board_id = $1', [drawing.board])
      await site().database.query(`UPDATE boardsync.board_history SET data = substr(data, 1, 20) WHERE board_id = $1`, [
        drawing.board,
      ])
      const { archive, counted, load } = archiveOn(site().database)
      for (const _ of [1, 2]) {
        await expect(load(drawing)).rejects.toThrow('history from 1 to 2 is corrupt')
        await archive.settled()
      }
      expect(await inQuarantine(drawing)).toMatchObject([{ kind: 'history', seq: 1 }])
      expect(counted).toEqual(['history'])
    })

    test('that cannot be written keeps no board from opening', async () => {
      const boardOfTwo = await byTwo()
      const damaged = await damageRow(boardOfTwo, 1, flipped)
      const { counted, load } = archiveOn(
        through(site().database, text => {
          if (text.includes('quarantine')) throw new Error('no room')
          return undefined
        }),
      )
      expect(contentIn(await load(boardOfTwo))).toEqual(bobsAlone)
      expect(counted).toContain('row')
      expect(await bytesOf(boardOfTwo, 1)).toEqual(damaged)
    })

    test('takes nothing away that the store has otherwise than it was read', async () => {
      const boardOfTwo = await byTwo()
      const sound = await bytesOf(boardOfTwo, 1)
      const { load } = archiveOn(
        through(site().database, (text, rows) =>
          text.includes('FROM boardsync.board_updates') && text.startsWith('SELECT')
            ? rows.map(row => (row.seq === 1 ? { ...row, data: flipped(new Uint8Array(row.data as Uint8Array)) } : row))
            : rows,
        ),
      )
      await load(boardOfTwo)
      expect(await bytesOf(boardOfTwo, 1)).toEqual(sound)
    })
  })
}

/** The same database, with what comes back from it passed through `change`. */
function through(
  database: Database,
  change: (text: string, rows: Record<string, unknown>[]) => Record<string, unknown>[] | undefined,
): Database {
  const changing = (sql: Sql): Sql => ({
    query: async <R>(text: string, parameters?: readonly unknown[], name?: string) => {
      const rows = await sql.query<Record<string, unknown>>(text, parameters, name)
      return (change(text, rows) ?? rows) as R[]
    },
  })
  return {
    ...changing(database),
    transaction: (work, isolation) => database.transaction(sql => work(changing(sql)), isolation),
    close: () => database.close(),
  }
}
