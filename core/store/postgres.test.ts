import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freePort } from '../../test/kit/free-port.ts'
import { type Postgres, startPostgres } from '../../test/kit/postgres.ts'
import { releasing } from '../../test/kit/releasing.ts'
import { until } from '../../test/kit/until.ts'
import { silent } from '../../test/storage/site.ts'
import { StorageError } from '../base/errors.ts'
import { Secret } from '../base/secret.ts'
import type { Database, Sql } from './database.ts'
import { connectPostgres } from './postgres.ts'

const use = releasing(afterAll)
let postgres: Postgres
let database: Database

const connect = (url = postgres.url, limits?: Parameters<typeof connectPostgres>[2]) =>
  use(connectPostgres(new Secret(url), silent, limits), given => given.close())
/** With a single connection: what is asked next is asked on the one that failed, if that is used again. */
const connectOnce = () => connect(postgres.url, { connections: 1 })

beforeAll(async () => {
  postgres = use(await startPostgres({ fsync: false }))
  database = connect()
  await database.query('CREATE TABLE kept (note text PRIMARY KEY)')
})

const notes = async () => (await database.query<{ note: string }>('SELECT note FROM kept')).map(({ note }) => note)
const keep = (sql: Sql, note: string) => sql.query('INSERT INTO kept VALUES ($1)', [note])

async function backendOf(sql: Sql): Promise<number> {
  const [row] = await sql.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
  return row?.pid ?? 0
}

const isGone = (pid: number) =>
  until(async () => (await database.query('SELECT FROM pg_stat_activity WHERE pid = $1', [pid])).length === 0)

const isSleeping = (pid: number) =>
  until(async () => {
    const asleep = `SELECT FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'PgSleep'`
    return (await database.query(asleep, [pid])).length === 1
  })

async function end(pid: number): Promise<void> {
  await database.query('SELECT pg_terminate_backend($1)', [pid])
  await isGone(pid)
}

/** @returns what a promise was rejected with, which has to be a failure of the storage */
async function failureOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => 'it did not fail',
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(StorageError)
  return (error as StorageError).failure
}

describe('values', () => {
  test('come as numbers, bytes and dates', async () => {
    const [row] = await database.query(
      `SELECT 9007199254740991::bigint AS seq, '\\x00ff'::bytea AS data, 'epoch'::timestamptz AS at, NULL AS nothing`,
    )
    expect(row).toEqual({ seq: 9_007_199_254_740_991, data: Buffer.from([0, 255]), at: new Date(0), nothing: null })
  })
})

describe('parameters', () => {
  const texts = ['', 'NULL', 'null', '{a,b}', `"both" \\ and 'quotes'`, 'ü 🙂', ' spaces ', null]
  const bytes = [new Uint8Array(), Uint8Array.of(0, 255, 92, 34), new Uint8Array(70_000).fill(9)]
  const same = 'SELECT $1::text[] AS texts, $2::bytea[] AS bytes, $3::float8[] AS numbers, $4::bytea[] AS few'
  const values = [texts, bytes, [1, -2.5, 1e300, null], [Uint8Array.of(1), null]]

  // The second time the columns are known; a statement without a name takes another way.
  test.each(['same', 'same', undefined])('come back as they were: %s', async name => {
    const [row] = await database.query(same, values, name)
    expect(row).toEqual({
      texts,
      bytes: bytes.map(one => Buffer.from(one)),
      numbers: [1, -2.5, 1e300, null],
      few: [Buffer.of(1), null],
    })
  })

  test('that are single, or none', async () => {
    const asked = [Uint8Array.of(0, 1), 'x', 7, 2n ** 60n, true, new Date(5), null, undefined, []]
    const [row] = await database.query(
      `SELECT $1::bytea AS data, $2::text AS text, $3::int AS int, $4::text AS big, $5::boolean AS is,
         $6::timestamptz AS at, $7::int AS nothing, $8::text AS neither, $9::bytea[] AS empty`,
      asked,
      'single',
    )
    expect(Object.values(row ?? {})).toEqual([
      Buffer.of(0, 1),
      'x',
      7,
      String(2n ** 60n),
      true,
      new Date(5),
      null,
      null,
      [],
    ])
  })

  test.each(['no-column', undefined])('that no column takes are refused before anything is sent: %s', async name => {
    await expect(database.query('SELECT $1::text', [{ an: 'object' }], name)).rejects.toThrow(TypeError)
    await expect(database.query('SELECT $1::text[]', [[() => {}]], name)).rejects.toThrow(TypeError)
  })
})

