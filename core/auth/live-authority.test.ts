import { pino } from 'pino'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { SyncError } from '../base/errors.ts'
import type { Bus } from '../bus/bus.ts'
import { createInProcessBus } from '../bus/in-process.ts'
import type { Ended } from '../store/endings.ts'
import { type Grant, type GrantBasis, grantOf } from './grant.ts'
import { LiveAuthority } from './live-authority.ts'

const log = pino({ level: 'silent' })
const nothing: Ended = { keys: new Set(), sessions: new Set() }

const grant = (basis: GrantBasis, expiresAt?: Date): Grant =>
  grantOf({ subject: 's', rights: new Map([['*', 'read']]), basis, expiresAt })

/** The moments since which it was asked. */
let asked: number[]
/** What the database's clock says. */
let now: number
let slid: string[][]
let answer: () => Promise<Ended>
let forgotten: Ended[]
let authority: LiveAuthority

beforeEach(() => {
  vi.useFakeTimers()
  asked = []
  now = 1_000
  slid = []
  forgotten = []
  answer = async () => nothing
  authority = authorityOn(createInProcessBus(log))
})

function authorityOn(bus: Bus): LiveAuthority {
  const endings = {
    async since(moment: number) {
      asked.push(moment)
      const ended = await answer()
      return { ended, askedAt: now }
    },
  }
  const sessions = {
    slide: async (hashes: readonly Uint8Array[]) => {
      slid.push(hashes.map(hash => Buffer.from(hash).toString('hex')))
    },
  }
  const stored = { remembers: false, forget: (ended: Ended) => void forgotten.push(ended) }
  return new LiveAuthority({ endings, sessions } as never, stored, bus, log)
}
afterEach(() => {
  authority.stop()
  vi.useRealTimers()
})

const watched = (given: Grant): SyncError[] => {
  const heard: SyncError[] = []
  authority.watch(given, error => heard.push(error))
  return heard
}
const after = (ms: number) => vi.advanceTimersByTimeAsync(ms)

test('asks nothing while nobody has a right that could end', async () => {
  await after(20_000)
  expect(asked).toEqual([])
})

test('asks every 2 s for what has ended since it asked before', async () => {
  watched(grant({ key: 'k' }))
  for (now of [1_000, 1_002, 1_004]) await after(2_000)
  expect(asked).toEqual([0, 1_000, 1_002])
})

test('asks for all that ended while its machine was suspended, and its own clock with it', async () => {
  watched(grant({ key: 'k' }))
  await after(2_000)
  now += 3_600
  await after(2_000)
  expect(asked).toEqual([0, 1_000])
})

test('asks after an outage for all that was missed', async () => {
  const heard = watched(grant({ key: 'k' }))
  await after(2_000)
  answer = () => Promise.reject(new Error('storage is down'))
  now += 60
  await after(60_000)
  expect(heard).toEqual([])
  answer = async () => ({ ...nothing, keys: new Set(['k']) })
  await after(2_000)
  expect(asked.at(-1)).toBe(1_000)
  expect(heard).toMatchObject([{ code: 'credential-revoked' }])
  expect(forgotten.at(-1)?.keys.has('k')).toBe(true)
})

test('tells those whom it concerns, once', async () => {
  const byKey = watched(grant({ key: 'k' }))
  const bySession = watched(grant({ key: 'k2', session: 'ab' }))
  const others = [watched(grant({ key: 'other' })), watched(grant({ issuer: 'k' }))]
  answer = async () => ({ keys: new Set(['k']), sessions: new Set(['ab']) })
  await after(6_000)
  expect(byKey).toMatchObject([{ code: 'credential-revoked' }])
  expect(bySession).toMatchObject([{ code: 'credential-expired' }])
  expect(others).toEqual([[], []])
})

test('one who fails when it is told keeps nobody else from being told', async () => {
  authority.watch(grant({ key: 'k' }), () => {
    throw new Error('broken')
  })
  const second = watched(grant({ key: 'k' }))
  answer = async () => ({ ...nothing, keys: new Set(['k']) })
  await after(2_000)
  expect(second).toHaveLength(1)
})

test('looks at once when any instance says that something ended', async () => {
  const bus = createInProcessBus(log)
  const other = new LiveAuthority({} as never, { remembers: false, forget: () => undefined }, bus, log)
  authority.stop()
  authority = authorityOn(bus)
  await authority.start()
  watched(grant({ key: 'k' }))
  other.announce()
  await after(1)
  expect(asked.length).toBe(1)
  other.stop()
})

test('looks once more for all that was said while it looked', async () => {
  watched(grant({ key: 'k' }))
  for (let i = 0; i < 5; i++) void authority.look()
  await after(1)
  expect(asked.length).toBe(2)
})

test('an expiry is told when it comes, however far away, and not to those who have left', async () => {
  authority.stop() // the looks of sixty days would take a while
  const days = 60 * 24 * 3_600_000
  const heard = watched(grant({ issuer: 'i' }, new Date(Date.now() + days)))
  authority.watch(grant({ issuer: 'i' }, new Date(Date.now() + 1_000)), () => expect.unreachable())()
  await after(days - 1)
  expect(heard).toEqual([])
  await after(1)
  expect(heard).toMatchObject([{ code: 'credential-expired' }])
})

test('what expires while its machine is suspended ends within a minute of that', async () => {
  const heard = watched(grant({ issuer: 'i' }, new Date(Date.now() + 3_600_000)))
  await after(1_000)
  vi.setSystemTime(Date.now() + 7_200_000)
  await after(60_000)
  expect(heard).toMatchObject([{ code: 'credential-expired' }])
})

test('a session that something has open stays in use', async () => {
  watched(grant({ issuer: 'i', session: 'ab' }))
  watched(grant({ issuer: 'i', session: 'ab' }))
  watched(grant({ key: 'k' }))
  await after(3_602_000)
  expect(slid).toEqual([['ab']])
})
