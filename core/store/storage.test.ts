import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { afterAll, expect, test } from 'vitest'
import { startPostgres } from '../../test/kit/postgres.ts'
import { releasing } from '../../test/kit/releasing.ts'
import { until } from '../../test/kit/until.ts'
import { batch, freshBoard, silent } from '../../test/storage/site.ts'
import { Secret } from '../base/secret.ts'
import { openStorage } from './storage.ts'

const use = releasing(afterAll)

test('a crowd that reads holds up no commit, and does not look like an outage', async () => {
  const postgres = use(await startPostgres({ fsync: false }))
  const settings = {
    DATABASE_URL: new Secret(postgres.url),
    MIGRATION_DATABASE_URL: undefined,
    DATA_DIR: '',
    HISTORY_DAYS: 30,
  }
  const storage = use(await openStorage(settings, silent), given => given.close())
  const board = freshBoard()
  await storage.boards.create(board)
  const connect = async () => {
    const client = use(new pg.Client(postgres.url), given => given.end())
    await client.connect()
    return client
  }
  const [other, onlooker] = [await connect(), await connect()]
  await other.query('BEGIN; LOCK TABLE boardsync.canvas_snapshots IN ACCESS EXCLUSIVE MODE')

  const reads = Promise.all(Array.from({ length: 7 }, () => storage.archive.read(board, 0)))
  const waiting = `SELECT FROM pg_stat_activity WHERE application_name = 'boardsync' AND wait_event_type = 'Lock'`
  await until(async () => (await onlooker.query(waiting)).rowCount === 7)
  expect((await storage.boards.append(randomUUID(), [batch(board, 'a')])).get(board)).toMatchObject({ lastSeq: 1 })
  expect((await storage.boards.appendWaiting(randomUUID(), batch(board, 'b'))).get(board)).toMatchObject({ lastSeq: 2 })
  await storage.ping()

  await other.query('COMMIT')
  expect((await reads).map(read => read?.rows.length)).toEqual(Array.from({ length: 7 }, () => 2))
})
