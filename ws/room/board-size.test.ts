/** A board that grows: its operator is told in time, and its limit holds. */
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { parseBoardId } from '../../core/contract/board-id.ts'
import { BoardSize } from './board-size.ts'

function setUp(bytes: number) {
  const warnings: unknown[] = []
  const log = pino({ level: 'warn' }, { write: line => warnings.push(JSON.parse(line)) })
  return { size: new BoardSize(parseBoardId('big'), bytes, 1_000, log), warnings }
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
