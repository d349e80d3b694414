/** Waiting for facts, never for time: `until` asks again until a fact holds, and says what it saw when it never does. */

import { inspect } from 'node:util'
import type { Doc } from 'yjs'

export interface Patience {
  /** Milliseconds until the wait is given up. Default 15,000. */
  timeout?: number
  /** What is awaited, for the error; default is the source of the fact. */
  what?: string
}

type Fact<T> = () => T | Promise<T>
type Holding<T> = Exclude<T, false | 0 | '' | null | undefined>
type Look = { value: unknown } | { error: unknown } | 'no answer'

/**
 * Resolves with the first truthy answer of `fact`. A fact that throws does not hold yet. With a document, the fact is
 * also looked at right after each of its updates.
 */
export function until<T>(fact: Fact<T>, patience?: Patience): Promise<Holding<T>>
export function until<T>(doc: Doc, fact: Fact<T>, patience?: Patience): Promise<Holding<T>>
export function until<T>(first: Doc | Fact<T>, second?: Fact<T> | Patience, third?: Patience): Promise<Holding<T>> {
  if (typeof first === 'function') return waitFor(first, second as Patience | undefined)
  return waitFor(second as Fact<T>, third, first)
}

async function waitFor<T>(fact: Fact<T>, patience: Patience = {}, doc?: Doc): Promise<Holding<T>> {
  const { timeout = 15_000, what = fact.toString() } = patience
  const deadline = performance.now() + timeout
  let last: Look = 'no answer'

  for (let pause = 5; ; pause = Math.min(pause * 1.5, 100)) {
    const look: Look = await lookBefore(deadline, fact)
    if (look !== 'no answer') {
      if ('value' in look && look.value) return look.value as Holding<T>
      last = look
    }
    const left = deadline - performance.now()
    if (left <= 0) throw gaveUp(what, timeout, last)
    await nextLook(Math.min(pause, left), doc)
  }
}

async function lookBefore(deadline: number, fact: Fact<unknown>): Promise<Look> {
  let timer: NodeJS.Timeout | undefined
  const outOfTime = new Promise<Look>(resolve => {
    timer = setTimeout(resolve, Math.max(0, deadline - performance.now()), 'no answer')
  })
  const looked = (async (): Promise<Look> => {
    try {
      return { value: await fact() }
    } catch (error) {
      return { error }
    }
  })()
  const look = await Promise.race([looked, outOfTime])
  clearTimeout(timer)
  return look
}

function nextLook(pause: number, doc?: Doc): Promise<void> {
  return new Promise(resolve => {
    const look = () => {
      clearTimeout(timer)
      doc?.off('afterAllTransactions', look)
      resolve()
    }
    const timer = setTimeout(look, pause)
    doc?.on('afterAllTransactions', look)
  })
}

function gaveUp(what: string, timeout: number, last: Look): Error {
  const waited = `waited ${timeout} ms in vain for: ${what}`
  if (last === 'no answer') return new Error(`${waited}\nThe fact never gave an answer.`)
  if ('error' in last) return new Error(`${waited}\nThe last look failed: ${last.error}`, { cause: last.error })
  return new Error(`${waited}\nThe last look saw: ${inspect(last.value, { depth: 4 })}`)
}
