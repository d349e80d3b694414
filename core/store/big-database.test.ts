/** What a statement reads does not grow with what others have stored, also where Postgres never counted it, or long ago. */
import { randomBytes, randomUUID } from 'node:crypto'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Postgres, startPostgres } from '../../test/kit/postgres.ts'
import { releasing } from '../../test/kit/releasing.ts'
import { until } from '../../test/kit/until.ts'
import { entry, silent } from '../../test/storage/site.ts'
import { emptyUpdate } from '../base/empty-update.ts'
import { Secret } from '../base/secret.ts'
import { parseBoardId } from '../contract/board-id.ts'
import type { Database } from './database.ts'
import { packRows } from './history-codec.ts'
import { migratePostgres } from './migrate.ts'
import { connectPostgres } from './postgres.ts'
import { type Storage, storageOn } from './storage.ts'

const use = releasing(afterAll)
const busy = parseBoardId('busy')
const packs = 10_000
/** Of a table: hundreds of rows, where it has thousands. */
const few = 500
let postgres: Postgres
let client: pg.Client

beforeAll(async () => {
  postgres = use(await startPostgres({ fsync: false, settings: { autovacuum: 'off' } }))
  await migratePostgres(new Secret(postgres.url), silent)
  client = use(new pg.Client(postgres.url), given => given.end())
  await client.connect()
  const seqs = Array.from({ length: 10 }, (_, index) => packs * 10 - 9 + index)
  const newest = await packRows(seqs.map(seq => ({ ...entry('a'), seq, at: new Date() })))
  await withDatabase(async database => {
    for (const sql of filledSql) await database.query(sql)
    await database.query('UPDATE boardsync.board_history SET data = $2 WHERE board_id = $1 AND from_seq = $3', [
      busy,
      newest,
      seqs[0],
    ])
  })
}, 120_000)

/** Resolves when all that was read is counted: a session tells it when it ends, at the latest. */
async function withDatabase(work: (database: Database) => Promise<unknown>): Promise<void> {
  const database = connectPostgres(new Secret(postgres.url), silent, { connections: 1 })
  try {
    await work(database)
  } finally {
    await database.close()
  }
  const sessions = `SELECT FROM pg_stat_activity WHERE application_name = 'boardsync'`
  await until(async () => (await client.query(sessions)).rowCount === 0)
}

/** @returns how many rows of each table were read */
async function readBy(work: (storage: Storage) => Promise<unknown>): Promise<Record<string, number>> {
  const before = await counted()
  await withDatabase(database => work(storageOn(database, 30, silent)))
  const after = await counted()
  return Object.fromEntries(Object.entries(after).map(([table, rows]) => [table, rows - (before[table] ?? 0)]))
}

async function counted(): Promise<Record<string, number>> {
  const sql = `SELECT relname, (seq_tup_read + coalesce(idx_tup_fetch, 0))::int AS rows FROM pg_stat_user_tables`
  const { rows } = await client.query<{ relname: string; rows: number }>(sql)
  return Object.fromEntries(rows.map(({ relname, rows }) => [relname, rows]))
}

test('a page of the list of boards is found by its place in it', async () => {
  const read = await readBy(async ({ directory }) => {
    expect(await directory.list('other-2', 101, undefined)).toHaveLength(101)
    expect(await directory.list('', 101, [busy, parseBoardId('other-7')])).toHaveLength(2)
  })
  expect(read.boards).toBeLessThan(few)
})

test('the keys of a board are found among those of all', async () => {
  const read = await readBy(async ({ keys }) => {
    expect(await keys.list({ board: parseBoardId('other-7') }, 101)).toHaveLength(1)
  })
  expect(read.api_keys).toBeLessThan(few)
})

test('to look for changes that wait is to look at their boards', async () => {
  const read = await readBy(async ({ changes }) => {
    expect(await changes.boardsWithPending()).toEqual(['other-7'])
  })
  expect(read.boards).toBeLessThan(few)
  expect(read.item_changes).toBeLessThan(few)
})

test('who was away for a moment has no older history read', async () => {
  const read = await readBy(async ({ past }) => {
    expect(await past.since(busy, packs * 10 - 5, false)).toMatchObject({ rows: { length: 5 } })
  })
  expect(read.board_history).toBeLessThan(few)
})

test('a log that is shortened has no more of its history read than what may be old', async () => {
  const read = await readBy(async ({ boards, archive }) => {
    const { epoch } = await boards.create(busy)
    await boards.append(randomUUID(), [{ board: busy, entries: [entry('a')] }])
    await archive.save(busy, epoch, packs * 10 + 1, emptyUpdate)
    await archive.pack(busy)
  })
  expect(read.board_history).toBeLessThan(few)
})

