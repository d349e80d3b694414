/** Changes that other programs publish on Redis: taken in once, in order, by one of several instances. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Secret } from '../../core/base/secret.ts'
import { createRedisBus } from '../../core/bus/redis.ts'
import { parseBoardId } from '../../core/contract/board-id.ts'
import { isShapeId } from '../../core/doc/record-ids.ts'
import { recordsOf } from '../../core/doc/record-layout.ts'
import type { Storage } from '../../core/store/storage.ts'
import { listItems } from '../kit/items.ts'
import { type Redis, startRedis } from '../kit/redis.ts'
import { releasing } from '../kit/releasing.ts'
import { embeddedStorage, freshBoard, Site, silent } from '../kit/site.ts'
import { until } from '../kit/until.ts'

const forAll = releasing(afterAll)

let redis: Redis
let storage: Storage
let sites: Site[]
beforeAll(async () => {
  redis = forAll(await startRedis())
  storage = forAll(await embeddedStorage())
  sites = [await startSite(), await startSite()]
})

async function startSite(): Promise<Site> {
  const bus = forAll(createRedisBus(new Secret(redis.url), silent), given => given.close())
  await until(() => bus.state === 'up')
  return forAll(await Site.start({ storage, bus }))
}

const first = (): Site => sites[0] as Site
const publish = (board: string, message: unknown) =>
  redis.client.publish(`board:${board}:updates`, typeof message === 'string' ? message : JSON.stringify(message))
const sticky = (given: object = {}) => ({ type: 'sticky', x: 0, y: 0, ...given })
const create = (given: object = {}) => ({ action: 'create', item: sticky(given) })

/** A board that exists, without anybody on it. */
async function newBoard(): Promise<string> {
  const board = freshBoard()
  const answer = await first().ask('POST', `/v1/boards/${board}/items`, { id: 'begin', type: 'text' })
  expect(answer.statusCode).toBe(201)
  await first().ask('DELETE', `/v1/boards/${board}/items/begin`)
  return board
}

const itemsOf = async (board: string) => listItems(await first().logged(board))
/** Resolves when everything that was published before has been dealt with. @returns what is on the board then */
async function settled(board: string) {
  const id = `mark-${crypto.randomUUID()}`
  await publish(board, create({ id }))
  await until(async () => (await itemsOf(board)).some(item => item.id === id))
  return (await itemsOf(board)).filter(item => !item.id.startsWith('mark-'))
}
const refused = async (reason: string) => {
  const counts = await Promise.all(sites.map(site => site.counted('boardsync_refusals_total', { reason })))
  return counts.reduce((sum, count) => sum + count, 0)
}

