/** Where nothing has to be said a body may be missing, also under the content type that a client sends with everything. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { releasing } from '../kit/releasing.ts'
import { freshBoard, Site } from '../kit/site.ts'
import { create } from './asking.ts'

const use = releasing(afterAll)
let site: Site
beforeAll(async () => {
  site = use(await Site.start())
})

test.each([
  ['none at all', undefined, {}],
  ['an empty one, said to be JSON', '', { 'content-type': 'application/json' }],
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
