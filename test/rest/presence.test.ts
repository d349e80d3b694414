/** GET presence: who is on a board, whichever instance they are on. */

import { describe, expect, test } from 'vitest'
import { Secret } from '../../core/base/secret.ts'
import { createRedisBus } from '../../core/bus/redis.ts'
import { onRedis } from '../kit/on-redis.ts'
import { releasing } from '../kit/releasing.ts'
import { freshBoard, type Site, silent } from '../kit/site.ts'
import type { StockClient } from '../kit/stock-client.ts'
import { until } from '../kit/until.ts'

const use = releasing()
const shared = onRedis(use)
const { start, startOnRedis } = shared

interface Answer {
  peers: { name: string; color: string; type: string; cursor?: object; selection?: string[] }[]
  partial?: true
}

const presenceOn = async (site: Site, board: string): Promise<Answer> =>
  (await site.ask('GET', `/v1/boards/${board}/presence`)).json()
const namesOn = async (site: Site, board: string) =>
  (await presenceOn(site, board)).peers.map(({ name }) => name).sort()
const areOn = (site: Site, board: string, ...names: string[]) =>
  until(async () => JSON.stringify(await namesOn(site, board)) === JSON.stringify(names), {
    what: `${names} on ${board}`,
  })

async function enter(site: Site, board: string, name: string): Promise<StockClient> {
  const client = use(await site.join(board))
  client.awareness.setLocalState({ user: { name, color: '#4263eb' } })
  return client
}

describe('on one instance', () => {
  test('are those who have said who they are, as they are now', async () => {
    const [site, board] = [await start(), freshBoard()]
    const alice = await enter(site, board, 'Alice')
    use(await site.join(board)) // has said nothing
    alice.awareness.setLocalStateField('cursor', { x: 3, y: 4 })
    alice.awareness.setLocalStateField('selection', ['shape:a'])
    await until(async () => (await presenceOn(site, board)).peers[0]?.selection)
    expect(await presenceOn(site, board)).toEqual({
      peers: [{ name: 'Alice', color: '#4263eb', type: 'human', cursor: { x: 3, y: 4 }, selection: ['a'] }],
    })
    alice.awareness.setLocalStateField('cursor', { x: 5, y: 4 })
    await until(async () => JSON.stringify((await presenceOn(site, board)).peers[0]?.cursor) === '{"x":5,"y":4}')
    alice.stop()
    await areOn(site, board)
  })

  test('is nobody on a board that nobody has open', async () => {
    const [site, board] = [await start(), freshBoard()]
    await site.ask('POST', `/v1/boards/${board}/items`, { type: 'sticky', x: 0, y: 0 })
    expect(await presenceOn(site, board)).toEqual({ peers: [] })
  })

  test('a board that does not exist has no presence, and only reading is for this address', async () => {
    const site = await start()
    expect((await site.ask('GET', '/v1/boards/nowhere/presence')).statusCode).toBe(404)
    expect((await site.ask('GET', '/v1/boards/no%20where/presence')).statusCode).toBe(400)
    expect((await site.ask('DELETE', '/v1/boards/nowhere/presence')).statusCode).toBe(405)
  })
})

describe('across instances', () => {
  test('are those of all of them, also for one that has no sockets', async () => {
    const board = freshBoard()
    const [one, other] = [await startOnRedis(), await startOnRedis()]
    const api = await startOnRedis({ settings: { ROLE: 'api', DATABASE_URL: 'postgres://unused' } })
    const alice = await enter(one.site, board, 'Alice')
    const bob = await enter(other.site, board, 'Bob')
    for (const { site } of [one, other, api]) await areOn(site, board, 'Alice', 'Bob')
    alice.awareness.setLocalState({ user: { name: 'Alicia', type: 'agent' }, cursor: { x: 1, y: 2 } })
    await areOn(api.site, board, 'Alicia', 'Bob')
    const { peers } = await until(async () => {
      const whole = await presenceOn(api.site, board)
      return whole.partial === undefined && whole
    })
    expect(peers.find(({ name }) => name === 'Alicia')).toMatchObject({ type: 'agent', cursor: { x: 1, y: 2 } })
    bob.stop()
    await areOn(api.site, board, 'Alicia')
  })

  test('are on every instance those whose cursors are seen there, at once', async () => {
    const [{ site: one }, { site: other }] = [await startOnRedis(), await startOnRedis()]
    const board = freshBoard()
    const bob = await enter(other, board, 'Bob')
    await enter(one, board, 'Alice')
    const seen = () => [...bob.awareness.getStates().values()].some(state => state.user?.name === 'Alice')
    await until(seen)
    expect(await namesOn(other, board)).toEqual(['Alice', 'Bob'])
  })

  test('is each client once, while two instances both have it', async () => {
    const board = freshBoard()
    const [one, other] = [await startOnRedis(), await startOnRedis()]
    const alice = await enter(one.site, board, 'Alice')
    await areOn(other.site, board, 'Alice')
    const { clientID } = alice.awareness
    const moved = { clientId: clientID, clock: 1_000, name: 'Alice, moved', color: '#000', type: 'human' }
    other.bus.keep(`presence:${board}`, 'third', JSON.stringify([moved]), 60_000)
    other.bus.keep(`presence:${board}`, 'fourth', 'not what an instance writes', 60_000)
    await areOn(other.site, board, 'Alice, moved')
  })

  test('is nobody any more of an instance that died, after 10 s', async () => {
    const board = freshBoard()
    const one = await startOnRedis()
    const dying = createRedisBus(new Secret(shared.redis.url), silent)
    const site = await start({ bus: dying, applies: false })
    await until(() => dying.state === 'up')
    await enter(site, board, 'Alice')
    await areOn(one.site, board, 'Alice')
    await dying.close() // nothing it keeps is renewed or taken back
    const keys = [`boardsync:kept:{presence:${board}}:until`, `boardsync:kept:{presence:${board}}:values`]
    for (const key of keys) expect(await shared.redis.client.pttl(key)).toBeLessThanOrEqual(10_000)
    await areOn(one.site, board)
    expect(await shared.redis.client.exists(...keys)).toBe(0)
  }, 120_000)

  test('is partial while Redis is down, and whole again when it is back', async () => {
    const board = freshBoard()
    const [one, other] = [await startOnRedis(), await startOnRedis()]
    await enter(one.site, board, 'Alice')
    await enter(other.site, board, 'Bob')
    await areOn(one.site, board, 'Alice', 'Bob')
    await shared.redis.halt()
    await until(async () => (await presenceOn(one.site, board)).partial)
    expect(await namesOn(one.site, board)).toEqual(['Alice'])
    await shared.redis.start()
    await areOn(one.site, board, 'Alice', 'Bob')
    await until(async () => (await presenceOn(one.site, board)).partial === undefined)
  }, 120_000)

  test('is answered within moments while Redis hangs', async () => {
    const board = freshBoard()
    const { site, bus } = await startOnRedis()
    await enter(site, board, 'Alice')
    await areOn(site, board, 'Alice')
    const answersWhileItHangs = async () => {
      await until(() => bus.state === 'up')
      shared.redis.pause()
      try {
        const answers = await Promise.all([presenceOn(site, board), presenceOn(site, board)])
        // Nobody has noticed yet: else it is no news that the rest is missing.
        return bus.state === 'up' && answers
      } finally {
        shared.redis.resume()
      }
    }
    for (const { peers, partial } of await until(answersWhileItHangs))
      expect([peers.length, partial]).toEqual([1, true])
  })
})
