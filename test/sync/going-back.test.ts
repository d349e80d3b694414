/** A store that goes back behind its clients, as a point-in-time restore or a failover to a late standby does. */

import { Client } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type * as Y from 'yjs'
import { readConfig } from '../../core/base/config.ts'
import { openStorage } from '../../core/store/storage.ts'
import { startInstance } from '../kit/instance.ts'
import { type Postgres, startPostgres } from '../kit/postgres.ts'
import { releasing } from '../kit/releasing.ts'
import { Site, silent } from '../kit/site.ts'
import { connectStock } from '../kit/stock-client.ts'
import { until } from '../kit/until.ts'
import { watchedBus } from '../kit/watched-bus.ts'

const use = releasing()
let postgres: Postgres
beforeAll(async () => {
  postgres = await startPostgres()
})
afterAll(() => postgres.stop())

const shapes = (doc: Y.Doc) => doc.getMap<unknown>('tldraw')

const tables = ['board_updates', 'canvas_snapshots', 'board_history']
const backUp = ['boards', ...tables]
  .map(name => `CREATE TABLE ${name}_then AS SELECT * FROM boardsync.${name};`)
  .join('')
const restore = [
  'BEGIN;',
  ...tables.map(name => `DELETE FROM boardsync.${name}; INSERT INTO boardsync.${name} SELECT * FROM ${name}_then;`),
  'UPDATE boardsync.boards SET head_seq = old.head_seq, snapshot_seq = old.snapshot_seq, bytes = old.bytes',
  'FROM boards_then AS old WHERE old.id = boards.id;',
  'COMMIT;',
].join(' ')

async function execute(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}

test.each([
  ['with the log that the instance knew', ''],
  ['and goes on from there under another epoch', ' UPDATE boardsync.boards SET epoch = epoch + 1;'],
])(
  'a store that goes back %s is noticed: clients are sent away, come back, and push what it lacks',
  async (_, more) => {
    const DATABASE_URL = await postgres.createDatabase()
    const instance = use(await startInstance({ DATABASE_URL, LOG_LEVEL: 'fatal', SNAPSHOT_DEBOUNCE_MS: '50' }))
    const [alice, bob] = [use(connectStock(instance.wsUrl, 'board-1')), use(connectStock(instance.wsUrl, 'board-1'))]
    await Promise.all([alice.synced, bob.synced])
    shapes(alice.doc).set('shape:before', 1)
    shapes(bob.doc).set('shape:deleted-later', 1)
    await until(bob.doc, () => shapes(bob.doc).size === 2)
    await until(alice.doc, () => shapes(alice.doc).size === 2)

    await execute(DATABASE_URL, backUp)
    for (let shape = 0; shape < 20; shape++) {
      shapes(alice.doc).set(`shape:after-${shape}`, shape)
      await until(bob.doc, () => shapes(bob.doc).has(`shape:after-${shape}`))
    }
    shapes(bob.doc).delete('shape:deleted-later')
    await until(alice.doc, () => !shapes(alice.doc).has('shape:deleted-later'))
    await execute(DATABASE_URL, restore + more)

    await until(() => [alice, bob].every(client => client.codes.includes(1012)), { what: 'both to be sent away' })
    const expected = shapes(alice.doc).toJSON()
    const fresh = use(connectStock(instance.wsUrl, 'board-1'))
    await until(fresh.doc, () => shapes(fresh.doc).size === 21, { what: 'the clients to push what the store lacks' })
    expect(shapes(fresh.doc).toJSON()).toEqual(expected)

    // And it is in the store, not only in memory.
    await instance.kill('SIGKILL')
    const next = use(await startInstance({ DATABASE_URL }))
    const later = use(connectStock(next.wsUrl, 'board-1'))
    await later.synced
    expect(shapes(later.doc).toJSON()).toEqual(expected)
  },
  90_000,
)

test('a commit that lands on a seq already known shows it too, however long until the store is asked again', async () => {
  const DATABASE_URL = await postgres.createDatabase()
  const storage = use(await openStorage(readConfig({ DATABASE_URL }), silent), opened => opened.close())
  const site = use(await Site.start({ storage, compareEveryMs: 3_600_000 }))
  const [alice, bob] = [use(await site.join('board-1')), use(await site.join('board-1'))]
  shapes(alice.doc).set('shape:before', 1)
  await until(bob.doc, () => shapes(bob.doc).size === 1)
  await execute(DATABASE_URL, backUp)
  for (const shape of ['a', 'b', 'c']) {
    shapes(alice.doc).set(`shape:${shape}`, 1)
    await until(bob.doc, () => shapes(bob.doc).has(`shape:${shape}`))
  }
  await execute(DATABASE_URL, restore)

  shapes(alice.doc).set('shape:afterwards', 1)
  await until(() => [alice, bob].every(client => client.codes.includes(1012)), { what: 'both to be sent away' })
  const isWhole = (doc: Y.Doc) => shapes(doc).size === 5
  await until(bob.doc, () => isWhole(bob.doc), { what: 'everything to be pushed again' })
  await until(async () => isWhole(await site.logged('board-1')), { what: 'the log to have everything' })
}, 120_000)

test('a standby that lost rows and has others in their place is noticed by who only listens, too', async () => {
  const server = use(await startPostgres())
  const DATABASE_URL = await server.createDatabase()
  const bus = watchedBus()
  const settings = { SNAPSHOT_DEBOUNCE_MS: '3600000', SNAPSHOT_MAX_WAIT_MS: '3600000' }
  const instance = async () => {
    const storage = use(await openStorage(readConfig({ DATABASE_URL }), silent), opened => opened.close())
    return use(await Site.start({ storage, bus, settings, compareEveryMs: 3_600_000 }))
  }
  const [one, other] = [await instance(), await instance()]
  const [alice, bob] = [use(await one.join('board-1')), use(await other.join('board-1'))]
  shapes(alice.doc).set('before', 1)
  await until(bob.doc, () => shapes(bob.doc).size === 1)
  await execute(DATABASE_URL, backUp)
  for (const shape of ['a', 'b', 'c']) {
    shapes(alice.doc).set(shape, 1)
    await until(bob.doc, () => shapes(bob.doc).has(shape))
  }
  await server.halt('fast')
  await server.promote()
  await execute(DATABASE_URL, restore)

  // More than were lost: no head tells of it any more.
  const carol = use(await (await instance()).join('board-1'))
  for (const shape of ['d', 'e', 'f', 'g']) {
    const sent = bus.published.length
    shapes(carol.doc).set(shape, 1)
    await until(() => bus.published.slice(sent).some(({ channel }) => channel === 'board:board-1:sync'))
  }
  await until(() => [alice, bob].every(client => client.codes.includes(1012)), { what: 'both to be sent away' })
  const isWhole = (doc: Y.Doc) => shapes(doc).size === 8
  for (const { doc } of [alice, bob, carol])
    await until(doc, () => isWhole(doc), { what: 'everybody to have everything' })
  await until(async () => isWhole(await one.logged('board-1')), { what: 'the log to have everything' })
}, 120_000)