describe('a published change', () => {
  test('is on the board, which nobody has open', async () => {
    const board = await newBoard()
    await publish(board, create({ id: 'a', x: 5, content: { text: 'published' } }))
    expect(await settled(board)).toMatchObject([{ id: 'a', x: 5, content: { text: 'published' } }])
  })

  test('is seen by who has the board open, on whichever instance', async () => {
    const board = await newBoard()
    for (const [n, site] of sites.entries()) {
      const person = await site.join(board)
      await publish(board, create({ id: `seen-${n}` }))
      await until(person.doc, () => person.doc.getMap('tldraw').has(`shape:seen-${n}`))
      person.stop()
    }
  })

  test('merges as PATCH does, and deletes by the id, whatever else it says', async () => {
    const board = await newBoard()
    for (const id of ['a', 'b']) await publish(board, create({ id, content: { text: id } }))
    await publish(board, { action: 'update', item: { id: 'a', x: 9 } })
    await publish(board, { action: 'delete', item: sticky({ id: 'b', unknown: true }) })
    expect(await settled(board)).toMatchObject([{ id: 'a', x: 9, content: { text: 'a' } }])
  })

  test('may be a batch: all of it is made, at once, or nothing', async () => {
    const board = await newBoard()
    const before = await storage.boards.head(parseBoardId(board))
    const frame = { action: 'create', item: { type: 'frame', id: '$f' } }
    await publish(board, { action: 'batch', operations: [frame, create({ id: 'in', parent: '$f' })], message_id: 'b' })
    await until(async () => (await itemsOf(board)).length === 2)
    expect((await storage.boards.head(parseBoardId(board)))?.headSeq).toBe((before?.headSeq ?? 0) + 1)
    await publish(board, { action: 'batch', operations: [create({ id: 'new' }), create({ id: 'in' })] })
    await publish(board, { action: 'batch', operations: [{ action: 'delete', item: sticky({ id: 'in' }) }] })
    expect(await settled(board)).toMatchObject([{ type: 'frame' }])
  })

  test('that came twice is made twice, once each: instances do not both take it', async () => {
    const board = await newBoard()
    for (let n = 0; n < 2; n++) await publish(board, create({ x: 7 }))
    const items = await settled(board)
    expect(items.map(item => item.x)).toEqual([7, 7])
    expect(new Set(items.map(item => item.id)).size).toBe(2)
  })

  test('with a message_id is made once, on each board', async () => {
    const boards = [await newBoard(), await newBoard()]
    for (const board of boards) {
      for (let n = 0; n < 3; n++) await publish(board, { ...create({ x: 1 }), message_id: 'retry me · ü' })
      expect(await settled(board)).toHaveLength(1)
    }
  })

  test('under the message_id of another one is dropped and counted', async () => {
    const board = await newBoard()
    const before = await refused('raw-message-id-reused')
    for (const x of [1, 2]) await publish(board, { ...create({ x }), message_id: 'm' })
    expect(await settled(board)).toMatchObject([{ x: 1 }])
    expect(await refused('raw-message-id-reused')).toBe(before + 1)
  })

  test('is made after those that were published before it', async () => {
    const board = await newBoard()
    await publish(board, create({ id: 'a' }))
    for (let x = 1; x <= 100; x++) void publish(board, { action: 'update', item: { id: 'a', x } })
    expect(await settled(board)).toMatchObject([{ id: 'a', x: 100 }])
    const rows = await storage.boards.head(parseBoardId(board))
    expect(rows?.headSeq).toBeGreaterThan(100)
  })
})

describe('a message that cannot be taken', () => {
  test.each([
    ['text', 'raw-malformed', 'no json'],
    ['a list', 'raw-malformed', '[]'],
    ['nothing', 'raw-malformed', 'null'],
    ['a change of nothing', 'raw-malformed', { action: 'create' }],
    ['an unknown action', 'raw-malformed', { action: 'destroy', item: { id: 'a' } }],
    ['an unknown field', 'raw-malformed', create({ unknown: 1 })],
    ['a place off the board', 'raw-malformed', create({ x: 1e9 })],
    ['an empty message_id', 'raw-malformed', { ...create(), message_id: '' }],
    ['a message_id that is no text', 'raw-malformed', { ...create(), message_id: 5 }],
    ['a change_id that is none of ours', 'raw-malformed', { ...create(), change_id: 5 }],
    ['a prototype', 'raw-malformed', '{"action":"create","item":{"type":"sticky","__proto__":{}}}'],
    ['more than 1 MiB', 'raw-malformed', JSON.stringify(create()) + ' '.repeat(1024 * 1024)],
    ['more than may wait for storage', 'raw-malformed', JSON.stringify(create()) + ' '.repeat(17 * 1024 * 1024)],
    ['a batch of nothing', 'raw-malformed', { action: 'batch', operations: [] }],
    ['a batch with a fault', 'raw-malformed', { action: 'batch', operations: [create(), create({ x: 1e9 })] }],
    ['a batch without operations', 'raw-malformed', { action: 'batch' }],
  ])('(%s) is counted once as %s and dropped; the next one works', async (_what, reason, message) => {
    const board = await newBoard()
    const before = await refused(reason)
    await publish(board, message)
    expect(await settled(board)).toEqual([])
    expect(await refused(reason)).toBe(before + 1)
  })

  test('because there is no such board is counted, and makes none', async () => {
    const board = freshBoard()
    const before = await refused('raw-board-missing')
    await publish(board, create())
    await until(async () => (await refused('raw-board-missing')) > before)
    expect(await refused('raw-board-missing')).toBe(before + 1)
    await expect(first().logged(board)).rejects.toThrow('no board')
  })

  test.each(['a.b', 'admin', 'a:b', '', 'x'.repeat(129)])(
    'because no board can be called %j is counted, too',
    async board => {
      const before = await refused('raw-board-missing')
      await publish(board, create())
      // By each that hears it: there is no board whose lease says which one it is for.
      await until(async () => (await refused('raw-board-missing')) === before + sites.length)
    },
  )
})

