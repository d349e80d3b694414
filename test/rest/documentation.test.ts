/** What is made of the OpenAPI document: the page /v1/docs, a generated client, and whatever is sent to its calls. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import type { InjectOptions } from 'fastify'
import createClient from 'openapi-fetch'
import openapiTS, { astToString } from 'openapi-typescript'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ApiDocument } from '../../api-bridge/open-api-document.ts'
import { launchChromium } from '../kit/chromium.ts'
import { releasing } from '../kit/releasing.ts'
import { freshBoard, Site } from '../kit/site.ts'
import { projectRoot } from '../kit/sources.ts'
import { expectDocumented } from './as-documented.ts'

const use = releasing(afterAll)
let site: Site
let api: ApiDocument
beforeAll(async () => {
  site = use(await Site.start())
  api = (await site.ask('GET', '/v1/openapi.json')).json()
})

const calls = () =>
  Object.entries(api.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), ...operation })),
  )

describe('the page /v1/docs', () => {
  test('shows every call with a curl line, asks nobody for anything, and runs no script', async () => {
    const browser = use(await launchChromium(), given => given.close())
    const page = await browser.newPage()
    const asked: string[] = []
    const complaints: string[] = []
    page.on('request', request => asked.push(request.url()))
    page.on('console', message => complaints.push(message.text()))
    await page.goto(`${site.url}/v1/docs`)
    for (const { path, method, operationId, security } of calls()) {
      const shown = await page.locator(`#${operationId}`).textContent()
      expect(shown).toContain(`${method} ${path}`)
      expect(shown).toContain('curl ')
      const [role] = (security ?? []).flatMap(Object.values).flat()
      expect(/role (\w+) on/.exec(shown ?? '')?.[1], operationId).toBe(role)
    }
    const targets = await page
      .locator('a[href^="#"]')
      .evaluateAll(links => links.map(link => link.getAttribute('href')))
    for (const target of new Set(targets)) expect(await page.locator(String(target)).count(), String(target)).toBe(1)
    expect(asked.filter(url => !url.startsWith(site.url))).toEqual([])
    expect(complaints).toEqual([])
    expect(await page.locator('script').count()).toBe(0)
    await page.setViewportSize({ width: 390, height: 844 })
    expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBe(390)
    await page.emulateMedia({ colorScheme: 'dark' })
    // Else the canvas stays white under links meant for black.
    expect(await page.evaluate('getComputedStyle(document.documentElement).colorScheme')).toBe('light dark')
  }, 120_000)
})

test('every curl line of /v1/docs that names no id or file of the reader is taken as it stands', async () => {
  const page = (await site.ask('GET', '/v1/docs')).body
  const line =
    /<pre>curl (?:-X (\w+) )?'http:\/\/localhost:8080([^'<&]+)'(?: \\\n {2}-H 'content-type: ([^']+)' \\\n {2}-d '([^@'][^']*)')?<\/pre>/g
  const lines = [...page.matchAll(line)].filter(([, , path]) => path !== '/v1/boards/demo/events')
  expect(lines.length).toBeGreaterThan(15)
  await site.ask('POST', '/v1/boards', { id: 'demo' })
  for (const [shown, method = 'GET', path = '', type, body] of lines) {
    const answer = await site.app.inject({
      method: method as NonNullable<InjectOptions['method']>,
      url: path,
      headers: { host: 'localhost', ...(type && { 'content-type': type }) },
      ...(body && { payload: body.replaceAll('&quot;', '"') }),
    })
    expect(answer.statusCode, `${shown}: ${answer.body}`).toBeLessThan(300)
  }
}, 120_000)

describe('a client made from the document', () => {
  // Inside the project: so that the compiler and Node find openapi-fetch.
  const folder = join(projectRoot, 'node_modules', `.boardsync-client-${process.pid}`)
  beforeAll(async () => {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'api.d.ts'), astToString(await openapiTS(JSON.stringify(api))))
    writeFileSync(join(folder, 'round.ts'), round)
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test('compiles, and knows what may be sent and what is answered', () => {
    expect(compileFaults(join(folder, 'round.ts'))).toEqual([])
  }, 120_000)

  test('does with a board what it says', async () => {
    const { go } = (await import(join(folder, 'round.ts'))) as {
      go: (client: unknown, board: string) => Promise<unknown>
    }
    expect(await go(createClient({ baseUrl: site.url }), freshBoard())).toEqual({
      made: [201, 'note', 'hello'],
      listed: ['note', 'other'],
      patched: ['red', 'hello'],
      batch: ['applied', 'applied'],
      refused: [400, '/v1/problems/request-invalid', '/x'],
      missing: [404, '/v1/problems/item-missing'],
      here: ['Painter'],
      deleted: [204, ['other', 'two']],
    })
  }, 120_000)
})

/** Written against the generated types alone. */
const round = `
import type { Client } from 'openapi-fetch'
import type { paths } from './api.d.ts'

export async function go(client: Client<paths>, board: string) {
  const path = { board }
  const items = '/v1/boards/{board}/items'
  const item = '/v1/boards/{board}/items/{item}'
  const ids = async () => {
    const { data } = await client.GET(items, { params: { path, query: { limit: 5 } } })
    return data?.items.map(({ id }) => id)
  }
  const made = await client.POST(items, {
    params: { path, header: { 'idempotency-key': 'first' } },
    body: { id: 'note', type: 'sticky', x: 1, content: { text: 'hello' } },
  })
  await client.POST(items, { params: { path }, body: { id: 'other', type: 'sticky' } })
  const listed = await ids()
  const patched = await client.PATCH(item, { params: { path: { board, item: 'note' } }, body: { style: { color: 'red' } } })
  const batch = await client.POST('/v1/boards/{board}/batch', {
    params: { path },
    body: {
      operations: [
        { action: 'create', item: { id: 'two', type: 'sticky' } },
        { action: 'update', item: { id: 'other', x: 5 } },
      ],
    },
  })
  const refused = await client.POST(items, { params: { path }, body: { type: 'sticky', x: 1e9 } })
  const missing = await client.GET(item, { params: { path: { board, item: 'nowhere' } } })
  await client.POST('/v1/boards/{board}/presence', { params: { path }, body: { name: 'Painter' } })
  const here = await client.GET('/v1/boards/{board}/presence', { params: { path } })
  const deleted = await client.DELETE(item, { params: { path: { board, item: 'note' } } })
  // @ts-expect-error no item is of this type
  await client.POST(items, { params: { path }, body: { type: 'potato' } })
  return {
    made: [made.response.status, ...(made.data && 'type' in made.data ? [made.data.id, made.data.content?.text] : [])],
    listed,
    patched: patched.data && 'type' in patched.data ? [patched.data.style?.color, patched.data.content?.text] : [],
    batch: batch.data && 'results' in batch.data ? batch.data.results?.map(({ status }) => status) : [],
    refused: [refused.response.status, refused.error?.type, refused.error?.errors?.[0]?.pointer],
    missing: [missing.response.status, missing.error?.type],
    here: here.data?.peers.map(({ name }) => name),
    deleted: [deleted.response.status, await ids()],
  }
}
`

