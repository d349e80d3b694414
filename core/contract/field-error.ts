/** The fault in one field: where it is and what is wrong, in words an agent's developer can act on. */
import { type ZodError, z } from 'zod'

export const fieldErrorSchema = z
  .object({
    pointer: z.string().meta({
      description: 'Where: a JSON pointer (RFC 6901) into what was sent. The whole of it, where it is empty.',
      examples: ['/x'],
    }),
    detail: z.string(),
  })
  .meta({ id: 'FieldError' })
export type FieldError = z.infer<typeof fieldErrorSchema>

/** More than this many faults teach nobody anything, and a hostile body could hold a million. */
export const fieldErrorsAtMost = 50

/** Far more than items and batches of them need. */
const deepestJson = 32
const longestKey = 256
/** Characters of all pointers together; another fault after that many is not told. */
const pointerCharactersAtMost = 256 * 1024

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
      for (const key of issue.keys.slice(0, fieldErrorsAtMost)) {
        found.push({ pointer: jsonPointer([...issue.path, key]), detail: 'unknown field' })
      }
    } else {
      found.push({ pointer: jsonPointer(issue.path), detail: issue.message })
    }
  }
  return found.slice(0, fieldErrorsAtMost)
}

/**
 * What no value that `JSON.parse` made may hold anywhere: the keys `__proto__`, `constructor` and `prototype` (it creates
 * them as own keys; a parser that removes them or throws would hide them from this), and depth or names that only serve
 * to be quoted back a hundred times as long. Walks without recursion: 400 kB of nested brackets would overflow the stack.
 * @param deepest so many objects and lists may lie in one another
 */
export function forbiddenParts(json: unknown, deepest = deepestJson): FieldError[] {
  const found: FieldError[] = []
  let quoted = 0
  /** From the whole to the part that is looked at; of what lies beside them nothing is held, and that may be millions. */
  const within: Level[] = []
  const tell = (levels: readonly Level[], detail: string) => {
    const pointer = jsonPointer(levels.map(({ names, at }) => names?.[at] ?? at))
    quoted += pointer.length
    found.push({ pointer, detail })
  }
  const enter = (value: unknown) => {
    if (typeof value !== 'object' || value === null) return
    if (within.length === deepest) tell(within, `this is nested more than ${deepest} deep`)
    else if (Array.isArray(value)) within.push({ names: undefined, values: value, at: -1 })
    else within.push({ names: Object.keys(value), values: Object.values(value), at: -1 })
  }
  const isEnough = () => found.length >= fieldErrorsAtMost || quoted >= pointerCharactersAtMost
  enter(json)
  for (let level = within.at(-1); level && !isEnough(); level = within.at(-1)) {
    level.at += 1
    const { names, values, at } = level
    const name = names?.[at] ?? ''
    if (at === values.length) within.pop()
    else if (name.length > longestKey) {
      within.pop()
      tell(within, `this has a key of more than ${longestKey} characters`)
    } else {
      if (forbiddenNames.has(name)) tell(within, 'this name is not allowed as a key')
      enter(values[at])
    }
  }
  return found
}

/** A list, or an object by its names and values in their order; `at` is the one that is looked at. */
interface Level {
  names: readonly string[] | undefined
  values: readonly unknown[]
  at: number
}
