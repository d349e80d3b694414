/** A Postgres that is slow, cut off, silent, full up or gone: every operation ends, and nothing is lost or done twice. */

import { randomUUID } from 'node:crypto'
import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Postgres, startPostgres } from '../../test/kit/postgres.ts'
import { type Proxy as FaultProxy, startProxy } from '../../test/kit/proxy.ts'
import { releasing } from '../../test/kit/releasing.ts'
import { until } from '../../test/kit/until.ts'
import { decide, newChange } from '../../test/storage/outbox-cases.ts'
import { batch, freshBoard, logOf, silent, textOf } from '../../test/storage/site.ts'
import { StorageError } from '../base/errors.ts'
import { Secret } from '../base/secret.ts'
import type { BoardId } from '../contract/board-id.ts'
import { migratePostgres } from './migrate.ts'
import { connectPostgres } from './postgres.ts'
import { type Storage, storageOn } from './storage.ts'

const use = releasing(afterAll)
const useHere = releasing()
/** The client's limits in these tests: for an answer, and (in postgres.ts) for a connection. */
const queryTimeoutMs = 500
const connectTimeoutMs = 3_000
const slack = 1_500

/** Not `READ COMMITTED` in the message that begins. */
const commit = 'COMMIT\0'

let postgres: Postgres
let proxy: FaultProxy
/** Straight to the server: what is true. */
let direct: Storage

beforeAll(async () => {
  postgres = use(await startPostgres({ fsync: false, settings: { max_connections: '40' } }))
  await migratePostgres(new Secret(postgres.url), silent)
  proxy = use(await startProxy({ host: '127.0.0.1', port: Number(new URL(postgres.url).port) }))
  direct = open(postgres.url)
})

afterEach(() => {
  proxy.watch(undefined)
  proxy.resume()
})

function open(url = proxy.through(postgres.url)): Storage {
  const storage = storageOn(connectPostgres(new Secret(url), silent, { queryTimeoutMs }), 30, silent)
  use(storage, given => given.close())
  return storage
}

async function boardOf(texts: string[]): Promise<{ board: BoardId; epoch: number }> {
  const board = freshBoard()
  const { epoch } = await direct.boards.create(board)
  if (texts.length > 0) await direct.boards.append(randomUUID(), [batch(board, ...texts)])
  return { board, epoch }
}

const textsOf = async (board: BoardId) => (await logOf(direct, board)).map(textOf)

const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => 'it did not fail',
    (error: unknown) => (error instanceof StorageError ? error.failure : String(error)),
  )

const operations: [name: string, run: (storage: Storage, at: { board: BoardId; epoch: number }) => Promise<unknown>][] =
  [
    ['create', ({ boards }, { board }) => boards.create(board)],
    ['head', ({ boards }, { board }) => boards.head(board)],
    ['append', ({ boards }, { board }) => boards.append(randomUUID(), [batch(board, 'x')])],
    ['appendWaiting', ({ boards }, { board }) => boards.appendWaiting(randomUUID(), batch(board, 'x'))],
    ['appendAgain', ({ boards }, { board }) => boards.appendAgain(randomUUID(), [batch(board, 'x')])],
    ['read', ({ archive }, { board }) => archive.read(board, 0)],
    ['save', ({ archive }, { board, epoch }) => archive.save(board, epoch, 1, Uint8Array.of(0, 0))],
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
  ['falls silent', () => proxy.stall()],
  ['is cut off', () => proxy.refuse()],
])('a server that %s', (_name, strike) => {
  test('fails every operation as unavailable in bounded time, and serves them all when it is back', async () => {
    const at = await boardOf(['a'])
    const storage = open()
    await Promise.all(Array.from({ length: 10 }, () => storage.ping()))
    strike()
    const began = performance.now()
    const outcomes = await Promise.all(operations.map(async ([name, run]) => [name, await failureOf(run(storage, at))]))
    expect(Object.fromEntries(outcomes)).toEqual(Object.fromEntries(operations.map(([name]) => [name, 'unavailable'])))
    expect(performance.now() - began).toBeLessThan(connectTimeoutMs + 2 * queryTimeoutMs + slack)
    proxy.resume()
    for (const [, run] of operations) await until(() => run(storage, at).then(() => true))
  })
})

describe('a slow server', () => {
  test('serves every operation', async () => {
    const at = await boardOf(['a'])
    const storage = open()
    proxy.delay(30)
    for (const [, run] of operations) await run(storage, at)
  })
})

/** Cuts before the message passes, or after what it asked for was done and before the answer passed. */
function cutAt(message: string, when: 'before' | 'after', done: () => Promise<boolean>): Promise<void> {
  return new Promise((resolve, reject) => {
    proxy.watch(bytes => {
      if (!bytes.includes(message)) return
      proxy.watch(undefined)
      if (when === 'before') {
        proxy.cut()
        resolve()
        return
      }
      setImmediate(() => proxy.stall()) // the message has passed, its answer will not
      until(done)
        .then(() => {
          proxy.cut()
          proxy.resume()
        })
        .then(resolve, reject)
    })
  })
}

