/** Reading a board over REST: pages, people's shapes, what changed since, and nothing older than the question. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BoardReader } from '../../api-bridge/board-reader.ts'
import { listQuerySchema } from '../../api-bridge/item-list.ts'
import { parseBoardId } from '../../core/contract/board-id.ts'
import { readItem } from '../../core/doc/items.ts'
import { putRecord } from '../../core/doc/record-layout.ts'
import { releasing } from '../kit/releasing.ts'
import { Site } from '../kit/site.ts'
import { until } from '../kit/until.ts'
import { drawnNote } from './drawn.ts'

const use = releasing()
const useForAll = releasing(afterAll)
let site: Site
beforeAll(async () => {
  site = useForAll(await Site.start())
})

const create = (board: string, item: object) =>
  site.ask('POST', `/v1/boards/${board}/items`, { type: 'sticky', ...item })
const list = (board: string, query = '', headers = {}) =>
  site.ask('GET', `/v1/boards/${board}/items${query}`, undefined, headers)

async function pages(board: string, query: string, meanwhile = async () => {}): Promise<string[]> {
  const ids: string[] = []
  for (let next: string | null = ''; next !== null; ) {
    const page: { items: { id: string }[]; next: string | null } = (
      await list(board, `?${query}${next && `&cursor=${next}`}`)
    ).json()
    ids.push(...page.items.map(item => item.id))
    next = page.next
    await meanwhile()
  }
  return ids
}

describe('a list', () => {
  test("has agents' items and people's shapes alike, by id, and says the board's state", async () => {
    const person = use(await site.join('mixed'))
    person.doc.transact(() => putRecord(person.doc, drawnNote('by-hand', { x: 3 })))
    await until(async () => (await list('mixed')).json().items.length === 1)
    await create('mixed', { id: 'by-agent' })
    await create('mixed', { id: 'a-frame', type: 'frame' })
    const answer = await list('mixed')
    expect(answer.json()).toMatchObject({
      items: [
        { id: 'a-frame', type: 'frame' },
        { id: 'by-agent', type: 'sticky' },
        { id: 'by-hand', type: 'sticky', x: 3, content: { text: 'by hand' }, record: { typeName: 'shape' } },
      ],
      next: null,
      seq: 3,
    })
    expect(answer.headers.etag).toMatch(/^"\d+-3"$/)
    expect((await list('mixed', '?type=frame')).json().items).toMatchObject([{ id: 'a-frame' }])
    expect((await list('mixed', '?type=text')).json()).toMatchObject({ items: [], next: null })
  })

  test('is not sent again to whoever has it, until anything on the board changes', async () => {
    await create('unchanged', { id: 'a' })
    const etag = String((await list('unchanged')).headers.etag)
    for (const seen of [etag, `W/${etag}`, `"1-1",${etag}`]) {
      const answer = await list('unchanged', '', { 'if-none-match': seen })
      expect([answer.statusCode, answer.body, answer.headers.etag]).toEqual([304, '', etag])
    }
    await site.ask('PATCH', '/v1/boards/unchanged/items/a', { x: 1 })
    const changed = await list('unchanged', '', { 'if-none-match': etag })
    expect([changed.statusCode, changed.json().seq]).toEqual([200, 2])
    expect(changed.headers.etag).not.toBe(etag)
  })

  test('leaves out what no request could name', async () => {
    const person = use(await site.join('unnameable'))
    person.doc.transact(() => {
      for (const id of ['', 'x'.repeat(257), 'x'.repeat(256)]) putRecord(person.doc, drawnNote(id))
    })
    const items = await until(
      async () => (await list('unnameable')).json().items.length > 0 && (await list('unnameable')).json().items,
    )
    expect(items).toMatchObject([{ id: 'x'.repeat(256) }])
    expect((await site.ask('DELETE', `/v1/boards/unnameable/items/${'x'.repeat(257)}`)).statusCode).toBe(404)
    expect((await site.ask('DELETE', `/v1/boards/unnameable/items/${'x'.repeat(256)}`)).statusCode).toBe(204)
  })

  test('comes in pages of a limit, each item once, also by ids of many bytes', async () => {
    const person = use(await site.join('paged'))
    const ids = Array.from({ length: 25 }, (_, n) => `ü界${'-'.repeat(n % 3 === 0 ? 200 : 1)}${n}`)
    person.doc.transact(() => {
      for (const id of ids) putRecord(person.doc, drawnNote(id))
    })
    await until(async () => (await list('paged')).json().items.length === 25)
    for (const limit of [1, 7, 25, 500]) {
      expect(await pages('paged', `limit=${limit}`)).toEqual([...ids].sort((a, b) => (a < b ? -1 : 1)))
    }
    expect((await list('paged')).json().next).toBeNull()
  })

  test('lists once what exists throughout, whatever comes and goes between the pages', async () => {
    const stays = Array.from({ length: 30 }, (_, n) => `stay-${String(n).padStart(2, '0')}`)
    for (const id of stays) await create('moving', { id })
    let n = 0
    const ids = await pages('moving', 'limit=4', async () => {
      await create('moving', { id: `a-new-${n}` })
      await create('moving', { id: `stay-10-new-${n}` })
      if (n > 0) await site.ask('DELETE', `/v1/boards/moving/items/a-new-${n - 1}`)
      n++
    })
    expect(ids.filter(id => stays.includes(id))).toEqual(stays)
    expect(new Set(ids).size).toBe(ids.length)
  })

  test('comes to an end by type, too', async () => {
    for (let n = 0; n < 6; n++) await create('typed', { id: `i${n}`, type: n % 2 === 0 ? 'text' : 'sticky' })
    expect(await pages('typed', 'type=text&limit=1')).toEqual(['i0', 'i2', 'i4'])
    expect(await pages('typed', 'type=text&limit=3')).toEqual(['i0', 'i2', 'i4'])
  })
})

describe('a list by place', () => {
  test('has what touches the box, turned and framed things where they show, in pages like any other', async () => {
    for (let n = 0; n < 6; n++) await create('placed', { id: `in-${n}`, x: n * 10, y: -50 })
    await create('placed', { id: 'far', x: 5_000 })
    await create('placed', { id: 'frame', type: 'frame', x: 5_000, y: 5_000 })
    await create('placed', { id: 'framed', x: -5_000, y: -5_000, parent: 'frame' })
    const inside = ['framed', 'in-0', 'in-1', 'in-2', 'in-3', 'in-4', 'in-5']
    for (const limit of [1, 2, 7, 500])
      expect(await pages('placed', `bbox=-10,-60,1e2,80.5&limit=${limit}`)).toEqual(inside)
    expect(await pages('placed', 'bbox=5000,5000,6000,6000')).toEqual(['frame'])
    expect(await pages('placed', 'bbox=-10,-60,100,80&type=frame')).toEqual([])
    const etag = String((await list('placed', '?bbox=0,0,1,1')).headers.etag)
    expect((await list('placed', '?bbox=0,0,1,1', { 'if-none-match': etag })).statusCode).toBe(304)
  })

  test.each(['', '1,2,3', '1,2,3,4,5', '1,2,3,x', '1,2, 3,4', '10,0,0,10', '0,10,10,0', '0,0,1e999,1'])(
    'refuses %j for a box, with a pointer',
    async bbox => {
      const answer = await list('placed', `?bbox=${encodeURIComponent(bbox)}`)
      expect([answer.statusCode, answer.json().errors]).toEqual([
        400,
        [{ pointer: '/bbox', detail: expect.any(String) }],
      ])
    },
  )
})

describe('a box', () => {
  test('of many digits is refused as fast as any other', () => {
    const bbox = `${Array(4).fill('1'.repeat(50)).join(',')}x`
    const start = performance.now()
    expect(listQuerySchema.safeParse({ bbox }).success).toBe(false)
    expect(performance.now() - start).toBeLessThan(500)
  })
})

describe('a read', () => {
  test('is never older than its own start', async () => {
    await create('fresh', { id: 'a', x: 0 })
    const reading = Array.from({ length: 4 }, async () => {
      let newest = 0
      for (let n = 0; n < 100; n++) {
        const { x } = (await site.ask('GET', '/v1/boards/fresh/items/a')).json()
        expect(x).toBeGreaterThanOrEqual(newest)
        newest = x
      }
    })
    for (let x = 1; x <= 50; x++) {
      const { seq } = (await site.ask('PATCH', '/v1/boards/fresh/items/a', { x })).json()
      const [item, items] = await Promise.all([site.ask('GET', '/v1/boards/fresh/items/a'), list('fresh')])
      expect(item.json().x).toBe(x)
      expect(items.json()).toMatchObject({ items: [{ x }], seq })
    }
    await Promise.all(reading)
  })

  test('by another instance is not either, also when it has not read the rows before a compaction', async () => {
    const other = new BoardReader(site.storage)
    const board = parseBoardId('elsewhere')
    await create('elsewhere', { id: 'a', x: 0 })
    for (let x = 1; x <= 60; x++) {
      await site.ask('PATCH', '/v1/boards/elsewhere/items/a', { x })
      if (x % 20 === 0) for (const room of site.rooms.open()) await room.snapshots.save()
      if (x % 7 === 0) expect(await other.read(board, ({ doc }) => readItem(doc, 'a'))).toMatchObject({ x })
    }
  })

  test('sees the answer to a POST in the same moment, on many boards at once', async () => {
    await Promise.all(
      Array.from({ length: 80 }, async (_, n) => {
        const board = `many-${n}`
        await create(board, { id: 'a', x: n })
        expect((await list(board)).json().items).toMatchObject([{ id: 'a', x: n }])
      }),
    )
    expect((await site.ask('GET', '/v1/boards/many-0/items/a')).json()).toMatchObject({ x: 0 })
  })
})
