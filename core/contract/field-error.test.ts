import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { fieldErrors, forbiddenKeys, jsonPointer } from './field-error.ts'

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
    expect(forbiddenKeys(json).map(fault => fault.pointer)).toEqual(['/prototype', '/c/constructor', '/a/1/__proto__'])
  })

  it('is one as a key only, not as a value, and not because every object inherits it', () => {
    expect(forbiddenKeys({ a: '__proto__', b: ['constructor'], c: {} })).toEqual([])
    expect([1, null, 'prototype', undefined].flatMap(forbiddenKeys)).toEqual([])
  })

  it('is looked for without overflowing the stack', () => {
    const deep = 200_000
    const json: unknown = JSON.parse(`${'['.repeat(deep)}{"__proto__":1}${']'.repeat(deep)}`)
    expect(forbiddenKeys(json)).toHaveLength(1)
  })
})
