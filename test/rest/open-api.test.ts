/** The OpenAPI document itself: whether it is whole, without doubles, and what the server answers. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ApiDocument, Operation } from '../../api-bridge/open-api-document.ts'
import { releasing } from '../kit/releasing.ts'
import { freshBoard, Site } from '../kit/site.ts'
import { checkOf, expectDocumented } from './as-documented.ts'
import { fileOf, upload } from './board-files.ts'
import { assetUrl, pixel, putPicture } from './pictures.ts'

const use = releasing(afterAll)
let site: Site
let api: ApiDocument
beforeAll(async () => {
  site = use(await Site.start())
  api = (await site.ask('GET', '/v1/openapi.json')).json()
})

const operations = (): Operation[] => Object.values(api.paths).flatMap(methods => Object.values(methods))

function operationOf(id: string): Operation {
  const found = operations().find(({ operationId }) => operationId === id)
  if (!found) throw new Error(`no operation ${id}`)
  return found
}

/** Everything in the document, with where it stands. */
function* partsOf(value: unknown, path = '#'): Generator<[path: string, part: Record<string, unknown>]> {
  if (typeof value !== 'object' || value === null) return
  if (!Array.isArray(value)) yield [path, value as Record<string, unknown>]
  for (const [name, part] of Object.entries(value)) yield* partsOf(part, `${path}/${name.replaceAll('/', '~1')}`)
}

const at = (pointer: string): unknown =>
  pointer
    .split('/')
    .slice(1)
    .reduce<unknown>((part, name) => (part as Record<string, unknown> | undefined)?.[name.replaceAll('~1', '/')], api)

describe('the document', () => {
  test('names each call once, and says what it is for and where it belongs', () => {
    const ids = operations().map(({ operationId }) => operationId)
    expect(new Set(ids).size).toBe(ids.length)
    const tags = api.tags.map(({ name }) => name)
    for (const { operationId, summary, tags: own } of operations()) {
      expect(summary, operationId).toMatch(/\S/)
      expect(own.length, operationId).toBe(1)
      expect(tags).toEqual(expect.arrayContaining([...own]))
    }
  })

  test('describes each parameter and each answer', () => {
    for (const { operationId, parameters, responses } of operations()) {
      for (const { name, description } of parameters) expect(description, `${operationId} ${name}`).toMatch(/\S/)
      for (const [status, answer] of Object.entries(responses)) {
        const described = '$ref' in answer ? (at(answer.$ref) as { description: string }) : answer
        expect(described.description, `${operationId} ${status}`).toMatch(/\S/)
        expect(described.description, `${operationId} ${status}`).not.toBe('Default Response')
      }
    }
  })

  test('has each path parameter of an address, and no other', () => {
    for (const [path, methods] of Object.entries(api.paths)) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
      for (const { parameters } of Object.values(methods)) {
        expect(parameters.filter(({ in: where }) => where === 'path').map(({ name }) => name)).toEqual(inPath)
      }
    }
  })

  test('has each schema once', () => {
    const names = Object.keys(api.components.schemas)
    expect(names.filter(name => names.includes(`${name}Input`))).toEqual([])
    const contents = Object.values(api.components.schemas).map(schema => JSON.stringify(schema))
    expect(new Set(contents).size).toBe(contents.length)
  })

  test('refers to what there is, and has nothing that nobody refers to', () => {
    const referred = new Set([...partsOf(api)].flatMap(([, { $ref }]) => (typeof $ref === 'string' ? [$ref] : [])))
    for (const $ref of referred) expect(at($ref), $ref).toBeDefined()
    const unused = (['schemas', 'responses', 'headers'] as const).flatMap(kind =>
      Object.keys(api.components[kind]).filter(name => !referred.has(`#/components/${kind}/${name}`)),
    )
    expect(unused).toEqual([])
  })

  test('has examples that are as their schema says', () => {
    const exemplary = [...partsOf(api)].filter(([, { examples }]) => Array.isArray(examples))
    expect(exemplary.length).toBeGreaterThan(15)
    for (const [path, schema] of exemplary) {
      for (const example of schema.examples as unknown[]) {
        expect(checkOf(api, schema).safeParse(example).error, `${path} ${JSON.stringify(example)}`).toBeUndefined()
      }
    }
  })

  test('lets generators tell operations of a batch apart', () => {
    const { oneOf, discriminator } = api.components.schemas.Operation as {
      oneOf: { $ref: string }[]
      discriminator: { propertyName: string; mapping: Record<string, string> }
    }
    const actions = oneOf.map(({ $ref }) => {
      const { properties } = at($ref) as { properties: Record<string, { const: string }> }
      return [properties[discriminator.propertyName]?.const, $ref]
    })
    expect(discriminator.mapping).toEqual(Object.fromEntries(actions))
  })

  test('says which bodies may be left out', () => {
    const optional = operations().filter(({ requestBody }) => requestBody?.required === false)
    expect(optional.map(({ operationId }) => operationId).sort()).toEqual(['createBoard', 'createTicket'])
  })

  test('names the address people see as its server, where one is set', async () => {
    const publicUrl = 'https://boards.example.com'
    const elsewhere = use(await Site.start({ settings: { PUBLIC_URL: publicUrl } }))
    const { servers } = (await elsewhere.ask('GET', '/v1/openapi.json')).json() as ApiDocument
    expect([api.servers[0]?.url, servers[0]?.url]).toEqual(['/', publicUrl])
  })
})

