/** A patch changes what it names, on the condition it names, and leaves alone what people do at the same moment. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import { itemEtag } from '../../core/doc/item-etag.ts'
import { readItem } from '../../core/doc/items.ts'
import { changeRecord, putRecord } from '../../core/doc/record-layout.ts'
import { releasing } from '../kit/releasing.ts'
import { Site } from '../kit/site.ts'
import { until } from '../kit/until.ts'
import { create, listed, patch, problem, recordIn, sticky } from './asking.ts'
import { drawnNote, untoldNote } from './drawn.ts'

const use = releasing()
const useForAll = releasing(afterAll)
let site: Site
beforeAll(async () => {
  site = useForAll(await Site.start())
})

describe('a patch', () => {
  test('changes the fields it names and no other, in either content type', async () => {
    await create(site, 'patched', { id: 'a' })
    for (const [type, color] of [
      ['application/json', 'red'],
      ['application/merge-patch+json', 'blue'],
    ] as const) {
      const answer = await patch(site, 'patched', 'a', { style: { color } }, { 'content-type': type })
      expect(answer.statusCode).toBe(200)
      const { seq: _, ...item } = answer.json()
      expect(item).toMatchObject({ ...sticky, style: { color } })
      expect(answer.headers.etag).toBe(itemEtag(item))
    }
  })

  test('keeps what a person changed in other fields at the same moment, and is kept by it', async () => {
    await create(site, 'concurrent', { id: 'a' })
    const person = use(await site.join('concurrent'))
    for (let round = 0; round < 20; round++) {
      const before = recordIn(person.doc, 'a')
      if (!before) throw new Error('the item is gone')
      const patched = patch(site, 'concurrent', 'a', { style: { color: round % 2 === 0 ? 'red' : 'blue' } })
      person.doc.transact(() => changeRecord(person.doc, before, { ...before, x: round, y: -round }))
      expect((await patched).statusCode).toBe(200)
      const color = round % 2 === 0 ? 'red' : 'blue'
      await until(person.doc, () => readItem(person.doc, 'a')?.style.color === color)
      await until(async () => {
        const item = (await site.ask('GET', '/v1/boards/concurrent/items/a')).json()
        return item.x === round && item.y === -round && item.style.color === color
      })
    }
  })

  // Of two writes to one key Yjs keeps the one of the higher client id: neither way may the patch have written the place.
  test.each([1, 2 ** 32 - 1])('keeps what a person (client %d) did meanwhile without a connection', async client => {
    const board = `offline-${client}`
    await create(site, board, { id: 'a' })
    const doc = new Y.Doc()
    doc.clientID = client
    const person = use(await site.join(board, doc))
    const before = recordIn(person.doc, 'a')
    if (!before) throw new Error('the item is gone')
    person.provider.disconnect()
    expect((await patch(site, board, 'a', { style: { color: 'red' } })).statusCode).toBe(200)
    person.doc.transact(() => changeRecord(person.doc, before, { ...before, x: -5 }))
    person.provider.connect()
    await until(async () => {
      const item = (await site.ask('GET', `/v1/boards/${board}/items/a`)).json()
      return item.x === -5 && item.style.color === 'red'
    })
    await until(person.doc, () => readItem(person.doc, 'a')?.style.color === 'red')
    expect(readItem(person.doc, 'a')).toMatchObject({ x: -5, y: 200 })
  })

  test('sets back to the default with null', async () => {
    await create(site, 'nulled', { id: 'a' })
    const answer = await patch(site, 'nulled', 'a', { x: null, style: { color: null }, created_by: null })
    expect(answer.json()).toMatchObject({ x: 0, y: 200, style: { color: 'yellow' }, content: sticky.content })
    expect(answer.json()).not.toHaveProperty('created_by')
    expect((await patch(site, 'nulled', 'a', { content: null })).json().content).toEqual({ text: '' })
  })

  test('that names nothing, or what is so already, writes nothing to the log', async () => {
    await create(site, 'empty', { id: 'a' })
    for (const body of [{}, { content: {} }, { x: 100 }, { id: 'a', type: 'sticky' }]) {
      const answer = await patch(site, 'empty', 'a', body)
      expect([answer.statusCode, answer.json()]).toEqual([200, expect.objectContaining({ x: 100, seq: 1 })])
    }
    expect((await site.ask('GET', '/v1/boards/empty/items')).json().seq).toBe(1)
  })

  test('of an id or a type is refused with a pointer', async () => {
    await create(site, 'fixed', { id: 'a' })
    for (const [body, pointer] of [
      [{ id: 'b' }, '/id'],
      [{ type: 'text' }, '/type'],
    ] as const) {
      const answer = await patch(site, 'fixed', 'a', body)
      expect([answer.statusCode, answer.json()]).toEqual([422, problem('item-invalid')])
      expect(answer.json().errors).toEqual([{ pointer, detail: expect.any(String) }])
    }
  })
})

test('what JSON cannot hold is no item to agents: others are listed, and patching it harms nobody', async () => {
  const board = 'untold'
  await create(site, board, { id: 'a' })
  const person = use(await site.join(board))
  putRecord(person.doc, untoldNote('untold'))
  putRecord(person.doc, drawnNote('drawn'))
  await until(async () => (await site.ask('GET', `/v1/boards/${board}/items/drawn`)).statusCode === 200)
  expect((await listed(site, board)).map(({ id }) => id)).toEqual(['a', 'drawn'])
  expect((await site.ask('GET', `/v1/boards/${board}/items/untold`)).statusCode).toBe(404)
  expect((await patch(site, board, 'untold', { x: 1 })).statusCode).toBe(404)
  expect((await patch(site, board, 'a', { x: 1 })).statusCode).toBe(200)
})

describe('If-Match', () => {
  test('lets a change through while the item is as it was read, whatever happens elsewhere on the board', async () => {
    const etag = String((await create(site, 'matched', { id: 'a' })).headers.etag)
    await create(site, 'matched', { id: 'b' })
    expect((await patch(site, 'matched', 'a', { x: 1 }, { 'if-match': etag })).statusCode).toBe(200)

    const late = await patch(site, 'matched', 'a', { x: 2 }, { 'if-match': etag })
    expect([late.statusCode, late.json()]).toEqual([412, problem('item-changed')])
    const remove = await site.ask('DELETE', '/v1/boards/matched/items/a', undefined, { 'if-match': etag })
    expect(remove.statusCode).toBe(412)
    expect((await site.ask('GET', '/v1/boards/matched/items/a')).json().x).toBe(1)
  })

  test('takes a list and *, and no weak tag', async () => {
    await create(site, 'listed', { id: 'a' })
    const etag = String((await patch(site, 'listed', 'a', { x: 0 })).headers.etag)
    const statusOf = async (tag: string) => (await patch(site, 'listed', 'a', {}, { 'if-match': tag })).statusCode
    expect(await statusOf(`"other", ${etag}`)).toBe(200)
    expect(await statusOf('*')).toBe(200)
    expect(await statusOf(`W/${etag}`)).toBe(412)
    expect(await statusOf('')).toBe(412)
  })
})
