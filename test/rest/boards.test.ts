/** The life of a board over REST: created, listed, read, renamed. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Authenticate } from '../../core/auth/authenticate.ts'
import { grantOf } from '../../core/auth/grant.ts'
import type { Role } from '../../core/contract/role.ts'
import { putRecord } from '../../core/doc/record-layout.ts'
import { releasing } from '../kit/releasing.ts'
import { freshBoard, Site } from '../kit/site.ts'
import { until } from '../kit/until.ts'
import { create, listed, smallSticky } from './asking.ts'
import { drawnNote } from './drawn.ts'
import { pointersOf, refusalOf } from './refusals.ts'

const use = releasing(afterAll)
let site: Site
beforeAll(async () => {
  site = use(await Site.start({ settings: { SNAPSHOT_DEBOUNCE_MS: '10' } }))
})

const found = (board: string) => site.ask('GET', `/v1/boards/${board}`)
const isTime = expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/)

describe('a board', () => {
  test('is created under the id and title asked for, empty', async () => {
    const board = freshBoard()
    const answer = await site.ask('POST', '/v1/boards', { id: board, title: ' Retro ' })
    expect([answer.statusCode, answer.headers.location]).toEqual([201, `/v1/boards/${board}`])
    const entry = { id: board, title: 'Retro', seq: 0, item_count: null, created_at: isTime, updated_at: isTime }
    expect(answer.json()).toEqual(entry)
    expect((await found(board)).json()).toEqual({ ...entry, item_count: 0, peers: [] })
  })

  test('gets an id that cannot be guessed where none is asked for', async () => {
    const answers = await Promise.all([1, 2].map(() => site.ask('POST', '/v1/boards', {})))
    const ids = answers.map(answer => answer.json().id)
    expect(new Set(ids).size).toBe(2)
    for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9_-]{22,}$/)
    expect((await found(ids[0])).json()).toMatchObject({ title: null })
  })

  test('is created once: its id is taken then, however it came into being', async () => {
    const [made, posted] = [freshBoard(), freshBoard()]
    await site.ask('POST', '/v1/boards', { id: made })
    await create(site, posted)
    for (const id of [made, posted]) {
      expect(refusalOf(await site.ask('POST', '/v1/boards', { id }))).toBe('409 board-exists')
    }
  })

  test.each<[string, unknown, string]>([
    ['a reserved id', { id: 'metrics' }, '/id'],
    ['an id that is none', { id: 'a.b' }, '/id'],
    ['an id that is too long', { id: 'a'.repeat(129) }, '/id'],
    ['an empty title', { title: ' ' }, '/title'],
    ['a title that is too long', { title: 'a'.repeat(201) }, '/title'],
    ['a title with a NUL', { title: 'a\0' }, '/title'],
    ['a title of half a character', { title: '\ud800' }, '/title'],
    ['a title that is no text', { title: 1 }, '/title'],
    ['an unknown field', { name: 'x' }, '/name'],
    ['a list', [], ''],
  ])('is not created with %s', async (_name, body, pointer) => {
    const answer = await site.ask('POST', '/v1/boards', body)
    expect([refusalOf(answer), pointersOf(answer)]).toEqual(['400 request-invalid', [pointer]])
  })

  test('tells its seq and its items as they are now', async () => {
    const board = freshBoard()
    await create(site, board, { id: 'a' })
    await create(site, board, { id: 'b' })
    const { seq } = (await site.ask('DELETE', `/v1/boards/${board}/items/a`)) && (await found(board)).json()
    expect((await found(board)).json()).toMatchObject({ seq: 3, item_count: 1 })
    expect(seq).toBe(3)
  })

  test('has as many items as its list shows, at its last snapshot too: what tldraw would reject is none', async () => {
    const board = freshBoard()
    await create(site, board)
    const person = use(await site.join(board))
    person.doc.transact(() => {
      person.doc.getMap('tldraw').set('shape:bad', 42)
      putRecord(person.doc, drawnNote('invalid', { opacity: 7 }))
      putRecord(person.doc, drawnNote('drawn'))
    })
    await until(async () => (await listed(site, board)).length === 2)
    expect((await found(board)).json().item_count).toBe(2)
    const counts: (number | null)[] = []
    await until(async () => {
      const { boards } = (await site.ask('GET', '/v1/boards?limit=500')).json()
      counts.push(boards.find(({ id }: { id: string }) => id === board).item_count)
      return (counts.at(-1) ?? 0) > 1
    })
    expect(counts.at(-1)).toBe(2)
  })

  test('is renamed, and loses its title', async () => {
    const board = freshBoard()
    await site.ask('POST', '/v1/boards', { id: board, title: 'One' })
    const renamed = await site.ask('PATCH', `/v1/boards/${board}`, { title: 'Two' })
    expect([renamed.statusCode, renamed.json().title]).toEqual([200, 'Two'])
    expect((await found(board)).json().title).toBe('Two')
    expect((await site.ask('PATCH', `/v1/boards/${board}`, {})).json().title).toBe('Two')
    expect((await site.ask('PATCH', `/v1/boards/${board}`, { title: null })).json().title).toBe(null)
    const refused = await site.ask('PATCH', `/v1/boards/${board}`, { title: '' })
    expect([refusalOf(refused), pointersOf(refused)]).toEqual(['400 request-invalid', ['/title']])
  })

  test('says when it last changed', async () => {
    const board = freshBoard()
    const { updated_at: before } = (await site.ask('POST', '/v1/boards', { id: board })).json()
    const times = [before]
    await create(site, board)
    times.push((await found(board)).json().updated_at)
    const person = use(await site.join(board))
    person.doc.getMap('tldraw').set('x', 1)
    times.push(
      await until(async () => {
        const { updated_at: at } = (await found(board)).json()
        return at !== times[1] && at
      }),
    )
    expect(times).toEqual([...new Set(times)].sort())
  })

  test('that is not there is answered 404', async () => {
    const board = freshBoard()
    for (const [method, path, body] of [
      ['GET', board],
      ['PATCH', board, { title: 'x' }],
      ['PATCH', board, {}],
      ['DELETE', board],
      ['POST', `${board}/restore`],
    ] as const) {
      expect(refusalOf(await site.ask(method, `/v1/boards/${path}`, body))).toBe('404 board-missing')
    }
    expect(refusalOf(await found('a.b'))).toBe('400 board-id-invalid')
    expect(refusalOf(await site.ask('PUT', '/v1/boards'))).toBe('405 method-not-allowed')
  })
})

describe('a board that a refused write would have brought into being', () => {
  test.each<[string, object]>([
    ['tldraw would not take it', { parent: 'no-such-frame' }],
    ['nobody could read it', { x: 'left' }],
  ])('is not there, where %s', async (_why, item) => {
    const board = freshBoard()
    const refused = await create(site, board, item)
    expect(refused.statusCode).toBeGreaterThanOrEqual(400)
    expect((await found(board)).statusCode).toBe(404)
    expect((await create(site, board)).statusCode).toBe(201)
  })

  test('comes into being by the same key when the request has been put right', async () => {
    const board = freshBoard()
    const ask = (item: object) =>
      site.ask('POST', `/v1/boards/${board}/items`, { ...smallSticky, ...item }, { 'idempotency-key': 'k' })
    expect(refusalOf(await ask({ parent: 'none' }))).toBe('422 item-invalid')
    expect((await ask({ id: 'a' })).statusCode).toBe(201)
    expect((await ask({ id: 'a' })).statusCode).toBe(201)
    expect((await found(board)).json()).toMatchObject({ item_count: 1 })
  })
})

describe('the list of boards', () => {
  let own: Site
  const ids = Array.from({ length: 7 }, (_, n) => `list-${n}`)
  beforeAll(async () => {
    own = use(await Site.start({ settings: { SNAPSHOT_DEBOUNCE_MS: '10' } }))
    for (const id of ids.toReversed()) await own.ask('POST', '/v1/boards', { id, title: id })
  })
  const list = async (query = '') => (await own.ask('GET', `/v1/boards${query}`)).json()

  test('has each board once, in the order of their ids, by pages', async () => {
    const seen: string[] = []
    let cursor = ''
    for (;;) {
      const { boards, next } = await list(`?limit=3${cursor && `&cursor=${cursor}`}`)
      expect(boards.length).toBeLessThanOrEqual(3)
      seen.push(...boards.map((board: { id: string }) => board.id))
      if (next === null) break
      cursor = next
      // What comes and goes on the way moves nothing.
      await own.ask('POST', '/v1/boards', { id: `Earlier-${seen.length}` })
    }
    expect(seen).toEqual(ids)
    expect((await list('?limit=7')).next).not.toBe(null)
  })

  test('tells title, times, and the items at the last snapshot', async () => {
    await create(own, 'list-3', { id: 'a' })
    const entry = await until(async () => {
      const { boards } = await list('?limit=500')
      return boards.find(
        (board: { id: string; item_count: number | null }) => board.id === 'list-3' && board.item_count,
      )
    })
    expect(entry).toEqual({
      id: 'list-3',
      title: 'list-3',
      seq: 1,
      item_count: 1,
      created_at: isTime,
      updated_at: isTime,
    })
  })

  test('narrowed to one id has the board of that id or none', async () => {
    expect(await list('?id=list-2')).toMatchObject({ boards: [{ id: 'list-2', title: 'list-2' }], next: null })
    for (const id of ['list', 'no-such-board', 'a.b', '%00', '']) {
      expect(await list(`?id=${id}`)).toEqual({ boards: [], next: null })
    }
  })

  test.each([
    ['?limit=0', '/limit'],
    ['?limit=501', '/limit'],
    ['?limit=x', '/limit'],
    ['?cursor=', '/cursor'],
    ['?cursor=%21', '/cursor'],
    ['?cursor=AA', '/cursor'],
    ['?title=x', '/title'],
  ])('is refused with a pointer for %s', async (query, pointer) => {
    const answer = await own.ask('GET', `/v1/boards${query}`)
    expect([refusalOf(answer), pointersOf(answer)]).toEqual(['400 request-invalid', [pointer]])
  })
})

describe('who may', () => {
  /** `<role> <board>`: a role on one board, or on `*`. */
  const byToken: Authenticate = async credential => {
    const subject = credential?.reveal() ?? ''
    const [role, board] = subject.split('.') as [Role, string]
    return grantOf({ subject, rights: new Map([[board, role]]), basis: { issuer: 'test' } })
  }
  let own: Site
  beforeAll(async () => {
    own = use(await Site.start({ storage: site.storage, applies: false, authenticate: byToken }))
  })
  const as = (who: string, method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: object) =>
    own.ask(method, `/v1/boards${path}`, body, { 'x-api-key': who })

  test('create a board: who may write it', async () => {
    const [one, other] = [freshBoard(), freshBoard()]
    for (const [who, body] of [
      ['read.*', { id: one }],
      [`read.${one}`, { id: one }],
      [`write.${other}`, { id: one }],
      [`admin.${other}`, {}],
    ] as const) {
      expect(refusalOf(await as(who, 'POST', '', body))).toBe('403 forbidden')
    }
    expect((await as(`write.${one}`, 'POST', '', { id: one })).statusCode).toBe(201)
    expect((await as('write.*', 'POST', '', {})).statusCode).toBe(201)
  })

  test('find it in the list by its id: who has a role on it', async () => {
    const [board, other] = [freshBoard(), freshBoard()]
    await as('admin.*', 'POST', '', { id: board })
    for (const [who, ids] of [
      [`read.${board}`, [board]],
      ['read.*', [board]],
      [`admin.${other}`, []],
    ] as const) {
      const { boards } = (await as(who, 'GET', `?id=${board}`)).json()
      expect(boards.map(({ id }: { id: string }) => id)).toEqual(ids)
    }
  })

  test('see, rename, delete and restore it: by role; without any it might as well not be there', async () => {
    const board = freshBoard()
    await as('admin.*', 'POST', '', { id: board })
    const statuses = async (role: string) =>
      (
        await Promise.all([
          as(role, 'GET', `/${board}`),
          as(role, 'PATCH', `/${board}`, {}),
          ...(role.startsWith('admin') ? [] : [as(role, 'DELETE', `/${board}`)]),
          as(role, 'POST', `/${board}/restore`),
        ])
      ).map(answer => answer.statusCode)
    expect(await statuses(`read.${board}`)).toEqual([200, 403, 403, 403])
    expect(await statuses(`write.${board}`)).toEqual([200, 200, 403, 403])
    expect(await statuses(`admin.${board}`)).toEqual([200, 200, 200])
    expect(await statuses('admin.another')).toEqual([404, 404, 404])
    expect(refusalOf(await as('write.another', 'DELETE', `/${board}`))).toBe('404 board-missing')
    expect((await as(`admin.${board}`, 'DELETE', `/${board}`)).statusCode).toBe(204)
  })

  test('list it: who may read it, page by page', async () => {
    const boards = Array.from({ length: 3 }, () => freshBoard())
    for (const id of boards) await as('admin.*', 'POST', '', { id })
    expect((await as(`read.${boards[1]}`, 'GET', '?limit=1')).json()).toMatchObject({
      boards: [{ id: boards[1] }],
      next: null,
    })
    for (const nowhere of ['none', 'a\0', '', '\ud800', 'admin']) {
      const answer = await as(`read.${nowhere}`, 'GET', '')
      expect([answer.statusCode, answer.json()]).toEqual([200, { boards: [], next: null }])
    }
  })
})
