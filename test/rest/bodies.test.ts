/** A body that is not as it must be gets a pointer to the fault, and changes nothing. */

import { request as httpRequest } from 'node:http'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { itemTypes } from '../../core/contract/item.ts'
import { releasing } from '../kit/releasing.ts'
import { Site } from '../kit/site.ts'
import { pointersOf, refusalOf } from './refusals.ts'

const use = releasing(afterAll)
let site: Site
beforeAll(async () => {
  site = use(await Site.start())
  await site.ask('POST', '/v1/boards/bad/items', { type: 'sticky', id: 'a', x: 1 })
})

const items = '/v1/boards/bad/items'

const deep = (levels: number) => `{"type":"sticky","content":${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}}`

describe('a body', () => {
  const bodies: [what: string, body: string, refusal: string, pointers: string[]][] = [
    ['that is malformed', '{"type":', '400 json-malformed', []],
    ['that is empty', '', '400 request-invalid', ['']],
    ['that is text', 'hello', '400 json-malformed', []],
    ['with a number beyond JSON', '{"type":"sticky","x":NaN}', '400 json-malformed', []],
    ['that is an array', '[{"type":"sticky"}]', '400 request-invalid', ['']],
    ['that is a number', '7', '400 request-invalid', ['']],
    ['that is null', 'null', '400 request-invalid', ['']],
    ['that is a string', '"sticky"', '400 request-invalid', ['']],
    ['without a type', '{}', '400 request-invalid', ['/type']],
    ['with an unknown type', '{"type":"spaceship"}', '400 request-invalid', ['/type']],
    ['with unknown fields', '{"type":"sticky","w":1,"style":{"bold":1}}', '400 request-invalid', ['/style/bold', '/w']],
    ['with a number that is not finite', '{"type":"sticky","x":1e999}', '400 request-invalid', ['/x']],
    ['with coordinates too far out', '{"type":"sticky","x":10000001,"y":-1e8}', '400 request-invalid', ['/x', '/y']],
    [
      'with sizes out of bounds',
      '{"type":"shape","width":0,"height":100001}',
      '400 request-invalid',
      ['/width', '/height'],
    ],
    ['with a text for a number', '{"type":"sticky","x":"1"}', '400 request-invalid', ['/x']],
    ['with null for a value', '{"type":"sticky","x":null}', '400 request-invalid', ['/x']],
    [
      'with a text too long',
      `{"type":"sticky","content":{"text":"${'a'.repeat(10_001)}"}}`,
      '400 request-invalid',
      ['/content/text'],
    ],
    ['with an invalid id', '{"type":"sticky","id":"a/b"}', '400 request-invalid', ['/id']],
    ['with __proto__', '{"type":"sticky","__proto__":{"x":1}}', '400 request-invalid', ['/__proto__']],
    [
      'with constructor',
      '{"type":"sticky","content":{"constructor":1}}',
      '400 request-invalid',
      ['/content/constructor'],
    ],
    [
      'with prototype',
      '{"type":"sticky","style":{"a":[{"prototype":1}]}}',
      '400 request-invalid',
      ['/style/a/0/prototype'],
    ],
    ['nested deep', deep(50_000), '400 request-invalid', [`/content${'/a'.repeat(31)}`]],
    ['with a long name', `{"type":"sticky","${'n'.repeat(100_000)}":1}`, '400 request-invalid', ['']],
    ['of an image of nothing', '{"type":"image"}', '422 item-invalid', ['/content/url']],
  ]
  const urls = [
    'javascript:alert(1)',
    'data:text/html,<script>',
    'ftp://a/b',
    '//a/b',
    'a',
    `https://a/${'b'.repeat(8_192)}`,
  ]
  for (const url of urls) {
    const body = JSON.stringify({ type: 'sticky', content: { url } })
    bodies.push([`with the URL ${url.slice(0, 30)}`, body, '400 request-invalid', ['/content/url']])
  }

  test.each(bodies)('%s is refused', async (_what, body, refusal, pointers) => {
    const before = (await site.ask('GET', items)).headers.etag
    const answer = await site.ask('POST', items, body)
    expect(refusalOf(answer)).toBe(refusal)
    expect(pointersOf(answer).sort()).toEqual([...pointers].sort())
    expect((await site.ask('GET', items)).headers.etag).toBe(before)
  })

  test.each([
    ['that is an array', '[]', '400 request-invalid', ['']],
    ['with an unknown field', '{"w":1}', '400 request-invalid', ['/w']],
    ['with a null id', '{"id":null}', '400 request-invalid', ['/id']],
    ['with __proto__', '{"__proto__":{"x":1}}', '400 request-invalid', ['/__proto__']],
    ['with a size that is none', '{"width":-1}', '400 request-invalid', ['/width']],
    ['that is empty', '', '400 request-invalid', ['']],
    ['with a frame that does not exist', '{"parent":"nowhere"}', '422 item-invalid', ['/parent']],
    ['with the item itself as its frame', '{"parent":"a"}', '422 item-invalid', ['/parent']],
  ])('of a patch %s is refused', async (_what, body, refusal, pointers) => {
    const answer = await site.ask('PATCH', `${items}/a`, body, { 'content-type': 'application/merge-patch+json' })
    expect(refusalOf(answer)).toBe(refusal)
    expect(pointersOf(answer)).toEqual(pointers)
    expect((await site.ask('GET', `${items}/a`)).json().x).toBe(1)
  })

  test('that is missing is refused', async () => {
    expect(refusalOf(await site.app.inject({ method: 'POST', url: items, headers: { host: 'localhost' } }))).toBe(
      '400 request-invalid',
    )
  })

  test('that is not UTF-8 is refused, not mended', async () => {
    const payload = Buffer.from('{"type":"sticky","content":{"text":"\xe9"}}', 'latin1')
    const headers = { host: 'localhost', 'content-type': 'application/json' }
    expect(refusalOf(await site.app.inject({ method: 'POST', url: items, headers, payload }))).toBe(
      '400 json-malformed',
    )
  })

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=a',
    'application/jsonp',
    'nonsense',
    '',
  ])('of type %j is refused', async type => {
    expect(refusalOf(await site.ask('POST', items, '{"type":"sticky"}', { 'content-type': type }))).toBe(
      '415 content-type-unsupported',
    )
  })

  test('that is compressed is refused as such, not as malformed', async () => {
    const headers = { host: 'localhost', 'content-type': 'application/json', 'content-encoding': 'gzip' }
    const payload = gzipSync('{"type":"sticky"}')
    const answer = await site.app.inject({ method: 'POST', url: items, headers, payload })
    expect(refusalOf(answer)).toBe('415 content-encoding-unsupported')
    expect(answer.headers['accept-encoding']).toBe('identity')
  })

  test('may say that it is not compressed', async () => {
    const plain = { 'content-encoding': 'identity' }
    expect((await site.ask('POST', '/v1/boards/plain/items', { type: 'sticky' }, plain)).statusCode).toBe(201)
  })

  test('may say its charset', async () => {
    const type = { 'content-type': 'application/json; charset=utf-8' }
    expect((await site.ask('POST', '/v1/boards/charset/items', { type: 'sticky' }, type)).statusCode).toBe(201)
  })

  test('over 1 MiB is refused, also when its length comes as a surprise', async () => {
    const body = `{"type":"sticky","content":{"text":"${'a'.repeat(1024 * 1024)}"}}`
    expect(refusalOf(await site.ask('POST', items, body))).toBe('413 body-too-large')
    const answer = await new Promise<string>((resolve, reject) => {
      const sent = httpRequest(`${site.url}${items}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
      })
      sent.on('response', got => resolve(`${got.statusCode} ${got.headers['content-type']}`)).on('error', reject)
      sent.write(body.slice(0, 1024 * 1024))
      sent.end(body.slice(1024 * 1024))
    })
    expect(answer).toBe('413 application/problem+json')
  })
})

describe('whatever is sent', () => {
  const text = fc.oneof(fc.constantFrom('a', '__proto__', '', '\u0000', '\ud800', 'x'.repeat(300)), fc.string())
  const scalar = fc.oneof(text, fc.double(), fc.integer(), fc.boolean(), fc.constant(null))
  const value = fc.oneof(scalar, fc.array(scalar), fc.dictionary(text, scalar), fc.anything({ maxDepth: 3 }))
  const field = fc.constantFrom(
    'id',
    'x',
    'y',
    'width',
    'height',
    'rotation',
    'parent',
    'content',
    'style',
    'created_by',
    'other',
  )
  const inner = fc.dictionary(
    fc.constantFrom('text', 'url', 'title', 'from', 'to', 'kind', 'color', 'size', 'align', 'other'),
    value,
  )
  const item = fc
    .tuple(fc.constantFrom(...itemTypes, 'other', null), fc.dictionary(field, fc.oneof(value, inner)))
    .map(([type, rest]) => ({ type, ...rest }))
  const body = fc.oneof({ weight: 4, arbitrary: item.map(given => JSON.stringify(given)) }, fc.json(), fc.string())

  test('is applied or refused with a problem document, and the board stays readable', {
    timeout: 120_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(body, fc.constantFrom('POST', 'PATCH'), async (sent, method) => {
        const answer = await site.ask(method, method === 'POST' ? '/v1/boards/fuzzed/items' : `${items}/a`, sent)
        if (answer.statusCode >= 300) {
          expect(refusalOf(answer)).toMatch(/^4\d\d /)
        } else {
          const { id, seq } = answer.json()
          expect([id, seq]).toEqual([expect.any(String), expect.any(Number)])
        }
      }),
      { numRuns: 400 },
    )
    for (const board of ['fuzzed', 'bad'])
      expect((await site.ask('GET', `/v1/boards/${board}/items`)).statusCode).toBe(200)
  })
})
