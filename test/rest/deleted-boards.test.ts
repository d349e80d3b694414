/** A deleted board: gone for everybody, to be restored for 30 days, then purged. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { releasing } from '../kit/releasing.ts'
import { freshBoard, Site } from '../kit/site.ts'
import { until } from '../kit/until.ts'
import { create, listed } from './asking.ts'
import { refusalOf } from './refusals.ts'

const use = releasing(afterAll)
let site: Site
beforeAll(async () => {
  site = use(await Site.start())
})

const remove = (board: string) => site.ask('DELETE', `/v1/boards/${board}`)
const restore = (board: string) => site.ask('POST', `/v1/boards/${board}/restore`)

async function deletedBoard(): Promise<string> {
  const board = freshBoard()
  await create(site, board, { id: 'a' })
  const answer = await remove(board)
  expect([answer.statusCode, answer.body]).toEqual([204, ''])
  return board
}

describe('a deleted board', () => {
  test('is not there for any call, nor in the list', async () => {
    const board = freshBoard()
    const waiting = use(await Site.start({ storage: site.storage, applies: false }))
    await create(site, board, { id: 'a' })
    await remove(board)
    for (const [method, path, body] of [
      ['GET', ''],
      ['PATCH', '', { title: 'x' }],
      ['DELETE', ''],
      ['GET', '/items'],
      ['POST', '/items', { type: 'sticky', id: 'b' }],
      ['GET', '/items/a'],
      ['PATCH', '/items/a', { x: 1 }],
      ['DELETE', '/items/a'],
      ['GET', '/keys'],
    ] as const) {
      const answer = await waiting.ask(method, `/v1/boards/${board}${path}`, body)
      expect([method, path, refusalOf(answer)]).toEqual([method, path, '404 board-missing'])
    }
    const { boards } = (await site.ask('GET', '/v1/boards?limit=500')).json()
    expect(boards.map(({ id }: { id: string }) => id)).not.toContain(board)
  })

  test('keeps its id', async () => {
    const board = await deletedBoard()
    expect(refusalOf(await site.ask('POST', '/v1/boards', { id: board }))).toBe('409 board-exists')
  })

  test('comes back with all that was on it, and takes edits again', async () => {
    const board = await deletedBoard()
    const answer = await restore(board)
    expect([answer.statusCode, answer.json()]).toMatchObject([200, { id: board, seq: 1 }])
    expect(await listed(site, board)).toMatchObject([{ id: 'a' }])
    expect((await create(site, board, { id: 'b' })).statusCode).toBe(201)
    // It is there already: nothing to do.
    expect((await restore(board)).statusCode).toBe(200)
  })

  test('a change that waited for it goes with it, and comes back with it', async () => {
    const board = freshBoard()
    const held = use(await Site.start({ applies: false }))
    const location = (await create(held, board, { id: 'waits' })).headers.location as string
    await held.ask('DELETE', `/v1/boards/${board}`)
    await held.inbox.start()
    expect((await held.ask('GET', location)).statusCode).toBe(404)
    await held.ask('POST', `/v1/boards/${board}/restore`)
    await until(async () => (await held.ask('GET', location)).json().status === 'applied')
    expect(await listed(held, board)).toMatchObject([{ id: 'waits' }])
  })
})

describe('an Idempotency-Key', () => {
  const keyed = (method: 'POST' | 'PATCH' | 'DELETE', path: string, body: unknown, key: string) =>
    site.ask(method, `/v1/boards${path}`, body, { 'idempotency-key': key })

  test('makes a repeated POST the same board, with an id or without', async () => {
    for (const body of [{ title: 'made up' }, { id: freshBoard(), title: 'given' }]) {
      const [first, ...again] = await Promise.all([1, 2, 3].map(() => keyed('POST', '', body, `post-${body.title}`)))
      expect(first?.statusCode).toBe(201)
      for (const answer of again) {
        expect([answer.statusCode, answer.body, answer.headers.location]).toEqual([
          201,
          first?.body,
          first?.headers.location,
        ])
      }
    }
  })

  test('makes a repeated PATCH, DELETE and restore the same answer, and does nothing again', async () => {
    const board = freshBoard()
    await create(site, board)
    const named = await keyed('PATCH', `/${board}`, { title: 'One' }, 'p')
    await keyed('PATCH', `/${board}`, { title: 'Two' }, 'q')
    expect((await keyed('PATCH', `/${board}`, { title: 'One' }, 'p')).json()).toEqual(named.json())
    expect((await site.ask('GET', `/v1/boards/${board}`)).json().title).toBe('Two')

    expect((await keyed('DELETE', `/${board}`, undefined, 'd')).statusCode).toBe(204)
    const again = await keyed('DELETE', `/${board}`, undefined, 'd')
    expect([again.statusCode, again.body]).toEqual([204, ''])
    expect((await keyed('POST', `/${board}/restore`, undefined, 'r')).statusCode).toBe(200)
    expect((await keyed('DELETE', `/${board}`, undefined, 'd')).statusCode).toBe(204)
    expect((await site.ask('GET', `/v1/boards/${board}`)).statusCode).toBe(200)
  })

  test('stands for one request', async () => {
    const board = freshBoard()
    await keyed('POST', '', { id: board }, 'one')
    expect(refusalOf(await keyed('POST', '', { id: board, title: 'x' }, 'one'))).toBe('422 idempotency-key-reused')
    expect(refusalOf(await keyed('POST', '', {}, 'one'))).toBe('422 idempotency-key-reused')
    await keyed('PATCH', `/${board}`, { title: 'x' }, 'two')
    expect(refusalOf(await keyed('DELETE', `/${board}`, undefined, 'two'))).toBe('422 idempotency-key-reused')
  })

  test('is free again after a refusal: nothing was done', async () => {
    const board = freshBoard()
    expect(refusalOf(await keyed('PATCH', `/${board}`, { title: 'x' }, 'early'))).toBe('404 board-missing')
    await create(site, board)
    expect((await keyed('PATCH', `/${board}`, { title: 'x' }, 'early')).statusCode).toBe(200)
  })
})
