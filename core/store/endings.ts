/** Which credentials came to an end before their time: what instances ask to learn that somebody's right is gone. */
import type { Database } from './database.ts'

/** By the ids of keys and the hashes of sessions (hexadecimal). */
export interface Ended {
  keys: ReadonlySet<string>
  sessions: ReadonlySet<string>
}

export class Endings {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /**
   * What was ended in the last `seconds`, by the database's clock. A row carries the time at which its transaction
   * began, and is seen when that is committed: ask for some seconds more than have passed since you last asked.
   */
  async within(seconds: number): Promise<Ended> {
    const rows = await this.#database.query<{ kind: string; id: string }>(
      `SELECT 'key' AS kind, id::text AS id FROM boardsync.api_keys WHERE revoked_at > now() - make_interval(secs => $1)
       UNION ALL
       SELECT 'session', encode(hash, 'hex') FROM boardsync.sessions WHERE ended_at > now() - make_interval(secs => $1)`,
      [seconds],
      'endings',
    )
    const idsOf = (kind: string) => new Set(rows.filter(row => row.kind === kind).map(row => row.id))
    return { keys: idsOf('key'), sessions: idsOf('session') }
  }
}
