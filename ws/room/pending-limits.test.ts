import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { excessOf } from './pending-limits.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const limits = { board: 100, total: 250 }
const line = (name: string, bytes: number, waitedMs: number) => ({
  name,
  bytes,
  waitingSince: performance.now() - waitedMs,
})
const given = (lines: Parameters<typeof excessOf>[0]) =>
  excessOf(lines as ReturnType<typeof line>[], limits).map(({ line, reason }) => [line.name, reason])

test('what has waited a second at most is only passing through, however much it is', () => {
  expect(given([line('passing', 10_000, 1_000), { bytes: 10_000, waitingSince: undefined }])).toEqual([])
  expect(given([line('waiting', 10_000, 1_001)])).toEqual([['waiting', 'too many edits of this board wait']])
})

test('a board at its bound stays, one over it goes', () => {
  expect(given([line('at', 100, 2_000), line('over', 101, 2_000)])).toEqual([
    ['over', 'too many edits of this board wait'],
  ])
})

test('of all boards together only as many go as it takes; those that go anyway do not count', () => {
  const boards = ['a', 'b', 'c', 'd'].map(name => line(name, 90, 2_000))
  expect(given([line('over', 200, 2_000), ...boards, line('small', 60, 2_000)])).toEqual([
    ['over', 'too many edits of this board wait'],
    ['c', 'too many edits wait for storage'],
    ['d', 'too many edits wait for storage'],
  ])
})

test('after 30 s everything goes, however little', () => {
  expect(given([line('late', 1, 30_001), line('in time', 1, 30_000)])).toEqual([
    ['late', 'storage was unavailable for too long'],
  ])
})
