/** Sessions of browsers: each turned from a credential, kept alive by use, ended by signing out or with that credential. */
import type { Rights, Role } from '../contract/role.ts'
import { type Basis, type BasisRow, basisOf, livingKey } from './basis.ts'
import type { Database, Sql } from './database.ts'

export const sessionSeconds = 12 * 60 * 60
/** A use moves the end only after this: not every request is a write. */
const slideAfterSeconds = 5 * 60

export interface Session extends Basis {
  rights: Rights
}

const newEnd = `least(now() + make_interval(secs => ${sessionSeconds}), ends_at)`

export class Sessions {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /**
   * Clears away some that have long ended.
   * @param sql the transaction to make it in
   * @returns when it expires unless it is used
   */
  async create(sql: Sql, hash: Uint8Array, { rights, ...basis }: Session): Promise<Date> {
    const rows = await sql.query<{ expires_at: Date }>(
      `WITH cleared AS (
         -- By their places: a join looks for them anew beside each session, where Postgres thinks that there are none.
         DELETE FROM boardsync.sessions WHERE ctid = ANY (ARRAY(
           SELECT ctid FROM boardsync.sessions WHERE expires_at < now() - interval '1 day'
           ORDER BY expires_at LIMIT 10 FOR UPDATE SKIP LOCKED))
       )
       INSERT INTO boardsync.sessions
         (hash, rights, subject, authenticated, name, key_id, issuer, ends_at, expires_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8,
         least(now() + make_interval(secs => ${sessionSeconds}), $8)) RETURNING expires_at`,
      [
        hash,
        JSON.stringify([...rights]),
        basis.subject,
        basis.authenticated,
        basis.name ?? null,
        basis.key ?? null,
        basis.issuer ?? null,
        basis.endsAt ?? null,
      ],
    )
    return (rows[0] as { expires_at: Date }).expires_at
  }

  /** Finding it is using it. */
  async find(hash: Uint8Array): Promise<Session | undefined> {
    const [row] = await this.#database.query<BasisRow & { rights: string; slides: boolean }>(
      `SELECT *, expires_at < ${newEnd} - make_interval(secs => ${slideAfterSeconds}) AS slides
       FROM boardsync.sessions
       WHERE hash = $1 AND ended_at IS NULL AND expires_at > now() AND ${livingKey('sessions')}`,
      [hash],
      'find-session',
    )
    if (!row) return undefined
    if (row.slides) await this.slide([hash])
    return { ...basisOf(row), rights: new Map(JSON.parse(row.rights) as [string, Role | null][]) }
  }

  /** Those still alive are used now. @returns when they expire unless they are used again */
  async slide(hashes: readonly Uint8Array[]): Promise<Date[]> {
    const rows = await this.#database.query<{ expires_at: Date }>(
      `UPDATE boardsync.sessions SET expires_at = ${newEnd}
       WHERE hash = ANY ($1::bytea[]) AND ended_at IS NULL AND expires_at > now() RETURNING expires_at`,
      [hashes],
    )
    return rows.map(row => row.expires_at)
  }

  /** @returns whether there was such a session, not yet ended */
  async end(hash: Uint8Array): Promise<boolean> {
    const rows = await this.#database.query(
      'UPDATE boardsync.sessions SET ended_at = now() WHERE hash = $1 AND ended_at IS NULL RETURNING 1',
      [hash],
    )
    return rows.length > 0
  }
}
