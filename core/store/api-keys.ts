/** API keys at rest: their hash, what they allow, and whether they still do. */
import { timingSafeEqual } from 'node:crypto'
import type { BoardId } from '../contract/board-id.ts'
import type { Role } from '../contract/role.ts'
import type { Database, Sql } from './database.ts'

export interface ApiKey {
  id: string
  /** Undefined: every board. */
  board: BoardId | undefined
  role: Role
  createdAt: Date
  expiresAt: Date | undefined
  lastUsedAt: Date | undefined
}

/** A key to be. Its board exists: its row is referred to. */
export interface NewApiKey extends Pick<ApiKey, 'id' | 'board' | 'role' | 'expiresAt'> {
  hash: Uint8Array
  /** The subject that makes it. */
  createdBy: string
}

/** Which keys: those of a board, those for every board, or (undefined) all there are. */
export type KeyScope = { board: BoardId | undefined } | undefined

const beforeAll = '00000000-0000-0000-0000-000000000000'
const columns = 'id, board_id, role, created_at, expires_at, last_used_at'

export class ApiKeys {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** @param sql the transaction to make it in, where there is one */
  async create({ id, hash, board, role, expiresAt, createdBy }: NewApiKey, sql: Sql = this.#database): Promise<ApiKey> {
    const rows = await sql.query<KeyRow>(
      `INSERT INTO boardsync.api_keys (id, key_hash, board_id, role, expires_at, created_by)
       VALUES ($1, $2, $3, $4, $5, $6) RETURNING ${columns}`,
      [id, hash, board ?? null, role, expiresAt ?? null, createdBy],
    )
    return keyOf(rows[0] as KeyRow)
  }

  /** By id, from the one after `after`; revoked ones are left out. */
  async list(scope: KeyScope, limit: number, after?: string): Promise<ApiKey[]> {
    const rows = await this.#database.query<KeyRow>(
      `SELECT ${columns} FROM boardsync.api_keys
       WHERE revoked_at IS NULL AND id > $1 ${scope ? `AND board_id ${scope.board === undefined ? 'IS NULL' : '= $3'}` : ''}
       ORDER BY id LIMIT $2`,
      [after ?? beforeAll, limit, ...(scope?.board === undefined ? [] : [scope.board])],
    )
    return rows.map(keyOf)
  }

  /** The key of this hash, unless it is revoked or expired. */
  async find(hash: Uint8Array): Promise<ApiKey | undefined> {
    const [row] = await this.#database.query<KeyRow & { key_hash: Uint8Array }>(
      `SELECT ${columns}, key_hash FROM boardsync.api_keys
       WHERE key_hash = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())`,
      [hash],
      'find-api-key',
    )
    // The index compares hashes, whose course tells nothing about a key; this one takes the same time for any two.
    return row && timingSafeEqual(row.key_hash, hash) ? keyOf(row) : undefined
  }

  async used(id: string): Promise<void> {
    await this.#database.query('UPDATE boardsync.api_keys SET last_used_at = now() WHERE id = $1', [id])
  }

  /** @returns whether there was such a key, not yet revoked */
  async revoke(id: string, scope: KeyScope, sql: Sql = this.#database): Promise<boolean> {
    const rows = await sql.query(
      `UPDATE boardsync.api_keys SET revoked_at = now()
       WHERE id = $1 AND revoked_at IS NULL AND ($2 OR board_id IS NOT DISTINCT FROM $3) RETURNING id`,
      [id, scope === undefined, scope?.board ?? null],
    )
    return rows.length > 0
  }
}

interface KeyRow {
  id: string
  board_id: BoardId | null
  role: Role
  created_at: Date
  expires_at: Date | null
  last_used_at: Date | null
}

const keyOf = (row: KeyRow): ApiKey => ({
  id: row.id,
  board: row.board_id ?? undefined,
  role: row.role,
  createdAt: row.created_at,
  expiresAt: row.expires_at ?? undefined,
  lastUsedAt: row.last_used_at ?? undefined,
})
