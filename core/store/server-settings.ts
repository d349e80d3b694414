/** What a Postgres server has to be set to for this database and role. Under other settings it would answer, and every request would fail. */
import type { Database } from './database.ts'

/** The server turns text into the encoding of the database; SQL_ASCII keeps it as it is. */
const encodings = new Set(['UTF8', 'SQL_ASCII'])

/** Under a stricter one, statements of two instances that meet fail, where one would wait for the other. */
const isolations = new Set(['read committed', 'read uncommitted'])

/** @throws Error that says what to do, where text or times could not be stored and read, or writes that meet would fail */
export async function refuseUnfitSettings(database: Database): Promise<void> {
  const [settings] = await database.query<{ encoding: string; dates: string; isolation: string }>(
    `SELECT current_setting('server_encoding') AS encoding, current_setting('DateStyle') AS dates,
       current_setting('default_transaction_isolation') AS isolation`,
  )
  if (!settings) return
  const { encoding, dates, isolation } = settings
  if (!encodings.has(encoding)) {
    throw new Error(`its encoding is ${encoding}, which has no room for every text; create one with ENCODING 'UTF8'`)
  }
  // The order of day and month behind it does not matter: what is sent and read names the year first.
  if (!dates.startsWith('ISO')) throw unfit('datestyle', dates, 'ISO')
  if (!isolations.has(isolation)) throw unfit('default_transaction_isolation', isolation, 'read committed')
}

const unfit = (name: string, value: string, fitting: string): Error =>
  new Error(`its ${name} is "${value}"; ALTER ROLE … IN DATABASE … SET ${name} = '${fitting}' for boardsync's role`)
