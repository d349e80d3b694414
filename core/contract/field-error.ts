/** The fault in one field: where it is and what is wrong, in words an agent's developer can act on. */
import type { ZodError } from 'zod'

export interface FieldError {
  /** Where, as an RFC 6901 JSON pointer into what was sent; '' is the whole of it. */
  pointer: string
  detail: string
}

/** More than this many faults teach nobody anything, and a hostile body could hold a million. */
const MAX_FIELD_ERRORS = 50

/** Far more than items and batches of them need. */
const MAX_DEPTH = 32
const MAX_NAME_LENGTH = 256

/** Names that reach an object's prototype in careless code: ours, a client's or a plug-in's. */
const forbiddenNames: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

export function jsonPointer(path: readonly PropertyKey[]): string {
  return path.map(step => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

/** What a schema found wrong. An unknown field is pointed at itself, not at the object that holds it. */
export function fieldErrors(error: ZodError): FieldError[] {
  const found: FieldError[] = []
  for (const issue of error.issues) {
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys.slice(0, MAX_FIELD_ERRORS)) {
        found.push({ pointer: jsonPointer([...issue.path, key]), detail: 'unknown field' })
      }
    } else {
      found.push({ pointer: jsonPointer(issue.path), detail: issue.message })
    }
  }
  return found.slice(0, MAX_FIELD_ERRORS)
}

/**
 * What no value that `JSON.parse` made may hold anywhere: the keys `__proto__`, `constructor` and `prototype` (it creates
 * them as own keys; a parser that removes them or throws would hide them from this), and depth or names that only serve
 * to be quoted back a hundred times as long. Walks without recursion: 400 kB of nested brackets would overflow the stack.
 */
export function forbiddenParts(json: unknown): FieldError[] {
  const found: FieldError[] = []
  const waiting: { value: unknown; pointer: string; depth: number }[] = [{ value: json, pointer: '', depth: 0 }]
  for (let next = waiting.pop(); next && found.length < MAX_FIELD_ERRORS; next = waiting.pop()) {
    if (typeof next.value !== 'object' || next.value === null) continue
    if (next.depth === MAX_DEPTH) {
      found.push({ pointer: next.pointer, detail: `this is nested more than ${MAX_DEPTH} deep` })
      continue
    }
    const isArray = Array.isArray(next.value)
    for (const [key, value] of Object.entries(next.value)) {
      if (key.length > MAX_NAME_LENGTH) {
        found.push({ pointer: next.pointer, detail: `this has a key of more than ${MAX_NAME_LENGTH} characters` })
        break
      }
      const pointer = next.pointer + jsonPointer([key])
      if (!isArray && forbiddenNames.has(key)) found.push({ pointer, detail: 'this name is not allowed as a key' })
      if (typeof value === 'object' && value !== null) waiting.push({ value, pointer, depth: next.depth + 1 })
    }
  }
  return found.slice(0, MAX_FIELD_ERRORS)
}
