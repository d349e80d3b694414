/** Which credentials came to an end before their time: what instances ask to learn that somebody's right is gone. */
import type { Database } from './database.ts'

/** By the ids of keys and the hashes of sessions (hexadecimal). */
export interface Ended {
  keys: ReadonlySet<string>
  sessions: ReadonlySet<string>
}

interface EndingsAnswer {
  ended: Ended
  /** By the database's clock, in seconds since 1970: that of a process stands still while its machine is suspended. */
  askedAt: number
}

/**
 * A row carries the time at which its transaction began, and is seen when that is committed: longer than any may take is
 * asked for again. And after a failover the clock may be behind the one that `$1` was read from.
 */
const unheard = "least(to_timestamp($1), now()) - interval '15 seconds'"

export class Endings {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /**
   * All that is to be known by now to who asked at `moment` before, and some of what was heard then.
   * @param moment the `askedAt` of that answer; 0: of all times
   */
  async since(moment: number): Promise<EndingsAnswer> {
    const rows = await this.#database.query<{ kind: string; id: string }>(
      `SELECT 'asked' AS kind, extract(epoch FROM now())::text AS id
       UNION ALL
       SELECT 'key', id::text FROM boardsync.api_keys WHERE revoked_at > ${unheard}
       UNION ALL
       SELECT 'session', encode(hash, 'hex') FROM boardsync.sessions WHERE ended_at > ${unheard}`,
      [moment],
      'endings',
    )
    const idsOf = (kind: string) => new Set(rows.filter(row => row.kind === kind).map(row => row.id))
    return {
      ended: { keys: idsOf('key'), sessions: idsOf('session') },
      askedAt: Number(rows.find(row => row.kind === 'asked')?.id),
    }
  }
}
