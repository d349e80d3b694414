/** Where nothing has to be said a body may be missing, also under the content type that a client sends with everything. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { releasing } from '../kit/releasing.ts'
import { freshBoard, Site } from '../kit/site.ts'
import { create } from './asking.ts'
import { refusalOf } from './refusals.ts'

const use = releasing(afterAll)
let site: Site
beforeAll(async () => {
  site = use(await Site.start())
})

test.each([
  ['none at all', undefined, {}],
  ['an empty one, said to be JSON', '', { 'content-type': 'application/json' }],
  ['an empty one, said to be text, as by fetch', '', { 'content-type': 'text/plain;charset=UTF-8' }],
  ['an empty one, said to be a form, as by curl', '', { 'content-type': 'application/x-www-form-urlencoded' }],
  ['an empty one of a type that is none', '', { 'content-type': 'png' }],
])('%s does for a board, its restoring, a ticket and a session', async (_what, body, headers) => {
  const board = freshBoard()
  await create(site, board)
  await site.ask('DELETE', `/v1/boards/${board}`)
  const answers = [
    await site.ask('POST', '/v1/boards', body, headers),
    await site.ask('POST', `/v1/boards/${board}/restore`, body, headers),
    await site.ask('POST', `/v1/boards/${board}/tickets`, body, headers),
    await site.ask('POST', '/v1/session', body, headers),
  ]
  expect(answers.map(answer => answer.statusCode)).toEqual([201, 200, 201, 201])
})

/** What fetch wants to be told where the body is a stream. */
const half = { duplex: 'half' } as object

test.each(['text/plain', 'png'])('a DELETE that is said to be %s, and has none, is done', async type => {
  const board = freshBoard()
  await create(site, board, { id: 'a' })
  const headers = { 'content-type': type }
  expect((await site.ask('DELETE', `/v1/boards/${board}/items/a`, undefined, headers)).statusCode).toBe(204)
})

test.each(['text/plain', 'application/x-www-form-urlencoded', 'png'])('but one of type %s is refused', async type => {
  const answer = await site.ask('POST', '/v1/boards', '{}', { 'content-type': type })
  expect(refusalOf(answer)).toBe('415 content-type-unsupported')
})

test('over the wire the same holds, also where nobody says how long it is', async () => {
  const board = freshBoard()
  await create(site, board)
  const send = (body: string | ReadableStream) =>
    fetch(`${site.url}/v1/boards/${board}/tickets`, { method: 'POST', body, ...half })
  const streamed = (text: string) => new Blob([text], { type: 'text/plain' }).stream()
  const answers = [await send(''), await send(streamed('')), await send('{}'), await send(streamed('{}'))]
  expect(answers.map(({ status }) => status)).toEqual([201, 201, 415, 415])
})
