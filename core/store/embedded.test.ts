import { PGlite } from '@electric-sql/pglite'
import { describe, expect, test } from 'vitest'
import { releasing } from '../../test/kit/releasing.ts'
import { temporaryFolder } from '../../test/kit/temporary-folder.ts'
import { until } from '../../test/kit/until.ts'
import { silent } from '../../test/storage/site.ts'
import { StorageError } from '../base/errors.ts'
import { lockDataDirectory } from './data-directory-lock.ts'
import { openEmbedded } from './embedded.ts'

const use = releasing()

/** What PGlite 0.5.16 does when Postgres cannot write its log: that query fails, and no other is ever answered. */
const panic = Object.assign(new Error('could not write to file "pg_wal/xlogtemp.42": No space left on device'), {
  code: '53100',
  severity: 'PANIC',
})
/** As the same on a full disk where only a table cannot grow. */
const noRoom = Object.assign(new Error('could not extend file "base/5/1": No space left on device'), {
  code: '53100',
  severity: 'ERROR',
})

/** A database whose statements with a label in them go wrong, and whose disk the test fills. */
async function site() {
  const disk = { full: false, opened: 0 }
  const open = async (dataDir: string) => {
    if (disk.full) throw new Error('PGlite failed to initialize properly')
    disk.opened++
    const database = await PGlite.create({ dataDir })
    let dead = false
    const faulty = <T extends Pick<PGlite, 'query'>>(queryable: T): T => {
      const query = queryable.query.bind(queryable)
      queryable.query = (async (text: string, parameters?: unknown[]) => {
        if (dead) return new Promise(() => {})
        if (text.includes('no room')) throw noRoom
        if (/panic|abort/.test(text)) {
          disk.full = true
          dead = true
          throw text.includes('abort') ? Object.assign(new Error('unreachable'), { name: 'RuntimeError' }) : panic
        }
        return query(text, parameters)
      }) as PGlite['query']
      return queryable
    }
    const transaction = database.transaction.bind(database)
    database.transaction = (work => transaction(given => work(faulty(given)))) as PGlite['transaction']
    return faulty(database)
  }
  const folder = use(temporaryFolder())
  const database = use(await openEmbedded(folder.path, silent, { open }), given => given.close())
  await database.exec('CREATE TABLE kept (note text)')
  const notes = async () => (await database.query<{ note: string }>('SELECT note FROM kept')).map(row => row.note)
  return { database, disk, notes, folder: folder.path }
}

const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => 'it did not fail',
    (error: unknown) => (error instanceof StorageError ? error.failure : error),
  )

describe('the embedded database on a full disk', () => {
  test('is unavailable while a table cannot grow, and stays open', async () => {
    const { database, disk, notes } = await site()
    expect(await failureOf(database.query('SELECT /* no room */ 1'))).toBe('unavailable')
    expect(await failureOf(database.transaction(sql => sql.query('SELECT /* no room */ 1')))).toBe('unavailable')
    await database.query(`INSERT INTO kept VALUES ('a')`)
    expect([await notes(), disk.opened]).toEqual([['a'], 1])
  })

  test.each([
    ['panics', 'SELECT /* panic */ 1'],
    ['aborts', 'SELECT /* abort */ 1'],
  ])('that %s fails whatever was asked of it, at once, and is there again when there is room', async (_name, fatal) => {
    const { database, disk, notes } = await site()
    await database.query(`INSERT INTO kept VALUES ('before')`)
    const lost = database.transaction(async sql => {
      await sql.query(`INSERT INTO kept VALUES ('not committed')`)
      await sql.query(fatal)
    })
    const behind = [
      failureOf(database.query('SELECT 1')),
      failureOf(database.transaction(sql => sql.query('SELECT 1'))),
    ]
    expect(await failureOf(lost)).toBe('unavailable')
    expect(await Promise.all(behind)).toEqual(['unavailable', 'unavailable'])
    expect(await failureOf(database.query('SELECT 1'))).toBe('unavailable')
    disk.full = false
    await until(() => database.query('SELECT 1'))
    expect([await notes(), disk.opened]).toEqual([['before'], 2])
  })

  test('can be closed, and its folder is free again', async () => {
    const { database, folder } = await site()
    expect(await failureOf(database.query('SELECT /* panic */ 1'))).toBe('unavailable')
    await database.close()
    await (await lockDataDirectory(folder))()
  })
})

describe('a transaction of the embedded database', () => {
  test('is rolled back when its work throws, which is no fault of the database', async () => {
    const { database, disk, notes } = await site()
    const failing = database.transaction(async sql => {
      await sql.query(`INSERT INTO kept VALUES ('not committed')`)
      throw new Error('the work failed')
    })
    await expect(failing).rejects.toThrow('the work failed')
    expect([await notes(), disk.opened]).toEqual([[], 1])
  })
})
