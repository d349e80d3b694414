import { afterEach, expect, test, vi } from 'vitest'
import { listBoards } from './boards.ts'

afterEach(() => vi.unstubAllGlobals())

/** A server with so many boards, which lists them as ours does. @returns how often it was asked */
function serveBoards(count: number): { asked: number } {
  const server = { asked: 0 }
  vi.stubGlobal('fetch', async (address: string) => {
    server.asked++
    const query = new URL(address, 'http://host').searchParams
    const [from, limit] = [Number(query.get('cursor') ?? 0), Number(query.get('limit'))]
    const ids = Array.from({ length: Math.min(limit, count - from) }, (_, index) => String(from + index))
    const next = from + limit < count ? String(from + limit) : null
    return Response.json({ boards: ids.map(id => ({ id })), next })
  })
  return server
}

test.each([
  [0, 1],
  [500, 1],
  [1_234, 3],
])('of %i boards all are listed', async (count, requests) => {
  const server = serveBoards(count)
  const { boards, isComplete } = await listBoards()
  expect(new Set(boards.map(({ id }) => id)).size).toBe(count)
  expect([isComplete, server.asked]).toEqual([true, requests])
})

test('a server with more than a list can show is not asked for all of them', async () => {
  const server = serveBoards(100_000)
  const { boards, isComplete } = await listBoards()
  expect([boards.length, isComplete, server.asked]).toEqual([5_000, false, 10])
})
