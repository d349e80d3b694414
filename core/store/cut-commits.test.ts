/** A connection cut in the middle of commits: whatever became of them, nothing is lost and nothing is done twice. */

import { randomBytes, randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { releasing } from '../../test/kit/releasing.ts'
import { until } from '../../test/kit/until.ts'
import { type FaultySite, failureOf, faultySite } from '../../test/storage/faulty-site.ts'
import { decide, newChange } from '../../test/storage/outbox-cases.ts'
import { batch } from '../../test/storage/site.ts'
import type { BoardId } from '../contract/board-id.ts'
import type { Storage } from './storage.ts'

const use = releasing(afterAll)
/** Not `READ COMMITTED` in the message that begins. */
const commit = 'COMMIT\0'
let site: FaultySite

beforeAll(async () => {
  site = use(await faultySite())
})

afterEach(() => {
  site.proxy.watch(undefined)
  site.proxy.resume()
})

/** Cuts before the message passes, or after what it asked for was done and before the answer passed. */
function cutAt(message: string, when: 'before' | 'after', done: () => Promise<boolean>): Promise<void> {
  return new Promise((resolve, reject) => {
    site.proxy.watch(bytes => {
      if (!bytes.includes(message)) return
      site.proxy.watch(undefined)
      if (when === 'before') {
        site.proxy.cut()
        resolve()
        return
      }
      setImmediate(() => site.proxy.stall()) // the message has passed, its answer will not
      until(done)
        .then(() => {
          site.proxy.cut()
          site.proxy.resume()
        })
        .then(resolve, reject)
    })
  })
}

const hasRow = (board: BoardId) => async () => ((await site.direct.boards.head(board))?.headSeq ?? 0) > 0

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
    const { board } = await site.boardOf()
    const storage = site.open()
    const batchId = randomUUID()
    const cut = cutAt(message, when, hasRow(board))
    expect(await failureOf(run(storage, batchId, board))).toBe('unavailable')
    await cut
    expect(await site.textsOf(board)).toEqual(when === 'before' ? [] : ['a', 'b'])
    const committed = await until(() => storage.boards.appendAgain(batchId, [batch(board, 'a', 'b')]))
    expect(committed.get(board)).toMatchObject({ firstSeq: 1, lastSeq: 2 })
    expect(await site.textsOf(board)).toEqual(['a', 'b'])
  })

  test('the commit of submit stores the change once', async () => {
    const { board } = await site.boardOf()
    const storage = site.open()
    const change = newChange(board, 'x')
    const submit = () => storage.changes.submit(change, false)
    const isStored = async () => (await site.direct.changes.find(board, change.publicId)) !== undefined
    const cut = cutAt(commit, when, isStored)
    expect(await failureOf(submit())).toBe('unavailable')
    await cut
    expect(await isStored()).toBe(when === 'after')
    expect(await until(submit)).toMatchObject({ publicId: change.publicId, status: 'pending' })
    const stored = await site.direct.changes.submitAll([change, newChange(board, 'y')], false)
    expect(stored.map(found => found?.requestHash)).toEqual(['x', 'y'])
  })

  test('the commit of drain applies the change once', async () => {
    const { board, epoch } = await site.boardOf()
    const storage = site.open()
    const change = newChange(board, 'x')
    await storage.changes.submit(change, false)
    const drain = () => storage.changes.drain(board, { epoch, seq: 0 }, randomUUID(), pending => pending.map(decide))
    const cut = cutAt(commit, when, hasRow(board))
    expect(await failureOf(drain())).toBe('unavailable')
    await cut
    const status = async () => (await site.direct.changes.find(board, change.publicId))?.status
    expect(await status()).toBe(when === 'before' ? 'pending' : 'applied')
    const again = await until(drain)
    expect(again.kind).toBe(when === 'before' ? 'drained' : 'behind')
    expect([await status(), (await site.textsOf(board)).length]).toEqual(['applied', 1])
  })

  test('the commit of a snapshot leaves a board that reads whole', async () => {
    const { board, epoch } = await site.boardOf('a', 'b')
    const storage = site.open()
    const save = () => storage.archive.save(board, epoch, 2, Uint8Array.of(0, 0))
    const cut = cutAt(
      'save-snapshot-',
      when,
      async () => (await site.direct.archive.read(board, 0))?.snapshot !== undefined,
    )
    expect(await failureOf(save())).toBe('unavailable')
    await cut
    expect((await until(save)).outcome).toBe(when === 'before' ? 'saved' : 'older-than-stored')
    expect(await site.direct.archive.read(board, 0)).toMatchObject({ snapshot: { seq: 2 }, rows: [] })
  })

  test.each([
    ['a few rows', 'pack-rows-', 'a'],
    ['megabytes', commit, randomBytes(100_000).toString('hex')],
  ])('the commit of %s that are packed leaves each of them in one place', async (_name, message, text) => {
    const { board, epoch } = await site.boardOf(text, 'b', 'c')
    const storage = site.open()
    await site.direct.archive.save(board, epoch, 2, Uint8Array.of(0, 0))
    const pack = () => storage.archive.pack(board)
    const inLog = async () => (await site.direct.archive.save(board, epoch, 2, Uint8Array.of(0, 0))).left
    const cut = cutAt(message, when, async () => (await inLog()) === 0)
    expect(await failureOf(pack())).toBe('unavailable')
    await cut
    expect(await inLog()).toBe(when === 'before' ? 2 : 0)
    await until(() => pack().then(() => true))
    expect(await inLog()).toBe(0)
    // All rows since the beginning, from history and log.
    expect((await site.direct.past.since(board, 0, false)) as object).toMatchObject({
      rows: [{ seq: 1 }, { seq: 2 }, { seq: 3 }],
    })
  })
})

describe('a connection that is cut again and again', () => {
  test('loses no edit and doubles none', async () => {
    const { board } = await site.boardOf()
    const storage = site.open()
    // At changing distances, so that every message of every exchange has its turn.
    let [cuts, left] = [0, 5]
    site.proxy.watch(() => {
      if (--left > 0) return
      left = 4 + ((++cuts * 5) % 17)
      site.proxy.cut()
    })
    const texts = Array.from({ length: 120 }, (_, index) => `edit ${index}`)
    for (const text of texts) {
      const batchId = randomUUID()
      const failure = await failureOf(storage.boards.append(batchId, [batch(board, text)]))
      if (failure === 'unavailable') await until(() => storage.boards.appendAgain(batchId, [batch(board, text)]))
      else expect(failure).toBe('it did not fail')
    }
    expect(await site.textsOf(board)).toEqual(texts)
    expect(cuts).toBeGreaterThan(10)
  })
})