describe('an answer is as documented', () => {
  const board = freshBoard()
  const batch = (...operations: object[]) => site.ask('POST', `${boardUrl}/batch`, { operations })
  const boardUrl = `/v1/boards/${board}`
  const note = { id: 'note', type: 'sticky' }
  const invalid = { type: 'connector', content: { from: 'nowhere', to: 'note' } }
  const keyed = { 'idempotency-key': 'once' }
  const secret = { 'idempotency-key': 'secret' }

  /** In this order, on one board. */
  const asked: [operationId: string, status: number, ask: () => ReturnType<Site['ask']>][] = [
    ['createBoard', 201, () => site.ask('POST', '/v1/boards', { id: board })],
    ['createBoard', 409, () => site.ask('POST', '/v1/boards', { id: board })],
    ['createItem', 201, () => site.ask('POST', `${boardUrl}/items`, note, keyed)],
    ['createItem', 409, () => site.ask('POST', `${boardUrl}/items`, note)],
    ['createItem', 422, () => site.ask('POST', `${boardUrl}/items`, invalid)],
    ['createItem', 422, () => site.ask('POST', `${boardUrl}/items`, { type: 'text' }, keyed)],
    ['createItem', 400, () => site.ask('POST', `${boardUrl}/items`, { type: 'potato' })],
    ['createItem', 400, () => site.ask('POST', `${boardUrl}/items`, '{')],
    ['createItem', 413, () => site.ask('POST', `${boardUrl}/items`, 'x'.repeat(1024 * 1024 + 1))],
    ['createItem', 415, () => site.ask('POST', `${boardUrl}/items`, note, { 'content-type': 'text/plain' })],
    ['createItem', 415, () => site.ask('POST', `${boardUrl}/items`, note, { 'content-encoding': 'gzip' })],
    ['createItem', 421, () => site.ask('POST', `${boardUrl}/items`, note, { host: 'elsewhere.example' })],
    ['createItem', 403, () => site.ask('POST', `${boardUrl}/items`, note, { origin: 'https://elsewhere.example' })],
    ['listItems', 200, () => site.ask('GET', `${boardUrl}/items?limit=1`)],
    ['listItems', 304, () => site.ask('GET', `${boardUrl}/items`, undefined, { 'if-none-match': '*' })],
    ['listItems', 400, () => site.ask('GET', `${boardUrl}/items?limit=501`)],
    ['listItems', 406, () => site.ask('GET', `${boardUrl}/items`, undefined, { accept: 'text/html' })],
    ['listItems', 404, () => site.ask('GET', '/v1/boards/nowhere/items')],
    ['listItems', 400, () => site.ask('GET', '/v1/boards/api/items')],
    ['readItem', 200, () => site.ask('GET', `${boardUrl}/items/note`)],
    ['readItem', 304, () => site.ask('GET', `${boardUrl}/items/note`, undefined, { 'if-none-match': '*' })],
    ['readItem', 404, () => site.ask('GET', `${boardUrl}/items/none`)],
    ['patchItem', 200, () => site.ask('PATCH', `${boardUrl}/items/note`, { x: 5 })],
    ['patchItem', 412, () => site.ask('PATCH', `${boardUrl}/items/note`, { x: 5 }, { 'if-match': '"older"' })],
    ['patchItem', 404, () => site.ask('PATCH', `${boardUrl}/items/none`, { x: 5 })],
    ['changeItems', 200, () => batch({ action: 'update', item: { id: 'note', y: 1 } })],
    ['changeItems', 409, () => batch({ action: 'create', item: note })],
    ['readBoard', 200, () => site.ask('GET', boardUrl)],
    ['listBoards', 200, () => site.ask('GET', '/v1/boards')],
    ['renameBoard', 200, () => site.ask('PATCH', boardUrl, { title: 'Retro' })],
    ['readChange', 404, () => site.ask('GET', `${boardUrl}/changes/none`)],
    ['putAsset', 201, () => putPicture(site, board, pixel)],
    ['putAsset', 200, () => putPicture(site, board, pixel)],
    ['putAsset', 415, () => putPicture(site, board, Buffer.from('text'))],
    ['readAsset', 200, () => site.ask('GET', assetUrl(board, pixel))],
    ['readAsset', 304, () => site.ask('GET', assetUrl(board, pixel), undefined, { 'if-none-match': '*' })],
    ['readAsset', 404, () => site.ask('GET', `${boardUrl}/assets/none`)],
    ['exportBoard', 200, () => site.ask('GET', `${boardUrl}/export`)],
    ['exportBoard', 304, () => site.ask('GET', `${boardUrl}/export`, undefined, { 'if-none-match': '*' })],
    ['importFile', 200, () => upload(site, board, fileOf())],
    ['importFile', 400, () => upload(site, board, {})],
    ['readPresence', 200, () => site.ask('GET', `${boardUrl}/presence`)],
    [
      'announcePresence',
      200,
      () => site.ask('POST', `${boardUrl}/presence`, { name: 'agent-7', cursor: { x: 1, y: 2 } }),
    ],
    ['announcePresence', 204, () => site.ask('POST', `${boardUrl}/presence`, { name: 'agent-7', ttl: 0 })],
    ['streamEvents', 410, () => site.ask('GET', `${boardUrl}/events?after=1-1`)],
    ['createKey', 201, () => site.ask('POST', `${boardUrl}/keys`, { role: 'read' }, secret)],
    ['createKey', 409, () => site.ask('POST', `${boardUrl}/keys`, { role: 'read' }, secret)],
    ['listKeys', 200, () => site.ask('GET', `${boardUrl}/keys`)],
    ['revokeKey', 404, () => site.ask('DELETE', `${boardUrl}/keys/none`)],
    ['createTicket', 201, () => site.ask('POST', `${boardUrl}/tickets`)],
    ['readSession', 200, () => site.ask('GET', '/v1/session')],
    ['signIn', 201, () => site.ask('POST', '/v1/session')],
    ['signOut', 204, () => site.ask('DELETE', '/v1/session')],
    ['deleteItem', 204, () => site.ask('DELETE', `${boardUrl}/items/note`)],
    ['deleteItem', 404, () => site.ask('DELETE', `${boardUrl}/items/note`)],
    ['deleteBoard', 204, () => site.ask('DELETE', boardUrl)],
    ['restoreBoard', 200, () => site.ask('POST', `${boardUrl}/restore`)],
    ['restoreBoard', 404, () => site.ask('POST', '/v1/boards/nowhere/restore')],
  ]

  test.each(asked)('%s %i', async (operationId, status, ask) => {
    const answer = await ask()
    expect(answer.statusCode, answer.body).toBe(status)
    expectDocumented(api, operationOf(operationId), answer)
  })

  test('and that a change waits, too', async () => {
    const slow = use(await Site.start({ applies: false }))
    const answer = await slow.ask('POST', `${boardUrl}/items`, note)
    expect(answer.statusCode).toBe(202)
    expectDocumented(api, operationOf('createItem'), answer)
    const waiting = await slow.ask('GET', String(answer.headers.location))
    expectDocumented(api, operationOf('readChange'), waiting)
  })

  test('and that a credential is missing', async () => {
    const guarded = use(await Site.start({ settings: { ADMIN_KEY: 'the-admin-key-of-these-tests' } }))
    const answer = await guarded.ask('GET', boardUrl)
    expect(answer.statusCode).toBe(401)
    expectDocumented(api, operationOf('readBoard'), answer)
  })

  test('and that there were too many requests', async () => {
    const strict = use(await Site.start({ settings: { RATE_REST: '1/s burst 1' } }))
    await strict.ask('GET', '/v1/session')
    const answer = await strict.ask('GET', '/v1/session')
    expect(answer.statusCode).toBe(429)
    expectDocumented(api, operationOf('readSession'), answer)
  })
})
