import { describe, expect, test } from 'vitest'
import { goneState } from '../protocol/awareness-codec.ts'
import { stamped } from './awareness-stamp.ts'

const stateOf = (json: string) => ({ clientId: 1, clock: 2, json: new TextEncoder().encode(json) })
const told = (state: object, name?: string) =>
  JSON.parse(new TextDecoder().decode(stamped(stateOf(JSON.stringify(state)), name).json))

describe('a state', () => {
  test('of somebody whose credential says a name says that name, and all else as it was', () => {
    const state = { user: { name: 'Somebody else', color: '#123456' }, cursor: { x: 1, y: 2 }, more: [1] }
    expect(told(state, 'Ann')).toEqual({ ...state, user: { name: 'Ann', color: '#123456' } })
  })

  test.each([{}, { user: 'Bob' }, { user: null }])('that names nobody in the usual place does so then: %j', state => {
    expect(told(state, 'Ann')).toEqual({ user: { name: 'Ann' } })
  })

  test('names the same one where tldraw’s example has it', () => {
    const presence = { userName: 'Bob', cursor: { x: 1, y: 2 } }
    expect(told({ presence }, 'Ann')).toEqual({ user: { name: 'Ann' }, presence: { ...presence, userName: 'Ann' } })
  })

  test('of somebody whose credential says none stays the bytes it was', () => {
    const state = stateOf('{"user":{"name":"Bob"}}')
    expect(stamped(state, undefined)).toBe(state)
  })

  test.each(['', '[]', '"text"', '{', '\u0000'])('that is no JSON object is left to be refused: %j', json => {
    const state = stateOf(json)
    expect(stamped(state, 'Ann')).toBe(state)
  })

  test('of somebody who is gone stays what it is', () => {
    const gone = goneState(1, 2)
    expect(stamped(gone, 'Ann')).toBe(gone)
  })
})
