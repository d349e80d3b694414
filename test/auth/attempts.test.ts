/** What wrong credentials may cost: nobody has to show a right one to send them. */

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { createToken } from '../../core/auth/token.ts'
import { credentialsChannel } from '../../core/contract/channels.ts'
import { connectRaw } from '../kit/raw-client.ts'
import { releasing } from '../kit/releasing.ts'
import { embeddedStorage, freshBoard, Site } from '../kit/site.ts'
import { watchedBus } from '../kit/watched-bus.ts'
import { refusalOf } from '../rest/refusals.ts'
import { bearer, makeKey, makeTicket, settings, signIn, token } from './signing.ts'

const use = releasing(afterAll)
const burst = 5
const bus = watchedBus()
let site: Site
let address: string
let addresses = 0
beforeAll(async () => {
  const storage = use(await embeddedStorage())
  const limited = { ...settings, RATE_REST: `1/s burst ${burst}`, TRUST_PROXY: '1' }
  site = use(await Site.start({ storage, bus, settings: limited }))
})
beforeEach(() => {
  address = `10.0.0.${++addresses}`
  // However long the requests take, no time passes by this clock.
  vi.useFakeTimers({ toFake: ['performance'] })
})
afterEach(() => void vi.useRealTimers())

const from = (headers: Record<string, string>) => ({ 'x-forwarded-for': address, ...headers })
const read = (board: string, credential: string) =>
  site.ask('GET', `/v1/boards/${board}`, undefined, from({ 'x-api-key': credential }))
const wrong = (kind: 'key' | 'ticket' | 'session') => createToken(kind).reveal()
const useUpBudget = () => Promise.all(Array.from({ length: burst }, () => read('none', wrong('key'))))

describe('an address that showed too many wrong credentials', () => {
  test('is told when to come back, and has none looked up meanwhile', async () => {
    expect((await useUpBudget()).map(refusalOf)).toEqual(Array(burst).fill('401 credential-invalid'))
    const lookUps = [
      vi.spyOn(site.storage.keys, 'find'),
      vi.spyOn(site.storage.tickets, 'redeem'),
      vi.spyOn(site.storage.sessions, 'find'),
      vi.spyOn(site.storage.sessions, 'end'),
    ]
    for (const kind of ['key', 'ticket', 'session'] as const) {
      const refused = await read('none', wrong(kind))
      expect(refusalOf(refused)).toBe('429 rate-limited')
      expect(refused.headers).toMatchObject({ 'retry-after': '1', 'ratelimit-remaining': '0' })
    }
    const cookie = `boardsync_session=${wrong('session')}`
    expect((await site.ask('DELETE', '/v1/session', undefined, from({ cookie }))).statusCode).toBe(429)
    expect((await read('none', 'neither a key nor a token')).statusCode).toBe(429)
    for (const lookUp of lookUps) expect(lookUp).not.toHaveBeenCalled()
    vi.restoreAllMocks()
    // One that counts, and the one too many that was neither a key nor a token.
    vi.advanceTimersByTime(2_000)
    expect((await read('none', wrong('key'))).statusCode).toBe(401)
  })

  test('is not let in by a socket either, which comes back', async () => {
    await useUpBudget()
    const client = use(
      await connectRaw(`${site.wsUrl}/none?token=${wrong('key')}`, { headers: { 'x-forwarded-for': address } }),
    )
    expect((await client.closed).code).toBe(1013)
  })

  test('is that of people, too, whose right credentials count as before', async () => {
    const board = freshBoard()
    const { key } = await makeKey(site, board)
    const cookie = await signIn(site, key)
    expect((await read(board, key)).statusCode).toBe(200)
    expect((await site.ask('GET', `/v1/boards/${board}`, undefined, from({ cookie }))).statusCode).toBe(200)
    await useUpBudget()
    expect((await read(board, wrong('key'))).statusCode).toBe(429)
    expect((await read(board, key)).statusCode).toBe(200)
    expect((await read(board, settings.ADMIN_KEY)).statusCode).toBe(200)
    expect((await site.ask('DELETE', '/v1/session', undefined, from({ cookie }))).statusCode).toBe(204)
  })
})

test('right credentials are no attempts, however many come from one address', async () => {
  const board = freshBoard()
  const people = await Promise.all(
    Array.from({ length: burst + 3 }, (_, n) => token({ [board]: 'write' }, { sub: `${n}` })),
  )
  const tickets = await Promise.all(people.map(person => makeTicket(site, board, {}, bearer(person))))
  for (const ticket of tickets) expect((await read(board, ticket)).statusCode).toBe(200)
})

test('signing out is told to every instance where a session ended, and not otherwise', async () => {
  const cookie = await signIn(site, await token({}, { sub: 'who signs out' }))
  const signOut = (cookie: string) => site.ask('DELETE', '/v1/session', undefined, from({ cookie }))
  const all = () => bus.published.filter(({ channel }) => channel === credentialsChannel).length
  const before = all()
  const told = () => all() - before
  expect((await signOut(`boardsync_session=${wrong('session')}`)).statusCode).toBe(204)
  expect(told()).toBe(0)
  expect([(await signOut(cookie)).statusCode, told()]).toEqual([204, 1])
  expect([(await signOut(cookie)).statusCode, told()]).toEqual([204, 1])
})
