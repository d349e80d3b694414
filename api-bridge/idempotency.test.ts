import { afterAll, beforeAll, expect, test } from 'vitest'
import { releasing } from '../test/kit/releasing.ts'
import { embeddedSite, type Site } from '../test/storage/site.ts'
import { type Answer, createWriteOnce, type WriteRequest } from './idempotency.ts'
import { Problem } from './problems.ts'

const use = releasing(afterAll)
let site: Site
beforeAll(async () => {
  site = use(await embeddedSite())
})

const request = (key: string) =>
  ({
    grant: { subject: 'agent', authenticated: true, roleOn: () => 'admin' },
    method: 'POST',
    routeOptions: { url: '/boards/:board/keys' },
    params: { board: 'b' },
    body: { role: 'read' },
    headers: { 'idempotency-key': key },
  }) as unknown as WriteRequest

test('an answer with a secret is given once and never stored; a repeat is told the id', async () => {
  const writeOnce = createWriteOnce(site.storage.answers)
  const write = (): Promise<Answer> =>
    writeOnce(request('secret'), async () => ({
      status: 201,
      body: { id: 'key-7', key: 'bs_hush' },
      secretOf: 'key-7',
    }))
  expect(await write()).toMatchObject({ status: 201, body: { key: 'bs_hush' } })
  const again = await write().catch((error: unknown) => error)
  expect(again).toBeInstanceOf(Problem)
  expect(again).toMatchObject({ problem: 'already-created', status: 409, id: 'key-7' })
  const rows = await site.database.query('SELECT * FROM boardsync.kept_answers')
  expect(rows).toHaveLength(1)
  expect(JSON.stringify(rows)).not.toContain('bs_hush')
})

test('another answer is given again as it was, headers included', async () => {
  const writeOnce = createWriteOnce(site.storage.answers)
  const answer = { status: 201, headers: { location: '/v1/x' }, body: { a: [1, null] } }
  for (let n = 0; n < 2; n++) expect(await writeOnce(request('plain'), async () => answer)).toEqual(answer)
})