const hasRow = (board: BoardId) => async () => ((await direct.boards.head(board))?.headSeq ?? 0) > 0

describe.each(['before', 'after'] as const)('a connection cut right %s', when => {
  test.each([
    [
      'append',
      'append-',
      (storage: Storage, id: string, board: BoardId) => storage.boards.append(id, [batch(board, 'a', 'b')]),
    ],
    [
      'appendWaiting',
      commit,
      (storage: Storage, id: string, board: BoardId) => storage.boards.appendWaiting(id, batch(board, 'a', 'b')),
    ],
    [
      'appendAgain',
      commit,
      (storage: Storage, id: string, board: BoardId) => storage.boards.appendAgain(id, [batch(board, 'a', 'b')]),
    ],
  ])('the commit of %s leaves its outcome open; asked again it is there once', async (_name, message, run) => {
    const { board } = await boardOf([])
    const storage = open()
    const batchId = randomUUID()
    const cut = cutAt(message, when, hasRow(board))
    expect(await failureOf(run(storage, batchId, board))).toBe('unavailable')
    await cut
    expect(await textsOf(board)).toEqual(when === 'before' ? [] : ['a', 'b'])
    const committed = await until(() => storage.boards.appendAgain(batchId, [batch(board, 'a', 'b')]))
    expect(committed.get(board)).toMatchObject({ firstSeq: 1, lastSeq: 2 })
    expect(await textsOf(board)).toEqual(['a', 'b'])
  })

  test('the commit of drain applies the change once', async () => {
    const { board, epoch } = await boardOf([])
    const storage = open()
    const change = newChange(board, 'x')
    await storage.changes.submit(change, false)
    const drain = () => storage.changes.drain(board, { epoch, seq: 0 }, randomUUID(), pending => pending.map(decide))
    const cut = cutAt(commit, when, hasRow(board))
    expect(await failureOf(drain())).toBe('unavailable')
    await cut
    const status = async () => (await direct.changes.find(board, change.publicId))?.status
    expect(await status()).toBe(when === 'before' ? 'pending' : 'applied')
    const again = await until(drain)
    expect(again.kind).toBe(when === 'before' ? 'drained' : 'behind')
    expect([await status(), (await textsOf(board)).length]).toEqual(['applied', 1])
  })

  test('the commit of a snapshot leaves a board that reads whole', async () => {
    const { board, epoch } = await boardOf(['a', 'b'])
    const storage = open()
    const save = () => storage.archive.save(board, epoch, 2, Uint8Array.of(0, 0))
    const cut = cutAt(commit, when, async () => (await direct.archive.read(board, 0))?.snapshot !== undefined)
    expect(await failureOf(save())).toBe('unavailable')
    await cut
    expect(await until(save)).toBe(when === 'before' ? 'saved' : 'older-than-stored')
    expect(await direct.archive.read(board, 0)).toMatchObject({ snapshot: { seq: 2 }, rows: [] })
  })
})

describe('a connection that is cut again and again', () => {
  test('loses no edit and doubles none', async () => {
    const { board } = await boardOf([])
    const storage = open()
    // At changing distances, so that every message of every exchange has its turn.
    let [cuts, left] = [0, 5]
    proxy.watch(() => {
      if (--left > 0) return
      left = 4 + ((++cuts * 5) % 17)
      proxy.cut()
    })
    const texts = Array.from({ length: 120 }, (_, index) => `edit ${index}`)
    for (const text of texts) {
      const batchId = randomUUID()
      const failure = await failureOf(storage.boards.append(batchId, [batch(board, text)]))
      if (failure === 'unavailable') await until(() => storage.boards.appendAgain(batchId, [batch(board, text)]))
      else expect(failure).toBe('it did not fail')
    }
    expect(await textsOf(board)).toEqual(texts)
    expect(cuts).toBeGreaterThan(10)
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
    const storage = open(own.url)
    const refused = await storage.ping().catch((error: unknown) => error)
    expect(refused).toMatchObject({ failure: 'unavailable', cause: { code: '53300' } })
    await release()
    await until(() => storage.ping().then(() => true))
  })
})

describe('a server that crashes in the middle of commits', () => {
  test('has every edit once when it is back', async () => {
    const { board } = await boardOf([])
    const storage = open(postgres.url)
    const texts = Array.from({ length: 40 }, (_, index) => `edit ${index}`)
    let crashed: Promise<void> | undefined
    for (const [index, text] of texts.entries()) {
      const batchId = randomUUID()
      const appended = failureOf(storage.boards.append(batchId, [batch(board, text)]))
      if (index === 20) crashed = postgres.halt('immediate').then(() => postgres.start())
      if ((await appended) !== 'it did not fail') {
        await until(() => storage.boards.appendAgain(batchId, [batch(board, text)]))
      }
    }
    await crashed
    expect(await until(() => textsOf(board))).toEqual(texts)
  })
})
