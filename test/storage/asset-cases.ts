/** What the store of pictures promises. */
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { BoardId } from '../../core/contract/board-id.ts'
import type { Storage } from '../../core/store/storage.ts'
import { deleteBoard, freshBoard, type Site } from './site.ts'

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

const keep = (assets: Storage['assets'], board: BoardId, bytes: Uint8Array) =>
  assets.put(board, hashOf(bytes), 'image/png', bytes)

async function readBack(assets: Storage['assets'], board: BoardId, sha256: string): Promise<Buffer> {
  const slices: Uint8Array[] = []
  for await (const slice of assets.read(board, sha256)) slices.push(slice)
  return Buffer.concat(slices)
}

export function assetCases(site: () => Site): void {
  describe('a picture', () => {
    test('reads back as it was put, of whatever size, in slices', async () => {
      const { assets } = site().storage
      const board = freshBoard()
      for (const size of [0, 1, 256 * 1024, 256 * 1024 + 1, 1_000_000]) {
        const bytes = Buffer.from(Uint8Array.from({ length: size }, (_, n) => (n * 7) % 256))
        expect(await keep(assets, board, bytes)).toBe('kept')
        expect(await assets.head(board, hashOf(bytes))).toEqual({ mediaType: 'image/png', size })
        expect((await readBack(assets, board, hashOf(bytes))).equals(bytes)).toBe(true)
      }
    })

    test('is written once, also by many at the same time', async () => {
      const { assets } = site().storage
      const board = freshBoard()
      const bytes = Buffer.alloc(5_000, 1)
      const outcomes = await Promise.all(Array.from({ length: 6 }, () => keep(assets, board, bytes)))
      expect(outcomes.sort()).toEqual(['kept', 'known', 'known', 'known', 'known', 'known'])
    })

    test('finds room on its board up to 1 GiB, small ones counting 16 KiB; what is there stays known', async () => {
      const { storage, database } = site()
      const board = freshBoard()
      const [first, second, third] = [4, 5, 6].map(n => Buffer.alloc(20_000, n)) as [Buffer, Buffer, Buffer]
      await keep(storage.assets, board, first)
      // As if they were large.
      const fill = (size: number) =>
        database.query(
          `INSERT INTO boardsync.assets (board_id, sha256, media_type, size, data) VALUES ($1, $2, 'image/png', $3, '')`,
          [board, Buffer.from(hashOf(Buffer.from(`${size}`)), 'hex'), size],
        )
      await fill(1024 ** 3 - 2 * 20_000 - 16 * 1024)
      await fill(1)
      expect(await keep(storage.assets, board, second)).toBe('kept')
      expect(await keep(storage.assets, board, third)).toBe('board-full')
      expect(await keep(storage.assets, board, Buffer.alloc(1))).toBe('board-full')
      expect(await keep(storage.assets, board, first)).toBe('known')
      expect(await keep(storage.assets, freshBoard(), third)).toBe('kept')
    })

    test('cannot be had of a deleted board, nor be put there; and goes when the board is purged', async () => {
      const { storage, database } = site()
      const board = freshBoard()
      const bytes = Buffer.alloc(100, 2)
      await keep(storage.assets, board, bytes)
      await deleteBoard(database, board)
      expect(await storage.assets.head(board, hashOf(bytes))).toBeUndefined()
      expect(await keep(storage.assets, board, Buffer.alloc(100, 3))).toBe('board-deleted')
      expect(await keep(storage.assets, board, bytes)).toBe('board-deleted')
      await database.query('DELETE FROM boardsync.boards WHERE id = $1', [board])
      expect(await database.query('SELECT 1 FROM boardsync.assets WHERE board_id = $1', [board])).toEqual([])
    })
  })
}
