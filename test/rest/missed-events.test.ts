/** Events from wherever a client stopped: whoever comes back hears what it missed, once. */
import { EventSource } from 'eventsource'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { listen } from '../kit/event-client.ts'
import { startProxy } from '../kit/proxy.ts'
import { releasing } from '../kit/releasing.ts'
import { freshBoard, Site } from '../kit/site.ts'
import { until } from '../kit/until.ts'
import { embeddedSite, type Site as Store } from '../storage/site.ts'
import { patch, post } from './asking.ts'
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

const pastOf = async (at: Site, board: string, last: string, count: number) =>
  (await (await events(at, board, last)).heard(count)).slice(0, count)

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
      if (n % 3 === 1) await remove(site, board, `i${n - 1}`)
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
    const at = use(
      await Site.start({ storage: { ...store.storage, past: { since, forgetOld: () => past.forgetOld() } } }),
    )
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
