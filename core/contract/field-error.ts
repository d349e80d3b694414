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
/** Characters of all pointers together; another fault after that many is not told. */
const MAX_POINTERS_LENGTH = 256 * 1024

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
 * @param deepest so many objects and lists may lie in one another
 */
export function forbiddenParts(json: unknown, deepest = MAX_DEPTH): FieldError[] {
  const found: FieldError[] = []
  let quoted = 0
  const tell = (part: Part, detail: string) => {
    const pointer = pointerOf(part)
    quoted += pointer.length
    found.push({ pointer, detail })
  }
  const isEnough = () => found.length >= MAX_FIELD_ERRORS || quoted >= MAX_POINTERS_LENGTH
  const waiting: Part[] = [{ value: json, key: '', within: undefined, depth: 0 }]
  for (let part = waiting.pop(); part && !isEnough(); part = waiting.pop()) {
    const { value: parent, depth } = part
    if (typeof parent !== 'object' || parent === null) continue
    if (depth === deepest) {
      tell(part, `this is nested more than ${deepest} deep`)
      continue
    }
    const isArray = Array.isArray(parent)
    for (const [key, value] of Object.entries(parent)) {
      if (key.length > MAX_NAME_LENGTH) {
        tell(part, `this has a key of more than ${MAX_NAME_LENGTH} characters`)
        break
      }
      const child = { value, key, within: part, depth: depth + 1 }
      if (!isArray && forbiddenNames.has(key)) tell(child, 'this name is not allowed as a key')
      if (typeof value === 'object' && value !== null) waiting.push(child)
    }
  }
  return found.slice(0, MAX_FIELD_ERRORS)
}

/** Where it is, is only put into words where something is wrong. */
interface Part {
  value: unknown
  key: string
  within: Part | undefined
  depth: number
}

function pointerOf(part: Part): string {
  const path: string[] = []
  for (let step = part; step.within; step = step.within) path.unshift(step.key)
  return jsonPointer(path)
}