describe('a statement that is prepared', () => {
  test('and fails leaves its connection as good as before, or another in its place', async () => {
    const one = connectOnce()
    const divide = (by: number) => one.query<{ got: number }>('SELECT 6 / $1::int AS got', [by], 'divide')
    expect(await divide(2)).toEqual([{ got: 3 }])
    expect(await failureOf(divide(0))).toBe('refused')
    expect(await divide(3)).toEqual([{ got: 2 }])
  })

  test('whose columns change is answered with the new ones, and prepared with them from then on', async () => {
    const one = connectOnce()
    await one.query('CREATE TABLE changing (what int)')
    await one.query('INSERT INTO changing VALUES (1)')
    const all = () => one.query('SELECT * FROM changing', [], 'changing')
    expect(await all()).toEqual([{ what: 1 }])
    await database.query('ALTER TABLE changing ALTER what TYPE text, ADD more int DEFAULT 2')
    const prepared = () => one.query('SELECT name FROM pg_prepared_statements')
    expect(await all()).toEqual([{ what: '1', more: 2 }])
    expect(await prepared()).toEqual([])
    expect(await all()).toEqual([{ what: '1', more: 2 }])
    expect(await prepared()).toEqual([{ name: expect.stringMatching(/^changing-/) }])
  })

  test('gives many rows in their order', async () => {
    const rows = await database.query<{ n: number }>('SELECT n FROM generate_series(1, $1::int) AS n', [5_000], 'many')
    expect(rows.map(({ n }) => n)).toEqual(Array.from({ length: 5_000 }, (_, index) => index + 1))
  })
})

describe('a transaction', () => {
  test('is rolled back when its work throws, and the connection serves on', async () => {
    const one = connectOnce()
    const failing = one.transaction(async sql => {
      await keep(sql, 'of work that threw')
      throw new Error('the work failed')
    })
    await expect(failing).rejects.toThrow('the work failed')
    await one.transaction(sql => keep(sql, 'of the next'))
    expect(await notes()).toEqual(['of the next'])
  })

  test('reads one state of the store where it asks for that', async () => {
    const seen = await database.transaction(async sql => {
      const before = await sql.query('SELECT note FROM kept')
      await keep(connect(), 'while it reads')
      return [before, await sql.query('SELECT note FROM kept')]
    }, 'REPEATABLE READ')
    expect(seen[1]).toEqual(seen[0])
    expect(await notes()).toContain('while it reads')
  })
})

describe('a statement', () => {
  test.each([
    ['that is no SQL', 'SELEKT', []],
    ['that breaks a rule of the table', `INSERT INTO kept VALUES ('twice'), ('twice')`, []],
    ['with a value that no text can be', 'INSERT INTO kept VALUES ($1)', ['\0']],
  ])('%s is refused', async (_name, text, parameters) => {
    expect(await failureOf(database.query(text, parameters))).toBe('refused')
    const within = database.transaction(sql => sql.query(text, parameters))
    expect(await failureOf(within)).toBe('refused')
  })

  test('that meets a lock, a deadlock or another transaction’s change is busy', async () => {
    await keep(database, 'locked')
    const locking = `SELECT FROM kept WHERE note = 'locked' FOR UPDATE`
    const impatient = database.transaction(async holder => {
      await holder.query(locking)
      return failureOf(connect().query(`${locking} NOWAIT`))
    })
    expect(await impatient).toBe('busy')

    const late = connect().transaction(async sql => {
      await sql.query('SELECT FROM kept')
      await database.query(`UPDATE kept SET note = note WHERE note = 'locked'`)
      await sql.query(`UPDATE kept SET note = note WHERE note = 'locked'`)
    }, 'REPEATABLE READ')
    expect(await failureOf(late)).toBe('busy')
  })

  test('that the server cancels is unavailable: what became of it is unknown', async () => {
    const one = connectOnce()
    const pid = await backendOf(one)
    const sleeping = failureOf(one.query('SELECT pg_sleep(60)'))
    await isSleeping(pid)
    await database.query('SELECT pg_cancel_backend($1)', [pid])
    expect(await sleeping).toBe('unavailable')
  })
})

