/** The events of a board: what people and agents do, as it is committed, once, and again from wherever a client stopped. */
import { EventSource } from 'eventsource'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { changeRecord, putRecord, removeRecord } from '../../core/doc/record-layout.ts'
import { type EventClient, type HeardEvent, listen } from '../kit/event-client.ts'
import { startProxy } from '../kit/proxy.ts'
import { releasing } from '../kit/releasing.ts'
import { freshBoard, Site } from '../kit/site.ts'
import type { StockClient } from '../kit/stock-client.ts'
import { until } from '../kit/until.ts'
import { embeddedSite, type Site as Store } from '../storage/site.ts'
import { patch, post, recordIn } from './asking.ts'
import { drawnNote } from './drawn.ts'

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

const events = async (at: Site, board: string, last?: string): Promise<EventClient> =>
  use(await listen(`${at.url}/v1/boards/${board}/events`, last === undefined ? {} : { 'last-event-id': last }))

const remove = (board: string, id: string) => site.ask('DELETE', `/v1/boards/${board}/items/${id}`)

function draw(person: StockClient, ...ids: string[]): void {
  person.doc.transact(() => {
    for (const id of ids) putRecord(person.doc, drawnNote(id))
  })
}

const told = ({ event, data }: HeardEvent) =>
  [event.replace('item.', ''), (data.item as { id: string } | undefined)?.id ?? data.id, data.seq, data.actor].join(' ')

const pastOf = async (at: Site, board: string, last: string, count: number) =>
  (await (await events(at, board, last)).heard(count)).slice(0, count)

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
    await remove(board, 'b')
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
    const announce = (name: string) => there.awareness.setLocalState({ user: { name, color: '#d6336c' } })
    // The first look tells nothing: who comes before it was there already.
    let n = 0
    await until(() => {
      if (stream.events.some(({ event }) => event === 'presence.joined')) return true
      if (n++ % 20 === 0) there.awareness.setLocalState(null)
      else if (n % 20 === 10) announce('Ann')
      return false
    })
    const joined = stream.events.find(({ event }) => event === 'presence.joined')
    expect(joined).toEqual({ event: 'presence.joined', data: { name: 'Ann', color: '#d6336c', type: 'human' } })
    there.stop()
    await until(() => stream.events.at(-1)?.event === 'presence.left')
    expect(stream.events.at(-1)?.data).toEqual(joined?.data)
  })
})

