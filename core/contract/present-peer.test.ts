import { describe, expect, test } from 'vitest'
import { presentPeer } from './present-peer.ts'

const alice = { name: 'Alice', color: '#4263eb' }

describe('who is present is read from', () => {
  test.each([
    ['our page', { user: { ...alice, type: 'human' }, cursor: { x: 1, y: -2.5 }, selection: ['shape:a', 'b'] }],
    [
      'tldraw’s example',
      {
        presence: {
          userName: 'Alice',
          color: '#4263eb',
          cursor: { x: 1, y: -2.5, type: 'default' },
          selectedShapeIds: ['shape:a', 'b'],
        },
      },
    ],
  ])('%s', (_name, state) => {
    expect(presentPeer(7, state)).toEqual({ ...alice, type: 'human', cursor: { x: 1, y: -2.5 }, selection: ['a', 'b'] })
  })

  test('an editor that has no cursor on the board yet, and selects nothing', () => {
    expect(presentPeer(7, { user: alice, cursor: null })).toEqual({ ...alice, type: 'human' })
    expect(presentPeer(7, { user: alice, selection: [] })).toEqual({ ...alice, type: 'human', selection: [] })
  })

  test('an agent', () => {
    expect(presentPeer(7, { user: { ...alice, type: 'agent' } })?.type).toBe('agent')
  })
})

test('a client that says nothing of who it is does not count', () => {
  for (const state of [{}, { cursor: { x: 1, y: 1 } }, { presence: {} }, null, [], 'Alice', 1]) {
    expect(presentPeer(7, state)).toBeUndefined()
  }
})

test('nothing of it is believed unread', () => {
  const somebody = presentPeer(7, {
    user: { name: ' ', color: 'url(x)', type: 'god' },
    cursor: { x: 'a', y: 1 },
    selection: 'x',
  })
  expect(somebody).toEqual({ name: 'Somebody', color: expect.stringMatching(/^#[0-9a-f]{6}$/), type: 'human' })
  expect(presentPeer(7, { user: 1 })).toEqual(somebody)
  const long = presentPeer(7, {
    user: { name: 'x'.repeat(1_000) },
    selection: [1, null, 'y'.repeat(129), ...Array<string>(200).fill('z')],
  })
  expect([long?.name.length, long?.selection?.length]).toEqual([60, 100])
})
