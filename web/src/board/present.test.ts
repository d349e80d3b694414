import { expect, test } from 'vitest'
import { readPresent } from './present.ts'

test('people come before agents, each as they came, and neither this user nor who says nothing of themselves', () => {
  const user = (name: string, type?: string) => ({ user: { name, ...(type && { type }) } })
  const states = new Map<number, Record<string, unknown>>([
    [9, user('Ada')],
    [7, user('Planner', 'agent')],
    [1, user('myself')],
    [5, { cursor: { x: 0, y: 0 } }],
    [4, user('Bob')],
    [2, user('Writer', 'agent')],
  ])
  expect(readPresent({ clientID: 1, states }).map(({ name }) => name)).toEqual(['Ada', 'Bob', 'Planner', 'Writer'])
})
