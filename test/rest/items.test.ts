/** What an agent does to items, and what people on the board see of it. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { itemEtag } from '../../core/doc/item-etag.ts'
import { readItem } from '../../core/doc/items.ts'
import { putRecord, recordsOf } from '../../core/doc/record-layout.ts'
import { recordFault } from '../../core/doc/tldraw-schema.ts'
import { releasing } from '../kit/releasing.ts'
import { openEmbeddedStorage, Site } from '../kit/site.ts'
import { temporaryFolder } from '../kit/temporary-folder.ts'
import { until } from '../kit/until.ts'
import { create, patch, problem, recordIn, sticky } from './asking.ts'
import { drawnNote } from './drawn.ts'

const use = releasing()
const useForAll = releasing(afterAll)
let site: Site
beforeAll(async () => {
  site = useForAll(await Site.start())
})

describe('a created item', () => {
  test('is answered as applied, with its address, its ETag and the seq from which on it is there', async () => {
    const answer = await create(site, 'created', { id: 'a' })
    expect(answer.statusCode).toBe(201)
    expect(answer.headers.location).toBe('/v1/boards/created/items/a')
    const { seq, ...item } = answer.json()
    expect(item).toMatchObject({ ...sticky, id: 'a', width: 200, height: 200, rotation: 0 })
    expect(answer.headers.etag).toBe(itemEtag(item))
    expect(seq).toBe(1)
    expect((await create(site, 'created', { id: 'b' })).json().seq).toBe(2)

    const got = await site.ask('GET', String(answer.headers.location))
    expect(got.json()).toEqual(item)
    expect(got.headers.etag).toBe(answer.headers.etag)
  })

  test('is in the log when the answer is there, as a record that tldraw accepts', async () => {
    const { id } = (await create(site, 'logged')).json()
    const record = recordIn(await site.logged('logged'), id)
    expect(record && recordFault(record)).toBeUndefined()
    expect(record).toMatchObject({ type: 'note', x: 100, y: 200, props: { color: 'light-green' } })
    expect(record?.meta).toEqual({ item_id: id, item_type: 'sticky', created_by: 'agent-7' })
  })

  test('gets an id of its own where it names none', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => create(site, 'unnamed')))
    const ids = answers.map(answer => answer.json().id)
    expect(new Set(ids).size).toBe(20)
    for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9_-]{16}$/)
  })

  test('shows on every canvas that is open', async () => {
    const person = use(await site.join('watched'))
    await create(site, 'watched', { id: 'a' })
    await until(person.doc, () => readItem(person.doc, 'a')?.content.text === 'From an agent')
    expect(recordIn(person.doc, 'a')).toEqual(recordIn(await site.logged('watched'), 'a'))
  })

  test('is there for whoever opens the board later, when nobody had it open', async () => {
    await create(site, 'unwatched', { id: 'a' })
    const person = use(await site.join('unwatched'))
    expect(readItem(person.doc, 'a')).toMatchObject(sticky)
  })

  test('survives a restart', async () => {
    const folder = use(temporaryFolder())
    const first = await openEmbeddedStorage(folder.path)
    const before = await Site.start({ storage: first })
    const created = await before.ask('POST', '/v1/boards/restarted/items', { ...sticky, id: 'a' })
    await before.stop()
    await first.close()

    const storage = use(await openEmbeddedStorage(folder.path), given => given.close())
    const after = use(await Site.start({ storage }))
    const got = await after.ask('GET', '/v1/boards/restarted/items/a')
    expect(got.headers.etag).toBe(created.headers.etag)
    expect((await after.ask('GET', '/v1/boards/restarted/items')).json()).toMatchObject({
      items: [{ id: 'a' }],
      seq: 1,
    })
  })

  test('under an id that the board has is refused, and what was there stays', async () => {
    await create(site, 'taken', { id: 'a' })
    const again = await create(site, 'taken', { id: 'a', x: 5 })
    expect([again.statusCode, again.json()]).toEqual([409, problem('item-exists')])
    expect((await site.ask('GET', '/v1/boards/taken/items/a')).json().x).toBe(100)
  })

  test('whose frame does not exist is refused with a pointer', async () => {
    const answer = await create(site, 'frameless', { parent: 'nowhere' })
    expect(answer.statusCode).toBe(422)
    expect(answer.json().errors).toEqual([{ pointer: '/parent', detail: expect.any(String) }])
  })
})

describe('an item that is read', () => {
  test('is not sent again to whoever has it', async () => {
    const etag = String((await create(site, 'read', { id: 'a' })).headers.etag)
    const read = (seen: string) => site.ask('GET', '/v1/boards/read/items/a', undefined, { 'if-none-match': seen })
    for (const seen of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const answer = await read(seen)
      expect([answer.statusCode, answer.body, answer.headers.etag]).toEqual([304, '', etag])
    }
    expect((await read('"other"')).statusCode).toBe(200)
    await create(site, 'read', { id: 'b' })
    expect((await read(etag)).statusCode).toBe(304)
    await patch(site, 'read', 'a', { x: 1 })
    expect((await read(etag)).statusCode).toBe(200)
  })

  test('answers HEAD as GET, without the body', async () => {
    const etag = (await create(site, 'head', { id: 'a' })).headers.etag
    const answer = await site.ask('HEAD', '/v1/boards/head/items/a')
    expect([answer.statusCode, answer.body, answer.headers.etag]).toEqual([200, '', etag])
  })
})

describe('what a person drew', () => {
  test('is an item: read, moved and deleted by whatever id it has', async () => {
    const person = use(await site.join('drawn'))
    const id = 'drawn by/a person:1 ü%'
    person.doc.transact(() => putRecord(person.doc, drawnNote(id, { x: 7 })))
    const url = `/v1/boards/drawn/items/${encodeURIComponent(id)}`
    const found = await until(async () => {
      const answer = await site.ask('GET', url)
      return answer.statusCode === 200 && answer.json()
    })
    expect(found).toMatchObject({ id, type: 'sticky', x: 7, record: { id: `shape:${id}` } })
    const patched = await site.ask('PATCH', url, { x: 8, style: { color: 'red' } })
    expect(patched.json()).toMatchObject({ id, x: 8, style: { color: 'red' } })
    await until(person.doc, () => readItem(person.doc, id)?.x === 8)
    expect((await site.ask('DELETE', url)).statusCode).toBe(204)
    await until(person.doc, () => !recordsOf(person.doc).has(`shape:${id}`))
  })
})

describe('a deleted item', () => {
  test('is gone for everybody, and so for every later request', async () => {
    const person = use(await site.join('deleted'))
    await create(site, 'deleted', { id: 'a' })
    const answer = await site.ask('DELETE', '/v1/boards/deleted/items/a')
    expect([answer.statusCode, answer.body]).toEqual([204, ''])
    await until(person.doc, () => !recordsOf(person.doc).has('shape:a') && recordsOf(person.doc).has('page:page'))
    for (const method of ['DELETE', 'GET', 'PATCH'] as const) {
      const again = await site.ask(method, '/v1/boards/deleted/items/a', method === 'PATCH' ? {} : undefined)
      expect([again.statusCode, again.json()]).toEqual([404, problem('item-missing')])
    }
    expect((await create(site, 'deleted', { id: 'a' })).statusCode).toBe(201)
  })

  test('may be deleted with a content type and no body, as many clients send it', async () => {
    await create(site, 'bodyless', { id: 'a' })
    const answer = await site.ask('DELETE', '/v1/boards/bodyless/items/a', '', { 'content-type': 'application/json' })
    expect(answer.statusCode).toBe(204)
  })
})

describe('a board that does not exist', () => {
  test('has no items, and only a POST brings it into being', async () => {
    for (const method of ['GET', 'PATCH', 'DELETE'] as const) {
      const answer = await site.ask(method, '/v1/boards/nowhere/items/a', method === 'PATCH' ? {} : undefined)
      expect([answer.statusCode, answer.json()]).toEqual([404, problem('board-missing')])
    }
    expect((await site.ask('GET', '/v1/boards/nowhere/items')).statusCode).toBe(404)
    expect((await create(site, 'nowhere', { type: 'spaceship' })).statusCode).toBe(400)
    expect((await site.ask('GET', '/v1/boards/nowhere/items')).statusCode).toBe(404)
    await create(site, 'nowhere')
    expect((await site.ask('GET', '/v1/boards/nowhere/items')).json().items).toHaveLength(1)
  })
})
