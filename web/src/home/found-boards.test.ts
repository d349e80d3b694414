import { expect, test } from 'vitest'
import type { Board } from './boards.ts'
import { foundBoards } from './found-boards.ts'

const board = (id: string, title: string | null, hour: number): Board => ({
  id,
  title,
  seq: 0,
  item_count: null,
  created_at: '2026-01-01T00:00:00.000Z',
  updated_at: `2026-01-01T${String(hour).padStart(2, '0')}:00:00.000Z`,
})
const boards = [
  board('a', 'Launch plan', 1),
  board('b', 'Zürich offsite', 3),
  board('launch-2', null, 2),
  board('d', 'Plan of the offsite', 9),
]

test.each([
  ['', ['d', 'b', 'launch-2', 'a']],
  ['  ', ['d', 'b', 'launch-2', 'a']],
  ['launch', ['launch-2', 'a']],
  ['PLAN launch', ['a']],
  ['zürich', ['b']],
  ['offsite plan', ['d']],
  ['nothing', []],
])('“%s” finds by name and id, in any case and order; last changed first', (wanted, ids) => {
  expect(foundBoards(boards, wanted).map(({ id }) => id)).toEqual(ids)
})
