/** What an answer may be, as the caller says. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { releasing } from '../kit/releasing.ts'
import { Site } from '../kit/site.ts'
import { sticky } from './asking.ts'
import { refusalOf } from './refusals.ts'

const use = releasing(afterAll)
let site: Site
beforeAll(async () => {
  site = use(await Site.start())
})

const ask = (accept: string) => site.ask('GET', '/v1/boards', undefined, { accept })

test.each([
  '*/*',
  'application/json',
  'application/*',
  'Application/JSON; charset=utf-8',
  'text/html, application/xhtml+xml, */*;q=0.1',
  'application/problem+json',
  'text/csv, application/json;q=0.5',
  '',
  'nonsense, */nonsense',
])('%j takes JSON', async accept => {
  expect((await ask(accept)).statusCode).toBe(200)
})

test.each(['text/html', 'application/xml, text/*', 'application/json;q=0', '*/*, application/*;q=0'])(
  '%j does not: it is refused',
  async accept => {
    expect(refusalOf(await ask(accept))).toBe('406 not-acceptable')
  },
)

test('what is refused so was not done', async () => {
  const url = '/v1/boards/unacceptable/items'
  expect(refusalOf(await site.ask('POST', url, sticky, { accept: 'text/html' }))).toBe('406 not-acceptable')
  expect((await site.ask('GET', url)).statusCode).toBe(404)
})

test('a wrong method, and what is no address, are told of whatever the caller takes', async () => {
  expect(refusalOf(await site.ask('PUT', '/v1/boards', {}, { accept: 'text/html' }))).toBe('405 method-not-allowed')
  expect(refusalOf(await site.ask('GET', '/v1/nothing', undefined, { accept: 'text/html' }))).toBe('404 not-found')
})
