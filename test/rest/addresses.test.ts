/** Addresses, methods, headers and what is not even a request: each fault has its problem document. */

import { mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { releasing } from '../kit/releasing.ts'
import { Site } from '../kit/site.ts'
import { temporaryFolder } from '../kit/temporary-folder.ts'
import { pointersOf, refusalOf } from './refusals.ts'

const use = releasing(afterAll)
let site: Site
beforeAll(async () => {
  const { path: page } = use(temporaryFolder())
  writeFileSync(join(page, 'index.html'), '<!doctype html><head></head>')
  mkdirSync(join(page, 'assets'))
  writeFileSync(join(page, 'assets/index.js'), '')
  site = use(await Site.start({ page }))
  await site.ask('POST', '/v1/boards/bad/items', { type: 'sticky', id: 'a', x: 1 })
})

const items = '/v1/boards/bad/items'

describe('an address', () => {
  test.each([
    ['/v1/nothing', 'GET', '404 not-found'],
    ['/v1', 'GET', '404 not-found'],
    ['/v2/boards/bad/items', 'GET', '404 not-found'],
    ['/v1/boards/bad/items/a/b', 'GET', '404 not-found'],
    ['/../../etc/passwd', 'GET', '404 not-found'],
    ['/v1/problems/nothing', 'GET', '404 not-found'],
    ['/v1/problems/constructor', 'GET', '404 not-found'],
    ['/v1/boards/%zz/items', 'GET', '400 address-malformed'],
    ['/v1/boards/bad/items/%', 'GET', '400 address-malformed'],
    ['/v1/boards/bad/items/%ed%a0%80', 'DELETE', '400 address-malformed'],
    ['/%zz', 'GET', '400 address-malformed'],
    ['/v1/boards/a.b/items', 'GET', '400 board-id-invalid'],
    ['/v1/boards/a%2Fb/items', 'GET', '400 board-id-invalid'],
    ['/v1/boards//items', 'GET', '400 board-id-invalid'],
    ['/v1/boards/a%00/items', 'GET', '400 board-id-invalid'],
    ['/v1/boards/%F0%9F%98%80/items', 'GET', '400 board-id-invalid'],
    ['/v1/boards/admin/items', 'GET', '400 board-id-invalid'],
    ['/v1/boards/v%31/items', 'GET', '400 board-id-invalid'],
    [`/v1/boards/${'a'.repeat(129)}/items`, 'GET', '400 board-id-invalid'],
    [`/v1/boards/${'a'.repeat(9_000)}/items`, 'GET', '400 board-id-invalid'],
    ['/v1/boards/bad/items/', 'GET', '404 item-missing'],
    ['/v1/boards/bad/items/__proto__', 'GET', '404 item-missing'],
    ['/v1/boards/bad/items/constructor', 'DELETE', '404 item-missing'],
    ['/v1/boards/bad/items/%00', 'DELETE', '404 item-missing'],
    ['/v1/boards/bad/items/a%00', 'PATCH', '404 item-missing'],
    [`/v1/boards/bad/items/${'a'.repeat(300)}`, 'DELETE', '404 item-missing'],
    [`/v1/boards/bad/items/${'a'.repeat(9_000)}`, 'PATCH', '404 item-missing'],
  ] as const)('%s is refused to %s', async (url, method, refusal) => {
    expect(refusalOf(await site.ask(method, url, method === 'PATCH' ? { x: 1 } : undefined))).toBe(refusal)
  })

  test.each([
    ['?bbox=0,0,1', '/bbox'],
    ['?limit=5&foo=1', '/foo'],
    ['?__proto__=1', '/__proto__'],
    ['?limit=0', '/limit'],
    ['?limit=501', '/limit'],
    ['?limit=-1', '/limit'],
    ['?limit=1.5', '/limit'],
    ['?limit=1e2', '/limit'],
    ['?limit=', '/limit'],
    ['?limit=1&limit=2', '/limit'],
    ['?limit=99999999999999999999', '/limit'],
    ['?type=spaceship', '/type'],
    ['?type=', '/type'],
    ['?cursor=', '/cursor'],
    ['?cursor=%00', '/cursor'],
    ['?cursor=a', '/cursor'],
    ['?cursor=YQ==', '/cursor'],
    ['?cursor=gA', '/cursor'],
    ['?cursor=YQ&cursor=Yg', '/cursor'],
  ])('with %s is refused with a pointer', async (query, pointer) => {
    const answer = await site.ask('GET', items + query)
    expect([refusalOf(answer), pointersOf(answer)]).toEqual(['400 request-invalid', [pointer]])
  })

  test.each([
    ['POST', '/v1/nope', '404 not-found'],
    ['PATCH', '/nope', '404 not-found'],
    ['POST', '/b/bad/nope', '404 not-found'],
    ['POST', '/health', '405 method-not-allowed'],
    ['POST', '/b/bad', '405 method-not-allowed'],
    ['DELETE', '/v1/boards/bad/nope', '404 not-found'],
    ['PUT', items, '405 method-not-allowed'],
  ] as const)(
    'to which %s %s is sent with a body that cannot be read is still told of first',
    async (method, url, refusal) => {
      for (const [body, type] of [
        ['{"type":', 'application/json'],
        ['{"__proto__":1}', 'application/json'],
        ['text', 'text/plain'],
        ['text', 'nonsense'],
      ] as const) {
        expect(refusalOf(await site.ask(method, url, body, { 'content-type': type }))).toBe(refusal)
      }
    },
  )

  test.each([
    [items, ['PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'], 'GET, HEAD, POST'],
    [`${items}/a`, ['PUT', 'POST', 'OPTIONS', 'TRACE'], 'GET, HEAD, PATCH, DELETE'],
    ['/v1/boards/bad/changes/a', ['PUT', 'POST', 'PATCH', 'DELETE'], 'GET, HEAD'],
    ['/v1/problems/internal', ['POST', 'DELETE'], 'GET, HEAD'],
    ['/health', ['POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE'], 'GET, HEAD'],
    ['/ready', ['POST', 'DELETE'], 'GET, HEAD'],
    ['/metrics', ['POST', 'DELETE'], 'GET, HEAD'],
    ['/', ['POST', 'DELETE'], 'GET, HEAD'],
    ['/b/bad', ['POST', 'PUT', 'DELETE', 'OPTIONS'], 'GET, HEAD'],
    ['/b/bad/', ['POST'], 'GET, HEAD'],
    ['/assets/index.js', ['POST', 'PUT', 'DELETE'], 'GET, HEAD'],
  ])('%s takes none of %j', async (url, methods, allow) => {
    for (const method of methods) {
      const answer = await site.app.inject({ method: method as 'PUT', url, headers: { host: 'localhost' } })
      expect([refusalOf(answer), answer.headers.allow]).toEqual(['405 method-not-allowed', allow])
    }
  })
})

describe('a header', () => {
  test('If-Match that no change could hold is refused', async () => {
    const answer = await site.ask('PATCH', `${items}/a`, {}, { 'if-match': `"${'a'.repeat(1_000)}"` })
    expect([refusalOf(answer), pointersOf(answer)]).toEqual(['400 request-invalid', ['/If-Match']])
  })

  test('of nonsense harms nothing', async () => {
    for (const headers of [
      { 'if-none-match': ',,W/,"' },
      { accept: '*/nonsense' },
      { 'accept-version': '9' },
      { cookie: '=;=' },
    ]) {
      expect((await site.ask('GET', `${items}/a`, undefined, headers as Record<string, string>)).statusCode).toBe(200)
    }
  })
})

/** @param rest what is sent when it has been answered. @returns all that is answered until the server ends the connection */
async function answerTo(text: string, rest?: string): Promise<string> {
  const { hostname, port } = new URL(site.url)
  const socket = use(connect(Number(port), hostname), given => given.destroy())
  socket.write(text)
  let answer = ''
  for await (const chunk of socket.setEncoding('utf8')) {
    if (answer === '' && rest !== undefined) socket.write(rest)
    answer += chunk
  }
  return answer
}
const statusesIn = (answer: string) => [...answer.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => Number(status))
const post = (id: string) => {
  const body = JSON.stringify({ type: 'sticky', id })
  return `POST ${items} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`
}

describe('what is not even a request', () => {
  test.each([
    ['nonsense\r\n\r\n', 400, 'http-malformed'],
    ['GET / HTTP/1.1\r\nhost: localhost\r\ncontent-length: x\r\n\r\n', 400, 'http-malformed'],
    [`GET / HTTP/1.1\r\nhost: localhost\r\na: ${'a'.repeat(20_000)}\r\n\r\n`, 431, 'headers-too-large'],
    ['GET / HTTP/1.1\r\nconnection: close\r\n\r\n', 400, 'http-malformed'],
    ['GET / HTTP/1.0\r\n\r\n', 421, 'misdirected'],
    ['GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nexpect: foo\r\n\r\n', 417, 'expectation-failed'],
    [`POST ${items} HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nx\r\n`, 400, 'http-malformed'],
  ])('%.20j… is answered by a problem document', async (text, status, name) => {
    const [head = '', body = ''] = (await answerTo(text)).split('\r\n\r\n')
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(head).toContain('application/problem+json')
    expect(JSON.parse(body)).toMatchObject({ type: `/v1/problems/${name}`, status })
  })
})

describe('a connection', () => {
  test('on which garbage follows requests has their answers first, then one to that, and ends', async () => {
    const answer = await answerTo(`${post('one')}${post('two')}nonsense\r\n\r\n`)
    expect(statusesIn(answer)).toEqual([201, 201, 400])
    expect(JSON.parse(answer.split('\r\n\r\n').at(-1) ?? '')).toMatchObject({ type: '/v1/problems/http-malformed' })
    expect(await site.ask('GET', `${items}/two`)).toMatchObject({ statusCode: 200 })
  })

  test('has no second answer to a request that was answered before the rest of it turned out to be garbage', async () => {
    const head = 'POST /v1/nope HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n'
    expect(statusesIn(await answerTo(head, 'x\r\n'))).toEqual([404])
  })

  test('of who asks whether to send goes on', async () => {
    const [head = '', body] = post('asked').split('\r\n\r\n')
    const answer = await answerTo(`${head}\r\nexpect: 100-continue\r\nconnection: close\r\n\r\n`, body)
    expect(statusesIn(answer)).toEqual([100, 201])
  })
})

describe('every problem', () => {
  test('has a page where its type points to', async () => {
    const page = await site.ask('GET', '/v1/problems/item-changed')
    expect([page.statusCode, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8'])
    expect(page.body).toContain('no longer what If-Match names')
  })
})
