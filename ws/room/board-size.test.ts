/** A board that grows: its operator is told in time, and its limit holds. */
import { pino } from 'pino'
import { expect, test, vi } from 'vitest'
import { parseBoardId } from '../../core/contract/board-id.ts'
import { BoardSize } from './board-size.ts'

function setUp(bytes: number, measured = bytes) {
  const warnings: unknown[] = []
  const log = pino({ level: 'warn' }, { write: line => warnings.push(JSON.parse(line)) })
  const measure = vi.fn(() => measured)
  return { size: new BoardSize(parseBoardId('big'), bytes, 1_000, log, measure), warnings, measure }
}

test('a board that passes four fifths of its limit is named in the log, once', () => {
  const { size, warnings } = setUp(700)
  size.add(100)
  expect(warnings).toEqual([])
  size.add(1)
  size.add(50)
  expect(warnings).toEqual([expect.objectContaining({ board: 'big', bytes: 801, limit: 1_000 })])
})

test('a board that is nearly full when it is opened is named too', () => {
  expect(setUp(900).warnings).toHaveLength(1)
})

test('there is room for what fits, and again after the state shrank', () => {
  const { size } = setUp(900)
  expect([size.hasRoomFor(100), size.hasRoomFor(101)]).toEqual([true, false])
  size.set(100)
  expect(size.hasRoomFor(900)).toBe(true)
})

test('what seems full is measured before anybody is refused: most of it may be overwritten by now', () => {
  const { size, measure } = setUp(0, 10)
  size.set(10)
  for (let times = 0; times < 99; times++) size.add(10)
  expect(measure).not.toHaveBeenCalled()
  expect(size.hasRoomFor(10)).toBe(true)
  expect([size.bytes, measure.mock.calls.length]).toEqual([10, 1])
})

test('what is full is not measured for each edit that it has no room for', () => {
  const { size, measure } = setUp(1_000)
  for (let times = 0; times < 20; times++) expect(size.hasRoomFor(1)).toBe(false)
  expect(measure).toHaveBeenCalledOnce()
})
