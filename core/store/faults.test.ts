/** A Postgres that is slow, silent, full up or gone: every operation ends, and all is well when it is back. */

import { randomUUID } from 'node:crypto'
import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { startPostgres } from '../../test/kit/postgres.ts'
import { releasing } from '../../test/kit/releasing.ts'
import { until } from '../../test/kit/until.ts'
import { type FaultySite, failureOf, faultySite } from '../../test/storage/faulty-site.ts'
import { decide, newChange } from '../../test/storage/outbox-cases.ts'
import { batch } from '../../test/storage/site.ts'
import type { BoardId } from '../contract/board-id.ts'
import type { Storage } from './storage.ts'

const use = releasing(afterAll)
const useHere = releasing()
let site: FaultySite

beforeAll(async () => {
  site = use(await faultySite())
})

afterEach(() => {
  site.proxy.watch(undefined)
  site.proxy.resume()
})

const operations: [name: string, run: (storage: Storage, at: { board: BoardId; epoch: number }) => Promise<unknown>][] =
  [
    ['create', ({ boards }, { board }) => boards.create(board)],
    ['head', ({ boards }, { board }) => boards.head(board)],
    ['append', ({ boards }, { board }) => boards.append(randomUUID(), [batch(board, 'x')])],
    ['appendWaiting', ({ boards }, { board }) => boards.appendWaiting(randomUUID(), batch(board, 'x'))],
    ['appendAgain', ({ boards }, { board }) => boards.appendAgain(randomUUID(), [batch(board, 'x')])],
    ['read', ({ archive }, { board }) => archive.read(board, 0)],
    ['save', ({ archive }, { board, epoch }) => archive.save(board, epoch, 1, Uint8Array.of(0, 0))],
    ['pack', ({ archive }, { board }) => archive.pack(board)],
    ['submit', ({ changes }, { board }) => changes.submit(newChange(board, 'x'), true)],
    ['find', ({ changes }, { board }) => changes.find(board, randomUUID())],
    ['boardsWithPending', ({ changes }) => changes.boardsWithPending()],
    [
      'drain',
      ({ changes }, { board, epoch }) =>
        changes.drain(board, { epoch, seq: 1 }, randomUUID(), pending => pending.map(decide)),
    ],
    ['ping', storage => storage.ping()],
  ]

describe.each([
  ['falls silent', () => site.proxy.stall()],
  ['is cut off', () => site.proxy.refuse()],
])('a server that %s', (_name, strike) => {
  test('fails every operation as unavailable in bounded time, and serves them all when it is back', async () => {
    const at = await site.boardOf('a')
    const storage = site.open(undefined, { queryTimeoutMs: 500 })
    await until(() => Promise.all(Array.from({ length: 10 }, () => storage.ping())))
    strike()
    // In bounded time: else the test has no end.
    const outcomes = await Promise.all(operations.map(async ([name, run]) => [name, await failureOf(run(storage, at))]))
    expect(Object.fromEntries(outcomes)).toEqual(Object.fromEntries(operations.map(([name]) => [name, 'unavailable'])))
    site.proxy.resume()
    for (const [, run] of operations) await until(() => run(storage, at).then(() => true))
  })
})

describe('a slow server', () => {
  test('serves every operation', async () => {
    const at = await site.boardOf('a')
    const storage = site.open()
    site.proxy.delay(30)
    for (const [, run] of operations) await run(storage, at)
  })
})

describe('a server whose connections others have taken', () => {
  test('is unavailable, and serves again when they let go', async () => {
    const own = use(await startPostgres({ fsync: false, settings: { max_connections: '6' } }))
    const others: Client[] = []
    const release = () => Promise.all(others.splice(0).map(client => client.end()))
    useHere({ stop: release })
    for (;;) {
      const client = new Client({ connectionString: own.url })
      const taken = await client.connect().then(
        () => true,
        () => false,
      )
      if (!taken) break
      others.push(client)
    }
    const storage = site.open(own.url)
    const refused = await storage.ping().catch((error: unknown) => error)
    expect(refused).toMatchObject({ failure: 'unavailable', cause: { code: '53300' } })
    await release()
    await until(() => storage.ping().then(() => true))
  })
})

describe('a server that crashes in the middle of commits', () => {
  test('has every edit once when it is back', async () => {
    const { board } = await site.boardOf()
    const storage = site.open(site.postgres.url)
    const texts = Array.from({ length: 40 }, (_, index) => `edit ${index}`)
    let crashed: Promise<void> | undefined
    for (const [index, text] of texts.entries()) {
      const batchId = randomUUID()
      const appended = failureOf(storage.boards.append(batchId, [batch(board, text)]))
      if (index === 20) crashed = site.postgres.halt('immediate').then(() => site.postgres.start())
      if ((await appended) !== 'it did not fail') {
        await until(() => storage.boards.appendAgain(batchId, [batch(board, text)]))
      }
    }
    await crashed
    expect(await until(() => site.textsOf(board))).toEqual(texts)
  })
})
