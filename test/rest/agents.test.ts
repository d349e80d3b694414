/** Agents are visible: their names and cursors appear on the canvas while they write, or say so, and fade. */

import { SignJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import { encodeAwarenessFrame } from '../../ws/protocol/frames.ts'
import { listen } from '../kit/event-client.ts'
import { onRedis } from '../kit/on-redis.ts'
import { connectRaw } from '../kit/raw-client.ts'
import { releasing } from '../kit/releasing.ts'
import { freshBoard, Site } from '../kit/site.ts'
import { connectStock, type StockClient } from '../kit/stock-client.ts'
import { until } from '../kit/until.ts'
import { watchedBus } from '../kit/watched-bus.ts'

const use = releasing()
const shared = onRedis(use)
const { start, startOnRedis } = shared

const post = (site: Site, board: string, item: object, headers = {}) =>
  site.ask('POST', `/v1/boards/${board}/items`, { type: 'sticky', ...item }, headers)
const announce = (site: Site, board: string, body: object, headers = {}) =>
  site.ask('POST', `/v1/boards/${board}/presence`, body, headers)

const JWT_SECRET = 's'.repeat(32)
const token = (claims: object): Promise<string> =>
  new SignJWT({ boards: { '*': 'write' }, exp: Math.floor(Date.now() / 1_000) + 600, ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(JWT_SECRET))
const by = async (claims: object) => ({ authorization: `Bearer ${await token(claims)}` })

interface Seen {
  id: number
  user: { name: string; color: string; type: string }
  cursor: { x: number; y: number } | null
  selection: string[]
}

/** The agents that a client sees. */
const agentsSeenBy = ({ awareness }: StockClient): Seen[] =>
  [...awareness.getStates()].flatMap(([id, state]) =>
    state.user?.type === 'agent' ? [{ id, ...(state as Omit<Seen, 'id'>) }] : [],
  )
const namesSeenBy = (client: StockClient) =>
  agentsSeenBy(client)
    .map(({ user }) => user.name)
    .sort()
const sees = (client: StockClient, ...names: string[]) =>
  until(() => JSON.stringify(namesSeenBy(client)) === JSON.stringify(names), { what: `agents ${names} are seen` })
const peersOn = async (site: Site, board: string): Promise<{ name: string; type: string; cursor?: object }[]> =>
  (await site.ask('GET', `/v1/boards/${board}/presence`)).json().peers

describe('while it writes, an agent is seen', () => {
  test('by name, at what it touched, and is gone some seconds later', async () => {
    const [site, board] = [await start(), freshBoard()]
    const alice = use(await site.join(board))
    await post(site, board, { id: 'note', x: 100, y: 50, width: 200, height: 200, created_by: 'agent-7' })
    await sees(alice, 'agent-7')
    expect(agentsSeenBy(alice)[0]).toMatchObject({
      user: { name: 'agent-7', color: expect.stringMatching(/^#/), type: 'agent' },
      cursor: { x: 300, y: 250 },
      selection: ['shape:note'],
    })
    expect(await peersOn(site, board)).toMatchObject([
      { name: 'agent-7', type: 'agent', cursor: { x: 300, y: 250 }, selection: ['note'] },
    ])
    await sees(alice)
    await until(async () => (await peersOn(site, board)).length === 0)
  }, 120_000)

  test('where its latest change is, by a batch too, and once however much it writes', async () => {
    const [site, board] = [await start(), freshBoard()]
    const alice = use(await site.join(board))
    await post(site, board, { id: 'frame', type: 'frame', x: 1_000, y: 1_000, created_by: 'agent-7' })
    await sees(alice, 'agent-7')
    const [{ id } = { id: 0 }] = agentsSeenBy(alice)
    const inFrame = { type: 'sticky', parent: 'frame', x: 10, y: 10, width: 200, height: 200, created_by: 'agent-7' }
    await site.ask('POST', `/v1/boards/${board}/batch`, {
      operations: [
        { action: 'create', item: { id: 'first', type: 'sticky' } },
        { action: 'create', item: { id: 'in', ...inFrame } },
      ],
    })
    await until(() => agentsSeenBy(alice)[0]?.selection.length === 2)
    expect(agentsSeenBy(alice)).toMatchObject([
      { id, cursor: { x: 1_210, y: 1_210 }, selection: ['shape:first', 'shape:in'] },
    ])
  })

  test('also where a published message names it', async () => {
    const { site, bus } = await startOnRedis({ applies: true })
    const board = freshBoard()
    const alice = use(await site.join(board))
    const message = { action: 'create', item: { id: 'n', type: 'sticky', x: 1, y: 2, created_by: 'publisher' } }
    bus.publish(`board:${board}:updates`, new TextEncoder().encode(JSON.stringify(message)))
    await sees(alice, 'publisher')
  })

  test('under the name its credential says, else its subject, where the change names nobody', async () => {
    const [site, board] = [await start({ settings: { JWT_SECRET } }), freshBoard()]
    const alice = use(connectStock(site.wsUrl, board, { params: { token: await token({ sub: 'alice' }) } }))
    await alice.synced
    await post(site, board, {}, await by({ sub: 'p1', name: 'Painter' }))
    await post(site, board, {}, await by({ sub: 'plotter' }))
    await sees(alice, 'Painter', 'plotter')
  })

  test('not where nothing says who it is, nor when its change is refused', async () => {
    const [site, board] = [await start(), freshBoard()]
    const alice = use(await site.join(board))
    await post(site, board, { id: 'a' })
    expect((await post(site, board, { id: 'a', created_by: 'refused' })).statusCode).toBe(409)
    await post(site, board, { created_by: 'agent-7' })
    await sees(alice, 'agent-7')
    expect((await peersOn(site, board)).map(({ name }) => name)).toEqual(['agent-7'])
  })
})

describe('an agent that says that it is there', () => {
  test('is seen as long as it said, moves when it says so again, and goes when it does', async () => {
    const [site, board] = [await start(), freshBoard()]
    const alice = use(await site.join(board))
    const here = { name: 'agent-7', color: '#123456', cursor: { x: 1, y: 2 }, selection: ['a'], ttl: 30 }
    const answer = await announce(site, board, here)
    expect(answer.statusCode).toBe(200)
    const peer = { name: 'agent-7', color: '#123456', type: 'agent', cursor: { x: 1, y: 2 }, selection: ['a'] }
    expect(answer.json()).toEqual({ peer, expires_at: expect.stringMatching(/^\d{4}-.*Z$/) })
    await sees(alice, 'agent-7')
    expect(await peersOn(site, board)).toEqual([peer])
    await announce(site, board, { ...here, cursor: { x: 5, y: 6 } })
    await until(() => agentsSeenBy(alice)[0]?.cursor?.x === 5)
    expect(namesSeenBy(alice)).toEqual(['agent-7'])
    expect((await announce(site, board, { name: 'agent-7', ttl: 0 })).statusCode).toBe(204)
    await sees(alice)
    expect(await peersOn(site, board)).toEqual([])
    // Longer than the machine may stand still.
    await announce(site, board, { name: 'agent-7', ttl: 3 })
    await sees(alice, 'agent-7')
    await sees(alice)
    await until(async () => (await peersOn(site, board)).length === 0)
  })

  test('is there for who opens the board later, and for who asks while nobody has it open', async () => {
    const [site, board] = [await start(), freshBoard()]
    await site.ask('POST', '/v1/boards', { id: board })
    await announce(site, board, { name: 'agent-7', ttl: 60 })
    expect((await peersOn(site, board)).map(({ name }) => name)).toEqual(['agent-7'])
    await sees(use(await site.join(board)), 'agent-7')
  })

  test('stays where it was when it says again that it is there, and not where, also while nobody has the board open', async () => {
    const [site, board] = [await start(), freshBoard()]
    await site.ask('POST', '/v1/boards', { id: board })
    await announce(site, board, { name: 'agent-7', cursor: { x: 1, y: 2 }, ttl: 60 })
    await announce(site, board, { name: 'agent-7', selection: ['a'], ttl: 60 })
    const answer = await announce(site, board, { name: 'agent-7', ttl: 60 })
    const there = { name: 'agent-7', cursor: { x: 1, y: 2 }, selection: ['a'] }
    expect(answer.json().peer).toMatchObject(there)
    expect(await peersOn(site, board)).toMatchObject([there])
    const alice = use(await site.join(board))
    await sees(alice, 'agent-7')
    expect(agentsSeenBy(alice)).toMatchObject([{ cursor: { x: 1, y: 2 }, selection: ['shape:a'] }])
    await announce(site, board, { name: 'agent-7', ttl: 0 })
    await announce(site, board, { name: 'agent-7', ttl: 60 })
    expect((await peersOn(site, board))[0]).not.toHaveProperty('cursor')
  })

  test('is another one under another credential, which cannot send it away', async () => {
    const [site, board] = [await start({ settings: { JWT_SECRET } }), freshBoard()]
    await site.ask('POST', '/v1/boards', { id: board }, await by({ sub: 'one' }))
    await announce(site, board, { name: 'agent' }, await by({ sub: 'one' }))
    await announce(site, board, { name: 'agent', ttl: 0 }, await by({ sub: 'other' }))
    const named = await announce(site, board, { name: 'agent' }, await by({ sub: 'third', name: 'Somebody else' }))
    expect(named.json().peer.name).toBe('Somebody else')
    const answer = await site.ask('GET', `/v1/boards/${board}/presence`, undefined, await by({ sub: 'one' }))
    const names = answer.json().peers.map(({ name }: { name: string }) => name)
    expect(names.sort()).toEqual(['Somebody else', 'agent'])
  })

  test.each([
    [{}, '/name'],
    [{ name: ' ' }, '/name'],
    [{ name: 'a\nb' }, '/name'],
    [{ name: 'a', ttl: 61 }, '/ttl'],
    [{ name: 'a', ttl: -1 }, '/ttl'],
    [{ name: 'a', color: 'red' }, '/color'],
    [{ name: 'a', cursor: { x: 1e9, y: 0 } }, '/cursor/x'],
    [{ name: 'a', selection: [1] }, '/selection/0'],
    [{ name: 'a', type: 'human' }, '/type'],
  ])('is refused with a pointer: %j', async (body, pointer) => {
    const [site, board] = [await start(), freshBoard()]
    await site.ask('POST', '/v1/boards', { id: board })
    const answer = await announce(site, board, body)
    expect(answer.statusCode).toBe(400)
    expect(answer.json().errors[0].pointer).toBe(pointer)
  })

  test('says so once under one key, and nothing else under it', async () => {
    const [site, board] = [await start(), freshBoard()]
    use(await site.join(board))
    const key = { 'idempotency-key': 'once' }
    const first = await announce(site, board, { name: 'agent-7' }, key)
    await announce(site, board, { name: 'agent-7', ttl: 0 })
    const again = await announce(site, board, { name: 'agent-7' }, key)
    expect([again.statusCode, again.json()]).toEqual([200, first.json()])
    expect(await peersOn(site, board)).toEqual([])
    const other = await announce(site, board, { name: 'agent-8' }, key)
    expect([other.statusCode, other.json().type]).toEqual([422, '/v1/problems/idempotency-key-reused'])
  })

  test('has to name a board that is there', async () => {
    expect((await announce(await start(), 'nowhere', { name: 'a' })).statusCode).toBe(404)
  })

  test('comes and goes as events', async () => {
    const [site, board] = [await start(), freshBoard()]
    await site.ask('POST', '/v1/boards', { id: board })
    const stream = use(await listen(`${site.url}/v1/boards/${board}/events`))
    const told = (event: string) => stream.events.find(one => one.event === event)?.data
    // Who is there when a feed first looks is no news, so one who comes again and again is told of once.
    let ttl = 30
    await until(async () => {
      if (told('presence.joined')) return true
      await announce(site, board, { name: 'agent-7', ttl })
      ttl = 30 - ttl
      return false
    })
    expect(told('presence.joined')).toMatchObject({ name: 'agent-7', type: 'agent' })
    await announce(site, board, { name: 'agent-7', ttl: 0 })
    await until(() => told('presence.left'))
  }, 120_000)
})

describe('on several instances', () => {
  test('an agent is seen once by everybody, and listed once, by one without sockets too', async () => {
    const board = freshBoard()
    const [one, other] = [await startOnRedis({ applies: true }), await startOnRedis()]
    const api = await startOnRedis({ settings: { ROLE: 'api', DATABASE_URL: 'postgres://unused' } })
    const [alice, bob] = [use(await one.site.join(board)), use(await other.site.join(board))]
    await post(api.site, board, { x: 1, y: 1, width: 200, height: 200, created_by: 'agent-7' })
    await sees(alice, 'agent-7')
    await sees(bob, 'agent-7')
    expect(agentsSeenBy(bob)[0]).toMatchObject({ id: agentsSeenBy(alice)[0]?.id, cursor: { x: 201, y: 201 } })
    await announce(api.site, board, { name: 'agent-7', cursor: { x: 9, y: 9 } })
    for (const client of [alice, bob]) await until(() => agentsSeenBy(client)[0]?.cursor?.x === 9)
    await announce(api.site, board, { name: 'agent-7' })
    // In the end: what Redis does not tell in time is left out.
    for (const { site } of [one, other, api]) {
      await until(async () => {
        expect(await peersOn(site, board)).toMatchObject([{ name: 'agent-7', cursor: { x: 9, y: 9 } }])
        return true
      })
    }
    await announce(api.site, board, { name: 'agent-7', ttl: 0 })
    await sees(alice)
    await sees(bob)
    for (const { site } of [one, other, api]) await until(async () => (await peersOn(site, board)).length === 0)
  }, 120_000)

  test('an agent is seen through its own instance while Redis is down', async () => {
    const board = freshBoard()
    const { site, bus } = await startOnRedis({ applies: true })
    const alice = use(await site.join(board))
    await shared.redis.halt()
    await until(() => bus.state === 'down')
    await post(site, board, { created_by: 'agent-7' })
    await announce(site, board, { name: 'agent-8' })
    await sees(alice, 'agent-7', 'agent-8')
    const answer = (await site.ask('GET', `/v1/boards/${board}/presence`)).json()
    expect(answer.peers.map(({ name }: { name: string }) => name).sort()).toEqual(['agent-7', 'agent-8'])
    expect(answer.partial).toBe(true)
    await shared.redis.start()
  }, 120_000)

  test('an agent goes in its time, though the instance that told of it died', async () => {
    const bus = watchedBus()
    const board = freshBoard()
    const [one, other] = [await Site.start({ storage: shared.storage, bus }), await start({ bus, applies: false })]
    const bob = use(await other.join(board))
    await post(one, board, { created_by: 'agent-7' })
    await sees(bob, 'agent-7')
    bus.loses = () => true // as if it was killed: it takes nothing back
    await one.stop()
    await sees(bob)
  }, 120_000)
})

test('nobody takes the place of an agent, or sends it away', async () => {
  const [site, board] = [await start(), freshBoard()]
  const alice = use(await site.join(board))
  await announce(site, board, { name: 'agent-7', ttl: 60 })
  await sees(alice, 'agent-7')
  const [agent] = agentsSeenBy(alice)
  const clock = alice.awareness.meta.get(agent?.id ?? 0)?.clock ?? 0
  const hostile = use(await connectRaw(`${site.wsUrl}/${board}`))
  for (const [more, json] of [
    [0, 'null'],
    [1, 'null'],
    [2, '{"user":{"name":"Mallory"}}'],
  ] as const) {
    const state = { clientId: agent?.id ?? 0, clock: clock + more, json: new TextEncoder().encode(json) }
    hostile.send(encodeAwarenessFrame([state]))
  }
  await until(() => site.counted('boardsync_refusals_total', { reason: 'awareness-foreign-client' }))
  await announce(site, board, { name: 'agent-8', ttl: 60 })
  await sees(alice, 'agent-7', 'agent-8')
})

test('people go by the name that their credential says, whatever their client writes', async () => {
  const [site, board] = [await start({ settings: { JWT_SECRET } }), freshBoard()]
  const enter = async (claims: object, name: string) => {
    const params = { token: await token(claims) }
    const client = use(connectStock(site.wsUrl, board, { params }))
    await client.synced
    client.awareness.setLocalState({ user: { name, color: '#123456' } })
    return client
  }
  const ann = await enter({ sub: 'ann', name: 'Ann' }, 'Bob')
  const bob = await enter({ sub: 'bob' }, 'Bob')
  await until(() => bob.awareness.getStates().get(ann.awareness.clientID)?.user?.name === 'Ann')
  expect(bob.awareness.getStates().get(ann.awareness.clientID)?.user).toEqual({ name: 'Ann', color: '#123456' })
  await until(() => ann.awareness.getStates().get(bob.awareness.clientID)?.user?.name === 'Bob')
})