/** How often Redis was asked for a lease. */
const leasesAsked = async () => {
  // Nothing else of ours reads a key in this way.
  const calls = (await redis.client.info('commandstats')).match(/cmdstat_get:calls=(\d+)/)?.[1]
  return Number(calls ?? 0)
}

describe('the lease of a board', () => {
  test('decides who takes its messages in', async () => {
    const board = await newBoard()
    const key = `boardsync:intake:${board}`
    await redis.client.set(key, 'somebody', 'PX', 60_000, 'NX')
    const before = await leasesAsked()
    await publish(board, create({ id: 'theirs' }))
    await until(async () => (await leasesAsked()) >= before + sites.length)
    await redis.client.del(key)
    expect(await settled(board)).toEqual([])
  })

  test('is renewed while messages come', async () => {
    const board = await newBoard()
    const key = `boardsync:intake:${board}`
    await publish(board, create({ id: 'a' }))
    await settled(board)
    expect(await redis.client.pttl(key)).toBeLessThanOrEqual(5_000)
    const holder = await redis.client.get(key)
    await redis.client.pexpire(key, 4_000)
    let hasLapsed = false
    await until(async () => {
      const left = await redis.client.pttl(key)
      hasLapsed ||= left < 0
      return left > 4_000
    })
    expect([hasLapsed, await redis.client.get(key)]).toEqual([false, holder])
  })

  test('is given back by an instance that stops: the others take over at once', async () => {
    const board = await newBoard()
    const own = forAll(await startRedis())
    const bus = forAll(createRedisBus(new Secret(own.url), silent), given => given.close())
    await until(() => bus.state === 'up')
    const site = await Site.start({ storage, bus })
    await own.client.publish(`board:${board}:updates`, JSON.stringify(create({ id: 'a' })))
    await until(async () => (await itemsOf(board)).length === 1)
    expect(await own.client.exists(`boardsync:intake:${board}`)).toBe(1)
    await site.stop()
    expect(await own.client.get(`boardsync:intake:${board}`)).toMatch(/^free:/)
  })

  test('goes from one to the next while messages come: each is made once', { timeout: 120_000 }, async () => {
    const board = await newBoard()
    const own = forAll(await startRedis())
    const join = async () => {
      const bus = forAll(createRedisBus(new Secret(own.url), silent), given => given.close())
      await until(() => bus.state === 'up')
      return Site.start({ storage, bus })
    }
    const holder = () => own.client.get(`boardsync:intake:${board}`)
    const onlooker = forAll(await first().join(board))
    const arrived = () => [...recordsOf(onlooker.doc).keys()].filter(isShapeId).length
    let site = await join()
    let published = 0
    const publishing = setInterval(() => {
      // No more than the machine can store: what an instance that stops cannot store in time is dropped.
      if (published - arrived() > 30) return
      for (let n = 0; n < 3; n++) {
        void own.client.publish(`board:${board}:updates`, JSON.stringify(create({ x: published++ })))
      }
    }, 2)
    for (let round = 0; round < 4; round++) {
      const next = await join()
      const before = await until(holder)
      await site.stop()
      await until(async () => ![before, null].includes(await holder()) && !(await holder())?.startsWith('free:'))
      site = next
    }
    clearInterval(publishing)
    await until(async () => (await itemsOf(board)).length >= published)
    const places = (await itemsOf(board)).map(item => item.x).sort((a, b) => a - b)
    expect(places).toEqual(Array.from({ length: published }, (_, x) => x))
    await site.stop()
  })
})