function compileFaults(file: string): string[] {
  const program = ts.createProgram([file], {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    allowImportingTsExtensions: true,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2023,
    types: [],
    lib: ['lib.es2023.d.ts', 'lib.dom.d.ts'],
  })
  return ts.getPreEmitDiagnostics(program).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
}

describe('whatever is sent to the calls of the document', () => {
  test('is answered as documented, never by a fault of the server, and refused by a problem document', async () => {
    const board = freshBoard()
    await site.ask('POST', `/v1/boards/${board}/items`, { id: 'a', type: 'sticky' })
    const odd = fc.oneof(
      fc.constantFrom('a', '', '..', '%00', 'none', '1-1', 'x'.repeat(300)),
      fc.string({ unit: 'binary', maxLength: 30 }),
    )
    const request = fc.record({
      call: fc.constantFrom(...calls().filter(({ operationId }) => operationId !== 'streamEvents')),
      onBoard: fc.boolean(),
      values: fc.array(odd, { minLength: 8, maxLength: 8 }),
      body: fc.option(
        fc.oneof(fc.json(), fc.string(), fc.constantFrom('{"operations":[{}]}', '{"type":"sticky","x":1e999}')),
      ),
      type: fc.constantFrom(
        'application/json',
        'application/merge-patch+json',
        'image/png',
        'text/plain',
        'application/vnd.tldraw+json',
      ),
    })
    await fc.assert(
      fc.asyncProperty(request, async ({ call, onBoard, values, body, type }) => {
        const next = () => encodeURIComponent((values.shift() ?? '').replaceAll(/\p{Surrogate}/gu, ''))
        const address = call.path.replace('{board}', onBoard ? board : next()).replaceAll(/\{\w+\}/g, next)
        const query = call.parameters
          .filter(({ in: where }) => where === 'query')
          .map(({ name }) => `${name}=${next()}`)
        const answer = await site.app.inject({
          method: call.method as NonNullable<InjectOptions['method']>,
          url: query.length > 0 ? `${address}?${query.join('&')}` : address,
          headers: { host: 'localhost', ...(body !== null && { 'content-type': type }) },
          ...(body !== null && { payload: body }),
        })
        expect(answer.statusCode, `${call.method} ${address}: ${answer.body}`).toBeLessThan(500)
        // With an empty part or `..` in it the address is that of no call.
        if (!/problems\/(not-found|method-not-allowed)"/.test(answer.body)) expectDocumented(api, call, answer)
        if (answer.statusCode < 400) return
        expect(answer.headers['content-type']).toBe('application/problem+json')
        expect(answer.json()).toMatchObject({
          type: expect.stringMatching(/^\/v1\/problems\//),
          status: answer.statusCode,
        })
      }),
      { numRuns: 400 },
    )
  }, 120_000)
})
