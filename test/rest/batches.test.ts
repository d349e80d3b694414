/** A batch over REST: everything or nothing, at once for everybody, and never twice. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { itemEtag } from '../../core/doc/item-etag.ts'
import { readItem } from '../../core/doc/items.ts'
import { recordsOf } from '../../core/doc/record-layout.ts'
import { decided } from '../kit/decided.ts'
import { releasing } from '../kit/releasing.ts'
import { freshBoard, Site } from '../kit/site.ts'
import { until } from '../kit/until.ts'
import { watchedBus } from '../kit/watched-bus.ts'
import { create, listed, problem } from './asking.ts'
import { pointersOf } from './refusals.ts'

const use = releasing()
const useForAll = releasing(afterAll)
let site: Site
beforeAll(async () => {
  site = useForAll(await Site.start())
})

const batch = (board: string, operations: unknown[], given: object = {}, headers = {}) =>
  site.ask('POST', `/v1/boards/${board}/batch`, { operations, ...given }, headers)
const make = (item: object) => ({ action: 'create', item: { type: 'sticky', ...item } })
const patch = (id: string, item: object) => ({ action: 'update', item: { id, ...item } })
const take = (id: string) => ({ action: 'delete', item: { id } })
const seqOf = async (board: string) => (await site.ask('GET', `/v1/boards/${board}/items`)).json().seq

test('a batch may have 500 of the longest texts; the bus is told of it in few words', async () => {
  const bus = watchedBus()
  const own = use(await Site.start({ bus }))
  const board = freshBoard()
  const person = use(await own.join(board))
  const operations = Array.from({ length: 500 }, () => make({ content: { text: 'x'.repeat(10_000) } }))
  const answer = await own.ask('POST', `/v1/boards/${board}/batch`, { operations })
  // It may take longer than a request waits.
  expect([200, 202]).toContain(answer.statusCode)
  await until(person.doc, () => recordsOf(person.doc).size >= 500)
  const told = bus.published.filter(({ channel }) => channel === `board:${board}:updates`)
  expect(told.map(({ message }) => JSON.parse(new TextDecoder().decode(message)))).toEqual([
    { change_id: expect.any(String), action: 'batch' },
  ])
})

const plan = [
  { action: 'create', item: { id: '$plan', type: 'frame', width: 800, height: 400, content: { title: 'Plan' } } },
  make({ id: '$first', parent: '$plan', x: 20, y: 20, content: { text: 'first' } }),
  make({ id: 'second', parent: '$plan', x: 420, y: 20, content: { text: 'second' } }),
  { action: 'create', item: { type: 'connector', content: { from: '$first', to: 'second', text: 'then' } } },
  patch('$first', { style: { color: 'red' } }),
]

describe('a batch', () => {
  test('is made as one: one row of the log, one update for everyone, an answer for each operation', async () => {
    const board = freshBoard()
    await create(site, board, { id: 'old' })
    const person = use(await site.join(board))
    let updates = 0
    person.doc.on('update', () => updates++)
    const answer = await batch(board, [...plan, take('old')])
    expect(answer.statusCode).toBe(200)
    const { seq, results } = answer.json()
    expect([seq, await seqOf(board)]).toEqual([2, 2])
    expect(results.map(({ action, status }: { action: string; status: string }) => `${action} ${status}`)).toEqual([
      ...Array(4).fill('create applied'),
      'update applied',
      'delete applied',
    ])
    const [frame, first, second, connector, patched, gone] = results
    expect(first.item).toMatchObject({
      id: first.id,
      parent: frame.id,
      style: { color: 'red' },
      content: { text: 'first' },
    })
    expect(connector.item).toMatchObject({ type: 'connector', content: { from: first.id, to: 'second', text: 'then' } })
    expect([second.id, patched.id, gone]).toEqual([
      'second',
      first.id,
      { action: 'delete', id: 'old', status: 'applied' },
    ])

    await until(person.doc, () => readItem(person.doc, connector.id))
    expect([updates, recordsOf(person.doc).has('shape:old')]).toEqual([1, false])
    const items = await listed(site, board)
    for (const { id, item } of results.slice(0, 5)) expect(items.find(found => found.id === id)).toEqual(item)
  })

  test('that cannot be made whole leaves the board as it was, and says of each operation why', async () => {
    const board = freshBoard()
    await create(site, board, { id: 'a' })
    const answer = await batch(board, [
      make({ id: 'b' }),
      make({ id: 'c', parent: 'nowhere' }),
      { action: 'create', item: { type: 'connector', content: { from: 'a', to: 'nobody' } } },
      patch('a', { x: 5 }),
    ])
    expect([answer.statusCode, answer.json()]).toEqual([422, problem('item-invalid')])
    expect(answer.headers['content-type']).toBe('application/problem+json')
    expect(pointersOf(answer)).toEqual(['/operations/1/item/parent', '/operations/2/item/content/to'])
    const statuses = answer.json().results.map(({ status }: { status: string }) => status)
    expect(statuses).toEqual(['skipped', 'rejected', 'rejected', 'skipped'])
    expect([(await listed(site, board)).map(item => item.id), await seqOf(board)]).toEqual([['a'], 1])
  })

  test.each([
    ['an id that is taken', [make({ id: 'b' }), make({ id: 'a' })], 409, 'item-exists', '/operations/1/item/id'],
    ['no such item', [patch('nobody', { x: 1 })], 404, 'item-missing', '/operations/0/item/id'],
    ['another content', [{ ...take('a'), if_match: '"old"' }], 412, 'item-changed', '/operations/0/if_match'],
  ])('is refused for %s as a single change is', async (_what, operations, status, name, pointer) => {
    const board = freshBoard()
    await create(site, board, { id: 'a' })
    const answer = await batch(board, operations)
    expect([answer.statusCode, answer.json(), pointersOf(answer)]).toEqual([status, problem(name), [pointer]])
    expect(await listed(site, board)).toMatchObject([{ id: 'a' }])
  })

  test.each([
    ['a fault in a field', [make({}), make({ x: 1e9 })], '/operations/1/item/x'],
    ['an unknown field', [make({ colour: 'red' })], '/operations/0/item/colour'],
    [
      'a key that is allowed nowhere',
      `{"operations":[{"action":"create","item":{"__proto__":{}}}]}`,
      '/operations/0/item/__proto__',
    ],
    ['no operations', [], '/operations'],
    ['501 operations', Array.from({ length: 501 }, () => make({})), '/operations'],
    ['a temporary id given twice', [make({ id: '$a' }), make({ id: '$a' })], '/operations/1/item/id'],
  ])('with %s is refused with a pointer, and brings no board into being', async (_what, operations, pointer) => {
    const board = freshBoard()
    const body = typeof operations === 'string' ? operations : { operations }
    const answer = await site.ask('POST', `/v1/boards/${board}/batch`, body)
    expect([answer.statusCode, pointersOf(answer)]).toEqual([400, [pointer]])
    expect((await site.ask('GET', `/v1/boards/${board}/items`)).statusCode).toBe(404)
  })

  test('of 500 operations is made', async () => {
    const board = freshBoard()
    const operations = Array.from({ length: 500 }, (_, n) => make({ id: `i${n}`, x: n }))
    const answer = await decided(() => batch(board, operations, {}, { 'idempotency-key': 'many' }))
    expect([answer.statusCode, answer.json().results.length, await seqOf(board)]).toEqual([200, 500, 1])
  })

  test('goes through on the condition that its items are as they were read', async () => {
    const board = freshBoard()
    const { seq: _, ...item } = (await create(site, board, { id: 'a' })).json()
    const recolour = [{ ...patch('a', { style: { color: 'red' } }), if_match: itemEtag(item) }]
    expect((await batch(board, recolour)).statusCode).toBe(200)
    expect((await batch(board, recolour)).statusCode).toBe(412)
  })

  test('under an Idempotency-Key is made once, and answered with the same ids', async () => {
    const board = freshBoard()
    const key = { 'idempotency-key': 'plan-1' }
    const first = await batch(board, plan, {}, key)
    const again = await batch(board, plan, {}, key)
    expect([again.statusCode, again.json()]).toEqual([200, first.json()])
    expect(await listed(site, board)).toHaveLength(4)
    const other = await batch(board, plan.slice(0, 2), {}, key)
    expect([other.statusCode, other.json()]).toEqual([422, problem('idempotency-key-reused')])
  })

  test('that nobody applies in time is answered 202, and its results wait at the address given', async () => {
    const slow = use(await Site.start({ applies: false }))
    const answer = await slow.ask('POST', '/v1/boards/slow/batch', { operations: plan })
    expect([answer.statusCode, answer.json().status]).toEqual([202, 'pending'])
    await slow.inbox.start()
    const done = await until(async () => {
      const change = (await slow.ask('GET', String(answer.headers.location))).json()
      return change.status === 'applied' && change
    })
    expect(done).toMatchObject({ seq: 1, results: [{ item: { type: 'frame' } }, {}, {}, {}, {}] })
  })
})

describe('a dry run', () => {
  test('answers what the batch would be answered, and does nothing', async () => {
    const board = freshBoard()
    await create(site, board, { id: 'a' })
    const operations = [make({ id: 'b' }), patch('a', { x: 5 })]
    const tried = await batch(board, operations, { dry_run: true })
    expect([tried.statusCode, tried.json()]).toMatchObject([200, { dry_run: true, seq: 1 }])
    const refused = await batch(board, [...operations, make({ id: 'a' })], { dry_run: true })
    expect([refused.statusCode, pointersOf(refused)]).toEqual([409, ['/operations/2/item/id']])
    expect([await listed(site, board), await seqOf(board)]).toEqual([[expect.objectContaining({ x: 100 })], 1])
    const made = await batch(board, operations, { dry_run: false })
    expect(made.json()).toEqual({ seq: 2, results: tried.json().results })
  })

  test('brings no board into being', async () => {
    const board = freshBoard()
    expect((await batch(board, plan, { dry_run: true })).json()).toMatchObject({
      seq: 0,
      results: [{}, {}, {}, {}, {}],
    })
    expect((await batch(board, [take('a')], { dry_run: true })).statusCode).toBe(404)
    expect((await site.ask('GET', `/v1/boards/${board}/items`)).statusCode).toBe(404)
  })
})

test('an address for batches takes nothing but POST', async () => {
  const answer = await site.ask('GET', `/v1/boards/${freshBoard()}/batch`)
  expect([answer.statusCode, answer.headers.allow]).toEqual([405, 'POST'])
})
