/** One-time tickets: made for one board, redeemed once by whoever comes first, on any instance. */
import type { BoardId } from '../contract/board-id.ts'
import type { Role } from '../contract/role.ts'
import { type Basis, type BasisRow, basisOf, livingKey } from './basis.ts'
import type { Database, Sql } from './database.ts'

const ticketSeconds = 60

/** What a ticket hands on. */
export interface Ticket extends Basis {
  board: BoardId
  role: Role
}

export interface NewTicket extends Ticket {
  hash: Uint8Array
  /** The origin of the page that asked for it: of no use to any other. */
  origin: string | undefined
}

export class Tickets {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /**
   * Clears away some that nobody redeemed.
   * @param sql the transaction to make it in
   * @returns when it expires
   */
  async create(sql: Sql, { hash, board, role, origin, ...basis }: NewTicket): Promise<Date> {
    const rows = await sql.query<{ expires_at: Date }>(
      `WITH cleared AS (
         -- By their places: a join looks for them anew beside each ticket, where Postgres thinks that there are none.
         DELETE FROM boardsync.tickets WHERE ctid = ANY (ARRAY(
           SELECT ctid FROM boardsync.tickets WHERE expires_at < now() ORDER BY expires_at LIMIT 10 FOR UPDATE SKIP LOCKED))
       )
       INSERT INTO boardsync.tickets
         (hash, board_id, role, origin, subject, authenticated, name, key_id, issuer, ends_at, expires_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10,
         least(now() + make_interval(secs => ${ticketSeconds}), $10)) RETURNING expires_at`,
      [
        hash,
        board,
        role,
        origin ?? null,
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

  /**
   * The ticket is gone after this, whatever becomes of it: one shown by another page has fallen into wrong hands.
   * @returns undefined when there is none, it has expired, is for pages of another origin, or rests on a revoked key
   */
  async redeem(hash: Uint8Array, origin: string | undefined): Promise<Ticket | undefined> {
    const [row] = await this.#database.query<BasisRow & { board_id: BoardId; role: Role; usable: boolean }>(
      `DELETE FROM boardsync.tickets WHERE hash = $1
       RETURNING *, expires_at > now() AND (origin IS NULL OR origin = $2) AND ${livingKey('tickets')} AS usable`,
      [hash, origin ?? null],
    )
    return row?.usable ? { ...basisOf(row), board: row.board_id, role: row.role } : undefined
  }
}
