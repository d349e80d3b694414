import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { afterAll, expect, test } from 'vitest'
import { type Postgres, startPostgres } from '../../test/kit/postgres.ts'
import { releasing } from '../../test/kit/releasing.ts'
import { until } from '../../test/kit/until.ts'
import { entry, freshBoard, silent } from '../../test/storage/site.ts'
import { emptyUpdate } from '../base/empty-update.ts'
import { Secret } from '../base/secret.ts'
import { openStorage } from './storage.ts'

const use = releasing(afterAll)
const rowsEach = 200

test('shortening the log of a board reads that of no other, though Postgres never counted what its table holds', async () => {
  const postgres = use(await startPostgres({ fsync: false, settings: { autovacuum: 'off' } }))
  const storage = await openStorage(settingsOf(postgres), silent)
  const client = use(new pg.Client(postgres.url), given => given.end())
  await client.connect()
  await client.query(othersSql)
  const board = freshBoard()
  const { epoch } = await storage.boards.create(board)
  const entries = Array.from({ length: rowsEach }, () => entry('a'))
  await storage.boards.append(randomUUID(), [{ board, entries }])
  await storage.archive.save(board, epoch, rowsEach, emptyUpdate)

  await storage.archive.pack(board)
  await storage.close() // a session that stays tells much later what it read

  const counted = async () => {
    const sql = `SELECT n_tup_del::int AS deleted, seq_tup_read::int AS scanned FROM pg_stat_user_tables WHERE relname = 'board_updates'`
    return (await client.query(sql)).rows[0]
  }
  await until(async () => (await counted()).deleted > 0)
  expect(await counted()).toEqual({ deleted: rowsEach, scanned: 0 })
})

/** Enough for a plan to read all of it, where that seems cheaper. Without the look at a board for each row. */
const othersSql = `
  INSERT INTO boardsync.boards (id) SELECT 'other-' || other FROM generate_series(1, 3000) AS other;
  SET session_replication_role = replica;
  INSERT INTO boardsync.board_updates (board_id, seq, actor, data, checksum, batch_id)
  SELECT 'other-' || other, seq, 'human:ann', convert_to(repeat('a', 50), 'UTF8'), 0, gen_random_uuid()
  FROM generate_series(1, 3000) AS other, generate_series(1, ${rowsEach}) AS seq`

const settingsOf = (postgres: Postgres) => ({
  DATABASE_URL: new Secret(postgres.url),
  MIGRATION_DATABASE_URL: undefined,
  DATA_DIR: '',
  HISTORY_DAYS: 30,
})