describe('a connection', () => {
  test('that is cut in a transaction fails it as unavailable, keeps nothing of it, and is replaced', async () => {
    const one = connectOnce()
    const cut = one.transaction(async sql => {
      await keep(sql, 'cut off')
      await end(await backendOf(sql))
      await keep(sql, 'after the cut')
    })
    expect(await failureOf(cut)).toBe('unavailable')
    expect(await notes()).not.toContain('cut off')
    await one.transaction(sql => keep(sql, 'after all'))
    expect(await notes()).toContain('after all')
  })

  test('that is cut while a statement runs fails it as unavailable', async () => {
    const one = connectOnce()
    const pid = await backendOf(one)
    const sleeping = failureOf(one.query('SELECT pg_sleep(60)'))
    await isSleeping(pid)
    await end(pid)
    expect(await sleeping).toBe('unavailable')
    expect(await backendOf(one)).not.toBe(pid)
  })

  test('that is cut before the commit was answered leaves open what became of it', async () => {
    const one = connectOnce()
    const cut = one.transaction(async sql => {
      await keep(sql, 'not committed')
      await end(await backendOf(sql))
    })
    expect(await failureOf(cut)).toBe('unavailable')
    expect(await notes()).not.toContain('not committed')
  })

  test('to a server that falls silent is given up in time, and replaced at once', async () => {
    const one = connect(postgres.url, { connections: 1, queryTimeoutMs: 3_000 })
    let pid = 0
    const silenced = one.transaction(async sql => {
      pid = await backendOf(sql)
      process.kill(pid, 'SIGSTOP')
      await keep(sql, 'unheard')
    })
    try {
      expect(await failureOf(silenced)).toBe('unavailable')
      expect(await backendOf(one)).not.toBe(pid)
    } finally {
      process.kill(pid, 'SIGCONT')
    }
    await isGone(pid)
    expect(await notes()).not.toContain('unheard')
  })

  test('that is cut while idle is replaced, and ends nothing', async () => {
    const one = connectOnce()
    const pid = await backendOf(one)
    await end(pid)
    await until(async () => (await backendOf(one)) !== pid)
  })

  test('that is lost while idle is told of in the log, by its message only', async () => {
    const told: string[] = []
    const log = pino({ level: 'warn' }, { write: line => void told.push(line) })
    const own = use(connectPostgres(new Secret(postgres.url), log, { connections: 1 }), given => given.close())
    await end(await backendOf(own))
    await until(() => told.length > 0)
    expect(told).toEqual([expect.stringContaining('lost an idle database connection')])
    expect(told.join()).not.toMatch(/secretKey|client/)
  })

  test('whose transaction idles too long is ended by the server, which is an outage and no refusal', async () => {
    const one = connectOnce()
    const idling = one.transaction(async sql => {
      await sql.query(`SET LOCAL idle_in_transaction_session_timeout = '20ms'`)
      await isGone(await backendOf(sql))
      await keep(sql, 'too late')
    })
    expect(await failureOf(idling)).toBe('unavailable')
    await one.query('SELECT 1')
  })

  test('to a server that is not there is unavailable, for a statement and for a transaction', async () => {
    const nowhere = connect(`postgres://postgres@127.0.0.1:${await freePort()}/postgres`)
    expect(await failureOf(nowhere.query('SELECT 1'))).toBe('unavailable')
    expect(await failureOf(nowhere.transaction(sql => sql.query('SELECT 1')))).toBe('unavailable')
  })

  test('comes back after the server was stopped and started', async () => {
    const own = use(await startPostgres({ fsync: false }))
    const stopped = connect(own.url)
    await Promise.all(Array.from({ length: 4 }, () => stopped.query('SELECT 1')))
    await own.halt('fast')
    expect(await failureOf(stopped.query('SELECT 1'))).toBe('unavailable')
    await own.start()
    await until(() => stopped.query('SELECT 1'))
  })
})
