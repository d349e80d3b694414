import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Awareness, applyAwarenessUpdate, encodeAwarenessUpdate } from 'y-protocols/awareness'
import { Doc } from 'yjs'
import { type AwarenessState, decodeAwareness, encodeAwareness, goneState, isGone } from './awareness-codec.ts'

const anyState = fc.record({
  clientId: fc.nat(2 ** 32 - 1),
  clock: fc.nat(),
  json: fc.json().map(text => new TextEncoder().encode(text)),
})

function stock(clientId: number): Awareness {
  const doc = new Doc()
  doc.clientID = clientId
  const awareness = new Awareness(doc)
  awareness.destroy() // its timer; it goes on working
  return awareness
}

describe('awareness states', () => {
  test('come back as they were', () => {
    fc.assert(
      fc.property(fc.array(anyState, { maxLength: 5 }), states => {
        expect(decodeAwareness(encodeAwareness(states))).toEqual(states)
      }),
    )
  })

  test('are read from and by y-protocols', () => {
    const alice = stock(1)
    alice.setLocalState({ user: { name: 'Alice ☂' } })
    const [state] = decodeAwareness(encodeAwarenessUpdate(alice, [1])) as [AwarenessState]
    expect(state.clientId).toBe(1)
    expect(JSON.parse(new TextDecoder().decode(state.json))).toEqual({ user: { name: 'Alice ☂' } })

    const bob = stock(2)
    applyAwarenessUpdate(bob, encodeAwareness([state]), 'test')
    expect(bob.getStates().get(1)).toEqual({ user: { name: 'Alice ☂' } })
    applyAwarenessUpdate(bob, encodeAwareness([goneState(1, state.clock)]), 'test')
    expect(bob.getStates().has(1)).toBe(false)
  })

  test('are refused when cut short or with bytes left over', () => {
    const bytes = encodeAwareness([goneState(300, 5), { clientId: 1, clock: 1, json: Uint8Array.of(0x7b, 0x7d) }])
    for (let length = 0; length < bytes.length; length++)
      expect(() => decodeAwareness(bytes.slice(0, length))).toThrow()
    expect(() => decodeAwareness(Uint8Array.of(...bytes, 0))).toThrow('left over')
  })

  test('say who is gone by null, and by nothing else', () => {
    expect(isGone(goneState(1, 2))).toBe(true)
    const other = (text: string) => ({ clientId: 1, clock: 2, json: new TextEncoder().encode(text) })
    for (const text of ['{}', '', 'nul', 'nulls', '"null"']) expect(isGone(other(text))).toBe(false)
  })
})
