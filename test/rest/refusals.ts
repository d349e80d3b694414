/** Reading a refusal, and seeing on the way that it is a problem document which gives nothing away. */

import { expect } from 'vitest'
import type { Site } from '../kit/site.ts'

export type Answer = Awaited<ReturnType<Site['ask']>>

/** Status and the last part of `type`. */
export function refusalOf(answer: Answer): string {
  expect(answer.headers['content-type']).toBe('application/problem+json')
  const problem = answer.json()
  expect(problem).toMatchObject({ title: expect.any(String), detail: expect.any(String), status: answer.statusCode })
  expect(
    Object.keys(problem).filter(key => !['type', 'title', 'status', 'detail', 'errors', 'id'].includes(key)),
  ).toEqual([])
  expect(answer.body).not.toMatch(/node_modules|at .*\.[jt]s:\d|<html|Error:/)
  expect(answer.body.length).toBeLessThan(20_000)
  return `${problem.status} ${problem.type.replace('/v1/problems/', '')}`
}
export const pointersOf = (answer: Answer): string[] =>
  (answer.json().errors ?? []).map((error: { pointer: string }) => error.pointer)
