/** The events of a board: what people and agents do, as it is committed, once. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { changeRecord, type PlainRecord, putRecord, removeRecord } from '../../core/doc/record-layout.ts'
import { listen } from '../kit/event-client.ts'
import { releasing } from '../kit/releasing.ts'
import { freshBoard, Site } from '../kit/site.ts'
import { until } from '../kit/until.ts'
import { embeddedSite, type Site as Store } from '../storage/site.ts'
import { patch, post, recordIn } from './asking.ts'
import { drawnNote, untoldNote } from './drawn.ts'
import { draw, eventsOf, remove, told } from './told-events.ts'

const useForAll = releasing(afterAll)
const use = releasing()
let store: Store
let site: Site
/** Another instance: it has no room open, and no bus that it shares with the first. */
let other: Site
beforeAll(async () => {
  store = useForAll(await embeddedSite())
  site = useForAll(await Site.start({ storage: store.storage }))
  other = useForAll(await Site.start({ storage: store.storage }))
})

const events = async (at: Site, board: string, last?: string) => use(await eventsOf(at, board, last))

describe('events', () => {
  test('tell what agents do, each with its seq, who did it, and the item as it was then', async () => {
    const board = freshBoard()
    await post(site, board, { id: 'a' })
    const stream = await events(site, board)
    expect([stream.status, stream.headers['content-type'], stream.headers['cache-control']]).toEqual([
      200,
      'text/event-stream; charset=utf-8',
      'no-store',
    ])
    const created = (await post(site, board, { id: 'b', content: { text: 'two\nlines' } })).json()
    await patch(site, board, 'a', { x: 50 })
    await patch(site, board, 'a', { x: 50 })
    await remove(site, board, 'b')
    const heard = await stream.heard(3)
    expect(heard.map(told)).toEqual([
      'created b 2 agent:anyone',
      'updated a 3 agent:anyone',
      'deleted b 4 agent:anyone',
    ])
    const { seq, ...item } = created
    expect(heard[0]?.data).toEqual({ item, seq, actor: 'agent:anyone' })
    expect(heard[1]?.data.item).toMatchObject({ id: 'a', x: 50, content: { text: '' } })
    expect(heard[2]?.data).toEqual({ id: 'b', seq: 4, actor: 'agent:anyone' })
    const epoch = stream.openings[0]?.split('-')[0]
    expect([...stream.openings, ...heard.map(({ id }) => id)]).toEqual([1, 2, 3, 4].map(n => `${epoch}-${n}`))
  })

  test('tell what people do; what they do at once has one id, on the last event', async () => {
    const board = freshBoard()
    const person = use(await site.join(board))
    const stream = await events(site, board)
    draw(person, 'a', 'b', 'c')
    await stream.heard(3)
    person.doc.transact(() => {
      const record = recordIn(person.doc, 'b')
      if (record) changeRecord(person.doc, record, { ...record, x: 9 })
      removeRecord(person.doc, 'shape:c')
    })
    const heard = await stream.heard(5)
    expect(heard.map(told)).toEqual([
      'created a 1 human:anyone',
      'created b 1 human:anyone',
      'created c 1 human:anyone',
      'updated b 2 human:anyone',
      'deleted c 2 human:anyone',
    ])
    expect(heard[3]?.data.item).toMatchObject({ x: 9, record: { id: 'shape:b' } })
    expect(heard.map(({ id }) => id?.split('-')[1])).toEqual([undefined, undefined, '1', undefined, '2'])
  })

  test('tell of an item whose picture or whose ends changed, and not of what agents cannot see', async () => {
    const board = freshBoard()
    const person = use(await site.join(board))
    const stream = await events(site, board)
    draw(person, 'a')
    await stream.heard(1)
    const put = (record: Parameters<typeof putRecord>[1]) => person.doc.transact(() => putRecord(person.doc, record))
    const asset = (src: string) => ({
      id: 'asset:p',
      typeName: 'asset',
      type: 'image',
      meta: {},
      props: { w: 1, h: 1, name: '', isAnimated: false, mimeType: 'image/png', src },
    })
    put(asset('https://example.com/1.png'))
    put({
      ...drawnNote('p'),
      type: 'image',
      props: {
        w: 1,
        h: 1,
        playing: true,
        url: '',
        assetId: 'asset:p',
        crop: null,
        flipX: false,
        flipY: false,
        altText: '',
      },
    })
    put(untoldNote('untold'))
    put({ id: 'shape:foreign', typeName: 'shape', type: 'from-elsewhere' })
    await stream.heard(2)
    put(asset('https://example.com/2.png'))
    const heard = await stream.heard(3)
    expect(heard.map(({ event, data }) => [event, (data.item as { content: object }).content])).toEqual([
      ['item.created', { text: 'by hand' }],
      ['item.created', { url: 'https://example.com/1.png', title: '' }],
      ['item.updated', { url: 'https://example.com/2.png', title: '' }],
    ])
  })

  test('tell of a connector whose end goes or comes back by a program that leaves the binding, and not of one that follows', async () => {
    const board = freshBoard()
    for (const id of ['a', 'b']) await post(site, board, { id })
    await post(site, board, { id: 'ab', type: 'connector', content: { from: 'a', to: 'b' } })
    const person = use(await site.join(board))
    const stream = await events(site, board)
    const note = recordIn(person.doc, 'b') as PlainRecord
    person.doc.transact(() => changeRecord(person.doc, note, { ...note, x: 900 }))
    await stream.heard(1)
    person.doc.transact(() => removeRecord(person.doc, note.id))
    await stream.heard(3)
    person.doc.transact(() => putRecord(person.doc, note))
    const heard = await stream.heard(5)
    const ends = heard.map(({ data }) => (data.item as { content: { to?: string } } | undefined)?.content.to)
    expect(heard.map(({ event }, n) => `${event} ${ends[n]}`)).toEqual([
      'item.updated undefined',
      'item.updated undefined',
      'item.deleted undefined',
      'item.updated b',
      'item.created undefined',
    ])
  })

  test('reach who listens at an instance that has no room open and hears of nothing', async () => {
    const board = freshBoard()
    await post(site, board, { id: 'a' })
    const streams = [await events(other, board), await events(other, board)]
    await post(site, board, { id: 'b' })
    await patch(site, board, 'b', { x: 7 })
    for (const stream of streams) {
      expect((await stream.heard(2)).map(told)).toEqual(['created b 2 agent:anyone', 'updated b 3 agent:anyone'])
    }
  })
})

