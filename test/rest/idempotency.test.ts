/** An Idempotency-Key makes retrying safe: one request, one change, one answer. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { releasing } from '../kit/releasing.ts'
import { Site } from '../kit/site.ts'
import { listed, post, smallSticky } from './asking.ts'
import { refusalOf } from './refusals.ts'

const use = releasing(afterAll)
let site: Site
beforeAll(async () => {
  site = use(await Site.start())
})

describe('an Idempotency-Key', () => {
  test('makes a repeat the same answer and no second item, whether an id was given or not', async () => {
    for (const item of [{ id: 'a' }, {}]) {
      const board = `repeated-${Object.keys(item).length}`
      const first = await post(site, board, item, 'key')
      expect(first.statusCode).toBe(201)
      for (let n = 0; n < 3; n++) {
        const again = await post(site, board, item, 'key')
        expect([again.statusCode, again.json()]).toEqual([201, first.json()])
        expect([again.headers.location, again.headers.etag]).toEqual([first.headers.location, first.headers.etag])
      }
      expect(await listed(site, board)).toHaveLength(1)
    }
  })

  test('holds for ten requests at once', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => post(site, 'parallel', {}, 'key')))
    expect(answers.map(answer => answer.statusCode)).toEqual(Array(10).fill(201))
    expect(new Set(answers.map(answer => answer.body)).size).toBe(1)
    expect(await listed(site, 'parallel')).toHaveLength(1)
  })

  test('repeats a refusal, too', async () => {
    await post(site, 'refused', { id: 'a' })
    for (let n = 0; n < 2; n++) expect((await post(site, 'refused', { id: 'a' }, 'key')).statusCode).toBe(409)
    await site.ask('DELETE', '/v1/boards/refused/items/a')
    expect((await post(site, 'refused', { id: 'a' }, 'key')).statusCode).toBe(409)
  })

  test('makes a repeated PATCH and DELETE the same answer', async () => {
    await post(site, 'others', { id: 'a' })
    const ask = (method: 'PATCH' | 'DELETE', body: object | undefined, key: string) =>
      site.ask(method, '/v1/boards/others/items/a', body, { 'idempotency-key': key })
    const first = await ask('PATCH', { x: 5 }, 'k1')
    await site.ask('PATCH', '/v1/boards/others/items/a', { x: 6 })
    expect((await ask('PATCH', { x: 5 }, 'k1')).json()).toEqual(first.json())
    expect(await listed(site, 'others')).toMatchObject([{ x: 6 }])
    expect((await ask('DELETE', undefined, 'k2')).statusCode).toBe(204)
    expect((await ask('DELETE', undefined, 'k2')).statusCode).toBe(204)
  })

  test('stands for one request: another body, address, method or precondition under it is refused', async () => {
    await post(site, 'reused', { id: 'a' }, 'key')
    const url = '/v1/boards/reused/items'
    const key = { 'idempotency-key': 'key' }
    await site.ask('DELETE', `${url}/another`, undefined, { 'idempotency-key': 'delete another' })
    const others = [
      await site.ask('POST', url, { ...smallSticky, id: 'b' }, key),
      await site.ask('PATCH', `${url}/a`, { ...smallSticky, id: 'a' }, key),
      await site.ask('DELETE', `${url}/a`, undefined, key),
      await site.ask('DELETE', `${url}/a`, undefined, { 'idempotency-key': 'delete another' }),
      await site.ask('POST', url, { ...smallSticky, id: 'a' }, { ...key, 'if-match': '*' }),
    ]
    for (const answer of others) {
      expect([answer.statusCode, answer.json().type]).toEqual([422, '/v1/problems/idempotency-key-reused'])
    }
    expect(await listed(site, 'reused')).toHaveLength(1)
    expect((await post(site, 'another-board', { id: 'b' }, 'key')).statusCode).toBe(201)
  })

  test('stands for one request among all writes of a board, whichever came first', async () => {
    const rename = (key: string) => site.ask('PATCH', '/v1/boards/kinds', { title: key }, { 'idempotency-key': key })
    expect((await post(site, 'kinds', { id: 'a' }, 'k1')).statusCode).toBe(201)
    expect(refusalOf(await rename('k1'))).toBe('422 idempotency-key-reused')
    expect((await rename('k2')).statusCode).toBe(200)
    expect(refusalOf(await post(site, 'kinds', { id: 'b' }, 'k2'))).toBe('422 idempotency-key-reused')
    expect([(await post(site, 'kinds', { id: 'a' }, 'k1')).statusCode, (await rename('k2')).statusCode]).toEqual([
      201, 200,
    ])
    expect(await listed(site, 'kinds')).toHaveLength(1)
    expect((await site.ask('GET', '/v1/boards/kinds')).json()).toMatchObject({ title: 'k2' })
  })

  test.each(['', 'a'.repeat(256), 'ü', 'a\u0001'])('%j is none', async key => {
    const answer = await site.ask('POST', '/v1/boards/keyless/items', smallSticky, { 'idempotency-key': key })
    expect([answer.statusCode, answer.json().errors?.[0].pointer]).toEqual([400, '/Idempotency-Key'])
  })
})