test('old history is looked at once, however much of it stays', async () => {
  const read = await readBy(({ past }) => past.forgetOld())
  const removed = `SELECT n_tup_del::int AS rows FROM pg_stat_user_tables WHERE relname = 'board_history'`
  expect((await client.query(removed)).rows).toEqual([{ rows: 600 }])
  // Of 6,000 that are old. To look at one and to remove it are two.
  expect(read.board_history).toBeLessThan(12_000 + few)
})

test('tickets and sessions that expired are cleared away by tens, though there were none when they were counted', async () => {
  const basis = {
    subject: 'human:ann',
    authenticated: true,
    name: undefined,
    key: undefined,
    issuer: 'i',
    endsAt: undefined,
  }
  const read = await readBy(({ answers, tickets, sessions }) =>
    answers.once(
      undefined,
      async sql => {
        const ticket = { ...basis, board: busy, role: 'write' as const, origin: undefined }
        await tickets.create(sql, { ...ticket, hash: randomBytes(32) })
        await sessions.create(sql, randomBytes(32), { ...basis, rights: new Map() })
      },
      () => '',
    ),
  )
  expect(read.tickets).toBeLessThan(few)
  expect(read.sessions).toBeLessThan(few)
})

test('a board is purged without a look at what others have', async () => {
  const read = await readBy(async ({ directory }) => {
    expect(await directory.purge()).toBe(1)
  })
  expect(Object.entries(read).filter(([, rows]) => rows >= few)).toEqual([])
})

const expiredSql = (table: string, columns: string, values: string) => `
  INSERT INTO boardsync.${table} (hash, subject, authenticated, issuer, expires_at, ${columns})
  SELECT sha256(other::text::bytea), 'human:ann', true, 'i', now() - interval '2 days', ${values} FROM others`

/** Without the look at a board for each row. */
const filledSql = `
  SET session_replication_role = replica;
  CREATE TEMPORARY TABLE others AS SELECT other FROM generate_series(1, 3000) AS other;
  INSERT INTO boardsync.tickets (hash, board_id, role, subject, authenticated, issuer, expires_at)
    VALUES ('', 'other-1', 'read', 'human:ann', true, 'i', now());
  INSERT INTO boardsync.sessions (hash, rights, subject, authenticated, issuer, expires_at)
    VALUES ('', '[]', 'human:ann', true, 'i', now());
  DELETE FROM boardsync.tickets;
  DELETE FROM boardsync.sessions;
  ANALYZE boardsync.tickets, boardsync.sessions;
  ${expiredSql('tickets', 'board_id, role', `'other-' || other, 'write'`)};
  ${expiredSql('sessions', 'rights', `'[]'`)};
  INSERT INTO boardsync.boards (id, deleted_at)
    SELECT 'other-' || other, CASE other WHEN 1 THEN now() - interval '31 days' END FROM others;
  INSERT INTO boardsync.boards (id, head_seq, snapshot_seq) VALUES ('${busy}', ${packs * 10}, ${packs * 10});
  INSERT INTO boardsync.api_keys (id, key_hash, board_id, role, created_by)
    SELECT gen_random_uuid(), sha256(other::text::bytea), 'other-' || other, 'write', 'human:ann' FROM others;
  INSERT INTO boardsync.item_changes (public_id, board_id, change, actor, request_hash, status)
    SELECT gen_random_uuid(), 'other-' || other, '{}', 'agent:bot', '', CASE WHEN other = 7 AND part = 1 THEN 'pending' ELSE 'applied' END
    FROM others, generate_series(1, 10) AS part;
  -- Half of them have old history; a fifth of that is more than has to be kept, but for its newer half.
  INSERT INTO boardsync.canvas_snapshots (board_id, seq, state, checksum)
    SELECT 'other-' || other, seq, '', '' FROM others, unnest(ARRAY[CASE WHEN other % 5 = 0 THEN 20 ELSE 0 END, 100]) AS seq;
  INSERT INTO boardsync.board_history (board_id, from_seq, to_seq, data, created_at)
    SELECT 'other-' || other, 10 * part - 9, 10 * part, '', now() - other % 2 * interval '40 days' - (other + 10 * (10 - part)) * interval '1 second'
    FROM others, generate_series(1, 4) AS part;
  INSERT INTO boardsync.board_history (board_id, from_seq, to_seq, data)
    SELECT '${busy}', 10 * part - 9, 10 * part, '' FROM generate_series(1, ${packs}) AS part;
  SET session_replication_role = origin`.split(';\n')