describe('presence', () => {
  test('is told of who comes and who leaves, without a place in the log', async () => {
    const board = freshBoard()
    await post(site, board)
    const stream = await events(site, board)
    const there = use(await site.join(board))
    there.awareness.setLocalState({ user: { name: 'Ann', color: '#d6336c' } })
    await until(() => stream.events.some(({ event }) => event === 'presence.joined'))
    const joined = stream.events.find(({ event }) => event === 'presence.joined')
    expect(joined).toEqual({ event: 'presence.joined', data: { name: 'Ann', color: '#d6336c', type: 'human' } })
    there.stop()
    await until(() => stream.events.at(-1)?.event === 'presence.left')
    expect(stream.events.at(-1)?.data).toEqual(joined?.data)
  })
})

describe('a stream', () => {
  test('ends when its board is deleted, and there is none of a board that is not', async () => {
    const board = freshBoard()
    await post(site, board, { id: 'a' })
    const stream = await events(site, board)
    await store.database.query('UPDATE boardsync.boards SET deleted_at = now() WHERE id = $1', [board])
    await until(() => stream.ended === 'end')
    for (const missing of [board, 'never-was']) {
      const answer = await events(site, missing)
      expect([answer.status, JSON.parse(answer.body).type]).toEqual([404, '/v1/problems/board-missing'])
    }
  })

  test('ends when its board goes back to another history', async () => {
    const board = freshBoard()
    await post(site, board, { id: 'a' })
    const stream = await events(site, board)
    await store.database.query('UPDATE boardsync.boards SET epoch = epoch + 1 WHERE id = $1', [board])
    await until(() => stream.ended === 'end')
    expect((await events(site, board, stream.openings[0])).status).toBe(410)
    expect((await events(site, board)).status).toBe(200)
  })

  test('ends when its instance goes, which takes no new ones then', async () => {
    const leaving = await Site.start({ storage: store.storage })
    const board = freshBoard()
    await post(leaving, board)
    const stream = await events(leaving, board)
    await leaving.stop()
    await until(() => stream.ended === 'end')
  })

  test('is only for who may read the board', async () => {
    const locked = use(await Site.start({ storage: store.storage, settings: { ADMIN_KEY: 'an-admin-key-of-length' } }))
    const board = freshBoard()
    await post(site, board)
    const url = `${locked.url}/v1/boards/${board}/events`
    expect((await listen(url)).status).toBe(401)
    expect(use(await listen(url, { 'x-api-key': 'an-admin-key-of-length' })).status).toBe(200)
    expect((await site.ask('GET', `/v1/boards/${board}/events`, undefined, { accept: 'image/png' })).statusCode).toBe(
      406,
    )
    expect((await site.ask('POST', `/v1/boards/${board}/events`)).statusCode).toBe(405)
  })
})
