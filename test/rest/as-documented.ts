/** Answers held against the OpenAPI document: status, headers, media type, body, and the name of the problem. */
import { expect } from 'vitest'
import { z } from 'zod'
import type { ApiDocument, Operation } from '../../api-bridge/open-api-document.ts'

interface Given {
  statusCode: number
  headers: Record<string, unknown>
  body: string
}

/** Not of every answer of that status. */
const onlySometimes = ['Accept-Encoding']
/** Of refusals, too, unless they come before the request counts. */
const limits = /^RateLimit-/

export function expectDocumented(api: ApiDocument, { operationId, responses }: Operation, answer: Given): void {
  const what = `${operationId} ${answer.statusCode} ${answer.body.slice(0, 200)}`
  const told = responses[answer.statusCode]
  if (!told) expect.fail(`not documented: ${what}`)
  const shared = '$ref' in told ? api.components.responses[told.$ref.split('/').at(-1) ?? ''] : told
  if (!shared) expect.fail(`refers to nothing: ${what}`)
  for (const name of Object.keys(shared.headers ?? {}).filter(name => !onlySometimes.includes(name))) {
    expect(answer.headers, what).toHaveProperty(name.toLowerCase())
  }
  for (const name of Object.keys(api.components.headers).filter(name => !limits.test(name))) {
    if (answer.headers[name.toLowerCase()] !== undefined)
      expect(Object.keys(shared.headers ?? {}), what).toContain(name)
  }
  const type = String(answer.headers['content-type'] ?? '').split(';')[0] ?? ''
  expect(Object.keys(shared.content ?? { '': {} }), what).toContain(type)
  if (!type.endsWith('json')) return
  const body = JSON.parse(answer.body)
  expect(checkOf(api, shared.content?.[type]?.schema ?? {}).safeParse(body).error, what).toBeUndefined()
  if (answer.statusCode < 400) return
  expect(told.description ?? shared.description, what).toContain(`\`${body.type.split('/').at(-1)}\``)
}

/** A schema of the document, to check values with. */
export function checkOf(api: ApiDocument, schema: object): z.ZodType {
  const whole = JSON.stringify({ ...schema, $defs: api.components.schemas })
  return z.fromJSONSchema(JSON.parse(whole.replaceAll('#/components/schemas/', '#/$defs/')))
}