describe('a client that comes back', () => {
  test('hears what it missed, the same as those who stayed, from every place and on every instance', async () => {
    const board = freshBoard()
    const person = use(await site.join(board))
    await post(site, board, { id: 'base' })
    const stayed = await events(site, board)
    for (let n = 0; n < 8; n++) {
      await post(site, board, { id: `i${n}`, x: n })
      draw(person, `h${n}`, `g${n}`)
      await until(async () => (await site.ask('GET', `/v1/boards/${board}/items/g${n}`)).statusCode === 200)
      await patch(site, board, 'base', { x: n + 10 })
      if (n % 3 === 1) await remove(board, `i${n - 1}`)
      if (n % 4 === 3) for (const room of site.rooms.open()) await room.snapshots.settle()
    }
    const all = [...(await stayed.heard(8 * 4 + 3))]
    const places = [stayed.openings[0] ?? '', ...all.flatMap(({ id }) => id ?? [])]
    // A third has its feed open only now: it tells everything from the log and the history.
    const late = use(await Site.start({ storage: store.storage }))
    await events(late, board)
    for (const at of [site, late]) {
      for (const place of places.slice(0, -1)) {
        const missed = all.slice(all.findIndex(({ id }) => id === place) + 1)
        expect(await pastOf(at, board, place, missed.length)).toEqual(missed)
      }
    }
    const last = places.at(-1) ?? ''
    const stream = await events(late, board, last)
    await patch(site, board, 'base', { y: 1 })
    expect((await stream.heard(1)).map(told)).toMatchObject([expect.stringContaining('updated base')])
  })

  test('may begin with the state of a list: nothing between the two is missed', async () => {
    const board = freshBoard()
    await post(site, board, { id: 'a' })
    const list = await site.ask('GET', `/v1/boards/${board}/items`)
    await post(site, board, { id: 'b' })
    const place = String(list.headers.etag).replaceAll('"', '')
    expect((await pastOf(site, board, place, 1)).map(told)).toEqual(['created b 2 agent:anyone'])
    const byQuery = use(await listen(`${other.url}/v1/boards/${board}/events?after=${place}`))
    expect((await byQuery.heard(1)).map(told)).toEqual(['created b 2 agent:anyone'])
  })

  test('is an EventSource: it misses nothing and hears nothing twice, however often its connection is cut', async () => {
    const board = freshBoard()
    await post(site, board, { id: 'a', x: 0 })
    const proxy = use(await startProxy({ host: '127.0.0.1', port: Number(new URL(site.url).port) }))
    const source = use(new EventSource(proxy.through(`${site.url}/v1/boards/${board}/events`)), given => given.close())
    const heard: string[] = []
    source.addEventListener('item.updated', ({ data }) => heard.push(JSON.parse(data).item.x))
    await until(() => source.readyState === source.OPEN)
    for (let x = 1; x <= 12; x++) {
      await patch(site, board, 'a', { x })
      if (x % 5 === 0) proxy.cut()
    }
    await until(() => heard.length >= 12)
    expect(heard).toEqual(Array.from({ length: 12 }, (_, n) => n + 1))
  })

  test('is told to begin anew where what it missed is not kept, or is of another history', async () => {
    const board = freshBoard()
    for (let x = 0; x < 6; x++) {
      await post(site, board, { id: `i${x}` })
      for (const room of site.rooms.open()) await room.snapshots.settle()
    }
    const [epoch] = String((await site.ask('GET', `/v1/boards/${board}/items`)).headers.etag)
      .slice(1)
      .split('-')
    const gone = async (place: string) => {
      const answer = await events(other, board, place)
      const { type, detail } = JSON.parse(answer.body)
      return [answer.status, answer.headers['content-type'], type, /list the items/.test(detail)]
    }
    const expected = [410, 'application/problem+json', '/v1/problems/events-gone', true]
    expect(await gone(`${Number(epoch) + 1}-2`)).toEqual(expected)
    expect(await gone(`${epoch}-7`)).toEqual(expected)
    expect((await pastOf(other, board, `${epoch}-1`, 5)).length).toBe(5)
    await store.database.query('DELETE FROM boardsync.board_history WHERE board_id = $1 AND from_seq <= 2', [board])
    expect(await gone(`${epoch}-1`)).toEqual(expected)
    // Behind the older snapshot it is all there.
    expect((await pastOf(other, board, `${epoch}-5`, 1)).map(told)).toEqual(['created i5 6 agent:anyone'])
  })

  test('hears once what is committed while its past is being read', async () => {
    const board = freshBoard()
    const { past } = store.storage
    const since: typeof past.since = async (...asked) => {
      if (asked[2]) await post(site, board, { id: 'meanwhile' })
      return past.since(...asked)
    }
    const at = use(await Site.start({ storage: { ...store.storage, past: { since } } }))
    await post(site, board, { id: 'a' })
    const place = String((await site.ask('GET', `/v1/boards/${board}/items`)).headers.etag).replaceAll('"', '')
    await post(site, board, { id: 'missed' })
    const stream = await events(at, board, place)
    await stream.heard(2)
    await post(site, board, { id: 'later' })
    expect((await stream.heard(3)).map(({ data }) => data.seq)).toEqual([2, 3, 4])
  })

  test('with something that is no place is told so', async () => {
    const board = freshBoard()
    await post(site, board)
    for (const place of ['7', '1-2-3', 'x-1', '1-99999999999999999']) {
      const answer = await events(site, board, place)
      expect([answer.status, JSON.parse(answer.body)]).toMatchObject([400, { errors: [{ pointer: '/Last-Event-ID' }] }])
    }
    expect((await events(site, board, '')).status).toBe(200)
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
