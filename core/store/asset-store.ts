/** The pictures of boards, by the SHA-256 of their bytes. */
import type { BoardId } from '../contract/board-id.ts'
import type { Database, Sql } from './database.ts'

/** What is known of a picture without its bytes. */
export interface AssetHead {
  mediaType: string
  /** Bytes. */
  size: number
}

export type PutOutcome = 'kept' | 'known' | 'board-deleted' | 'board-full'

/** Nothing else bounds what somebody who may write puts on the disk. What is put at the same moment may go over it, together. */
export const boardPictureBytes = 1024 ** 3
/** A row and its looking-up cost something, too; and adding up a board's pictures stays a matter of milliseconds. */
const countsAtLeast = 16 * 1024

/** As base64 both ways: the embedded database takes and gives bytes one by one in JavaScript, 200 ms for each MiB. */
const sliceBytes = 256 * 1024

export class AssetStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /**
   * Keeps a picture, and brings the board into being where there was none. Written once: of two who bring the same bytes
   * one is told `kept`, the other `known`.
   * @param sha256 64 hex digits, of `bytes`
   * @param sql the transaction it is done in. Default: one of its own
   * @throws StorageError
   */
  put(board: BoardId, sha256: string, mediaType: string, bytes: Uint8Array, sql?: Sql): Promise<PutOutcome> {
    const within = async (sql: Sql): Promise<PutOutcome> => {
      await sql.query('INSERT INTO boardsync.boards (id) VALUES ($1) ON CONFLICT (id) DO NOTHING', [board])
      const kept = await sql.query(
        `INSERT INTO boardsync.assets (board_id, sha256, media_type, size, data)
         SELECT id, $2, $3, $4, decode($5, 'base64') FROM boardsync.boards WHERE id = $1 AND deleted_at IS NULL
           AND (SELECT coalesce(sum(greatest(size, ${countsAtLeast})), 0) FROM boardsync.assets WHERE board_id = $1)
             + greatest($4::integer, ${countsAtLeast}) <= ${boardPictureBytes}
         ON CONFLICT (board_id, sha256) DO NOTHING RETURNING size`,
        [board, Buffer.from(sha256, 'hex'), mediaType, bytes.byteLength, Buffer.from(bytes).toString('base64')],
      )
      if (kept.length > 0) return 'kept'
      const [living] = await sql.query<{ known: boolean }>(
        `SELECT EXISTS (SELECT 1 FROM boardsync.assets WHERE board_id = $1 AND sha256 = $2) AS known
         FROM boardsync.boards WHERE id = $1 AND deleted_at IS NULL`,
        [board, Buffer.from(sha256, 'hex')],
      )
      if (!living) return 'board-deleted'
      return living.known ? 'known' : 'board-full'
    }
    return sql ? within(sql) : this.#database.transaction(within)
  }

  /** @returns undefined where the board has no such picture, or is none */
  async head(board: BoardId, sha256: string): Promise<AssetHead | undefined> {
    const [row] = await this.#database.query<{ media_type: string; size: number }>(
      `SELECT media_type, size FROM boardsync.assets JOIN boardsync.boards ON boards.id = board_id
       WHERE board_id = $1 AND sha256 = $2 AND deleted_at IS NULL`,
      [board, Buffer.from(sha256, 'hex')],
      'asset-head',
    )
    return row && { mediaType: row.media_type, size: row.size }
  }

  /** How many pictures the board has. It never loses one: as many are the same ones. */
  async count(board: BoardId): Promise<number> {
    const [row] = await this.#database.query<{ pictures: number }>(
      'SELECT count(*)::int AS pictures FROM boardsync.assets WHERE board_id = $1',
      [board],
      'asset-count',
    )
    return row?.pictures ?? 0
  }

  /** The bytes in slices, each read when it is asked for: who reads slowly holds one slice in memory. */
  async *read(board: BoardId, sha256: string): AsyncGenerator<Uint8Array> {
    for (let from = 1; ; from += sliceBytes) {
      const [row] = await this.#database.query<{ slice: string }>(
        `SELECT encode(substring(data FROM $3 FOR $4), 'base64') AS slice
         FROM boardsync.assets WHERE board_id = $1 AND sha256 = $2`,
        [board, Buffer.from(sha256, 'hex'), from, sliceBytes],
        'asset-slice',
      )
      if (!row) throw new Error(`the picture ${sha256} went while it was read`)
      const slice = Buffer.from(row.slice, 'base64')
      if (slice.byteLength > 0) yield slice
      if (slice.byteLength < sliceBytes) return
    }
  }
}
