/** A message on `board:{id}:updates` is ours or another program's, and what it says can never make it seem the other. */

import { expect, test } from 'vitest'
import { readRawMessage } from './raw-change.ts'
import { mayBeWakeUp } from './wake-up.ts'

const bytes = (message: unknown) => new TextEncoder().encode(JSON.stringify(message))
const create = (text: string) => ({ action: 'create', item: { type: 'sticky', content: { text } } })

test('a change that was stored already is told of by its change_id', () => {
  const message = bytes({ change_id: 'c1', ...create('x') })
  expect([mayBeWakeUp(message), readRawMessage(message).kind]).toEqual([true, 'wake-up'])
})

test.each(['"change_id":"c1"', '{"change_id":"c1"}'])('%s as a text is a text', text => {
  const message = bytes(create(text))
  expect(mayBeWakeUp(message)).toBe(false)
  expect(readRawMessage(message)).toMatchObject({ kind: 'change', change: create(text) })
})

test('the very name as a text is looked at twice, and is a text', () => {
  const message = bytes(create('change_id'))
  expect([mayBeWakeUp(message), readRawMessage(message).kind]).toEqual([true, 'change'])
})

test('a create without an id gets another one each time, a delete keeps nothing but the id', () => {
  const ids = [1, 2].map(() => JSON.stringify(readRawMessage(bytes(create('x')))))
  expect(ids[0]).not.toBe(ids[1])
  expect(readRawMessage(bytes({ action: 'delete', item: { id: 'a', type: 'sticky', x: 1 } }))).toEqual({
    kind: 'change',
    change: { action: 'delete', item: { id: 'a' } },
    messageId: undefined,
  })
})

test('bytes that are no text are malformed', () => {
  expect(readRawMessage(Uint8Array.of(0x22, 0xff, 0x22)).kind).toBe('malformed')
})
