import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { fieldErrors, forbiddenParts, jsonPointer } from './field-error.ts'

describe('a pointer', () => {
  it('escapes as RFC 6901 says', () => {
    expect(jsonPointer(['operations', 1, 'a/b', '~'])).toBe('/operations/1/a~1b/~0')
    expect(jsonPointer([])).toBe('')
  })
})

describe('the faults of one body', () => {
  it('are at most fifty, however hostile it is', () => {
    const body = Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`field${n}`, n]))
    const { error } = z.strictObject({}).safeParse(body)
    expect(error && fieldErrors(error)).toHaveLength(50)
  })
})

describe('a forbidden key', () => {
  it('is found anywhere and pointed at', () => {
    const json: unknown = JSON.parse('{"a":[1,{"__proto__":{"b":1}}],"prototype":null,"c":{"constructor":{}}}')
    expect(forbiddenParts(json).map(fault => fault.pointer)).toEqual(['/a/1/__proto__', '/prototype', '/c/constructor'])
  })

  it('is one as a key only, not as a value, and not because every object inherits it', () => {
    expect(forbiddenParts({ a: '__proto__', b: ['constructor'], c: {} })).toEqual([])
    expect([1, null, 'prototype', undefined].flatMap(forbiddenParts)).toEqual([])
  })

  it('is found as deep as a body may go, and beyond that the depth itself is the fault', () => {
    const nested = (deep: number): unknown => JSON.parse(`${'['.repeat(deep)}{"__proto__":1}${']'.repeat(deep)}`)
    expect(forbiddenParts(nested(31))).toEqual([
      expect.objectContaining({ detail: 'this name is not allowed as a key' }),
    ])
    for (const deep of [32, 200_000]) {
      expect(forbiddenParts(nested(deep))).toEqual([
        { pointer: '/0'.repeat(32), detail: expect.stringMatching(/nested/) },
      ])
    }
    expect(forbiddenParts(nested(99), 100)).toEqual([
      expect.objectContaining({ pointer: `${'/0'.repeat(99)}/__proto__` }),
    ])
    expect(forbiddenParts(nested(100), 100)).toEqual([expect.objectContaining({ pointer: '/0'.repeat(100) })])
  })
})

describe('the faults of a hostile body', () => {
  it('are pointed at in no more words than one would read', () => {
    const long = 'a'.repeat(250)
    const forbidden = Array.from({ length: 50 }, () => JSON.parse('{"__proto__":1}'))
    let body: unknown = forbidden
    for (let level = 0; level < 1_000; level++) body = { [long]: body }
    expect(forbiddenParts(body, 2_000).length).toBeLessThan(3)
  })

  it('are looked for without a note on each of its parts', () => {
    const body = Array.from({ length: 2_000_000 }, () => ({}))
    const start = performance.now()
    expect(forbiddenParts(body)).toEqual([])
    expect(performance.now() - start).toBeLessThan(1_500)
  })

  it('are told in fewer words than it had', () => {
    const name = 'a'.repeat(100_000)
    expect(forbiddenParts({ b: { [name]: { __proto__x: 1 } } })).toEqual([
      { pointer: '/b', detail: expect.stringMatching(/key of more than 256/) },
    ])
  })
})
