/** Pictures over REST: kept once under their hash, given back as they are and as nothing but pictures. */
import { request } from 'node:http'
import { gzipSync } from 'node:zlib'
import { createTLSchema } from '@tldraw/tlschema'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { grantOf } from '../../core/auth/grant.ts'
import { everyBoard } from '../../core/contract/role.ts'
import { releasing } from '../kit/releasing.ts'
import { freshBoard, Site } from '../kit/site.ts'
import { assetUrl, pictureOf, pictureTypes, pixel, putPicture, sha256 } from './pictures.ts'
import { pointersOf, refusalOf } from './refusals.ts'

const use = releasing(afterAll)
const key = 'an-admin-key-of-some-length'
let site: Site
let locked: Site
beforeAll(async () => {
  site = use(await Site.start())
  locked = use(
    await Site.start({
      storage: site.storage,
      authenticate: async credential =>
        grantOf({
          subject: 'reader',
          rights: new Map(credential?.equals(key) ? [[everyBoard, 'read']] : []),
          basis: { issuer: 'test' },
        }),
    }),
  )
})

const MiB = 1024 * 1024
const get = (url: string, headers = {}) => site.ask('GET', url, undefined, headers)

describe('a picture', () => {
  test('is kept under its hash, at first 201, from then on 200, and given back byte for byte', async () => {
    const board = freshBoard()
    for (const type of pictureTypes) {
      const bytes = pictureOf(type)
      const url = assetUrl(board, bytes)
      const first = await putPicture(site, board, bytes)
      expect([first.statusCode, first.headers.location, first.headers.etag]).toEqual([201, url, `"${sha256(bytes)}"`])
      expect(first.json()).toEqual({ url, type, size: bytes.byteLength })
      const again = await putPicture(site, board, bytes, { type: 'image/png', headers: { 'idempotency-key': type } })
      expect([again.statusCode, again.json()]).toEqual([200, first.json()])
      const answer = await get(url)
      expect([answer.statusCode, answer.rawPayload.equals(bytes)]).toEqual([200, true])
      expect(answer.headers).toMatchObject({ 'content-type': type, 'content-length': `${bytes.byteLength}` })
    }
  })

  test('is refused where those of its board come to 1 GiB, by itself and in a file', async () => {
    const full = vi.spyOn(site.storage.assets, 'put').mockResolvedValue('board-full')
    onTestFinished(() => full.mockRestore())
    const asset = { id: 'asset:a', typeName: 'asset', type: 'image', meta: {} }
    const src = `data:image/png;base64,${pixel.toString('base64')}`
    const props = { w: 1, h: 1, name: '', isAnimated: false, mimeType: 'image/png', src }
    const file = { tldrawFileFormatVersion: 1, schema: createTLSchema().serialize(), records: [{ ...asset, props }] }
    expect(refusalOf(await putPicture(site, freshBoard(), pixel))).toBe('409 board-full')
    expect(refusalOf(await site.ask('POST', `/v1/boards/${freshBoard()}/import`, file))).toBe('409 board-full')
  })

  test.each(['text/html', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', undefined])(
    'is known by its bytes, whatever it is said to be: %s',
    async type => {
      const url = assetUrl(freshBoard(), pixel)
      const headers = { host: 'localhost', ...(type !== undefined && { 'content-type': type }) }
      const answer = await site.app.inject({ method: 'PUT', url, headers, payload: pixel })
      expect([answer.statusCode, answer.json().type]).toEqual([201, 'image/png'])
    },
  )

  test('brings its board into being, and can be shown by an item there', async () => {
    const board = freshBoard()
    expect((await putPicture(site, board, pixel)).statusCode).toBe(201)
    expect((await site.ask('GET', `/v1/boards/${board}/items`)).json()).toMatchObject({ items: [], seq: 0 })
  })

  test('is the same for ever, and never anything but a picture', async () => {
    const board = freshBoard()
    await putPicture(site, board, pixel)
    const { headers } = await get(assetUrl(board, pixel))
    expect(headers).toMatchObject({
      etag: `"${sha256(pixel)}"`,
      'cache-control': 'private, max-age=31536000, immutable',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
      'content-disposition': `inline; filename="${sha256(pixel).slice(0, 12)}.png"`,
    })
    const unchanged = await get(assetUrl(board, pixel), { 'if-none-match': headers.etag })
    expect([unchanged.statusCode, unchanged.body]).toEqual([304, ''])
    expect(unchanged.headers['cache-control']).toContain('immutable')
  })

  test('is described by HEAD as GET would send it, without its bytes', async () => {
    const board = freshBoard()
    const bytes = pictureOf('image/webp', 3 * MiB)
    await putPicture(site, board, bytes)
    const [head, whole] = [await site.ask('HEAD', assetUrl(board, bytes)), await get(assetUrl(board, bytes))]
    const { date: _, 'ratelimit-remaining': _left, ...told } = head.headers
    expect(head.body).toBe('')
    expect(whole.headers).toMatchObject(told)
    expect(told['content-length']).toBe(`${3 * MiB}`)
    expect((await site.ask('HEAD', assetUrl(board, pixel))).statusCode).toBe(404)
  })

  test.each(['png', 'text/plain', ''])('is taken whatever it is said to be: %j', async type => {
    expect((await putPicture(site, freshBoard(), pixel, { type })).statusCode).toBe(201)
  })

  test('is put by several at once and kept once', async () => {
    const board = freshBoard()
    const answers = await Promise.all(Array.from({ length: 5 }, () => putPicture(site, board, pixel)))
    expect(answers.map(answer => answer.statusCode).sort()).toEqual([200, 200, 200, 200, 201])
  })

  test('under an Idempotency-Key is answered as at first, and no other comes under the same', async () => {
    const board = freshBoard()
    const put = (bytes: Buffer) => putPicture(site, board, bytes, { headers: { 'idempotency-key': 'k' } })
    const first = await put(pixel)
    const again = await put(pixel)
    expect([again.statusCode, again.body, again.headers.location, again.headers.etag]).toEqual([
      201,
      first.body,
      first.headers.location,
      first.headers.etag,
    ])
    const other = pictureOf('image/gif')
    expect(refusalOf(await put(other))).toBe('422 idempotency-key-reused')
    expect(refusalOf(await get(assetUrl(board, other)))).toBe('404 asset-missing')
  })

  test('belongs to its board alone', async () => {
    const [one, other] = [freshBoard(), freshBoard()]
    await putPicture(site, one, pixel)
    await putPicture(site, other, pictureOf('image/gif'))
    expect(refusalOf(await get(assetUrl(other, pixel)))).toBe('404 asset-missing')
    expect(refusalOf(await get(assetUrl('no-such-board', pixel)))).toBe('404 asset-missing')
  })
})

describe('a picture is refused', () => {
  test('over 10 MiB, whether its length is told beforehand or not; at 10 MiB it is taken', async () => {
    const board = freshBoard()
    const largest = pictureOf('image/png', 10 * MiB)
    expect((await putPicture(site, board, largest)).statusCode).toBe(201)
    expect((await get(assetUrl(board, largest))).rawPayload.equals(largest)).toBe(true)
    for (const chunked of [false, true]) expect(await sendTooMuch(board, chunked)).toBe(413)
    expect(refusalOf(await putPicture(site, board, pictureOf('image/png', 10 * MiB + 1)))).toBe('413 body-too-large')
  })

  test('when its bytes are no PNG, JPEG, WebP or GIF, whatever they are said to be', async () => {
    const board = freshBoard()
    const others = [
      '',
      'GIF90a',
      '<svg xmlns="http://www.w3.org/2000/svg"/>',
      'RIFF\x10\0\0\0WAVE',
      'BM',
      '\x89PNG',
      '%PDF-',
    ]
    for (const text of others) {
      const bytes = Buffer.from(text, 'latin1')
      const answer = await putPicture(site, board, bytes, { type: 'image/png' })
      expect(refusalOf(answer)).toBe('415 asset-unsupported')
      expect(refusalOf(await get(assetUrl(board, bytes)))).toBe('404 asset-missing')
    }
    const without = await site.app.inject({
      method: 'PUT',
      url: assetUrl(board, pixel),
      headers: { host: 'localhost' },
    })
    expect(refusalOf(without)).toBe('415 asset-unsupported')
    const compressed = await site.app.inject({
      method: 'PUT',
      url: assetUrl(board, pixel),
      headers: { host: 'localhost', 'content-type': 'image/png', 'content-encoding': 'gzip' },
      payload: gzipSync(pixel),
    })
    expect(refusalOf(compressed)).toBe('415 content-encoding-unsupported')
  })

  test('under another hash than its own', async () => {
    const board = freshBoard()
    const names = [sha256(Buffer.from('x')), sha256(pixel).toUpperCase(), sha256(pixel).slice(1), 'x']
    for (const name of names) {
      const url = `/v1/boards/${board}/assets/${name}`
      const answer = await putPicture(site, board, pixel, { url })
      expect([refusalOf(answer), pointersOf(answer)]).toEqual(['422 asset-hash-wrong', []])
      expect(refusalOf(await get(url))).toBe('404 asset-missing')
    }
  })

  test('from who may only read, who gets what is there; others get neither', async () => {
    const board = freshBoard()
    await putPicture(site, board, pixel)
    const headers = { 'x-api-key': key }
    expect((await locked.ask('GET', assetUrl(board, pixel), undefined, headers)).statusCode).toBe(200)
    expect(refusalOf(await putPicture(locked, board, pixel, { headers }))).toBe('403 forbidden')
    expect(refusalOf(await locked.ask('GET', assetUrl(board, pixel)))).toBe('404 board-missing')
    expect(refusalOf(await locked.ask('HEAD', assetUrl(board, pixel)).then(asRefusal))).toBe('404 board-missing')
    expect(refusalOf(await putPicture(locked, board, pixel))).toBe('404 board-missing')
  })

  test('by any other method', async () => {
    const answer = await site.ask('DELETE', assetUrl('a', pixel))
    expect([refusalOf(answer), answer.headers.allow]).toEqual(['405 method-not-allowed', 'GET, HEAD, PUT'])
  })

  test('elsewhere: bodies of other calls are JSON as before', async () => {
    const answer = await putPicture(site, 'a', pixel, { url: '/v1/boards/a/items' })
    expect(refusalOf(answer)).toBe('405 method-not-allowed')
    const posted = await site.app.inject({
      method: 'POST',
      url: '/v1/boards/a/items',
      headers: { host: 'localhost', 'content-type': 'image/png' },
      payload: pixel,
    })
    expect(refusalOf(posted)).toBe('415 content-type-unsupported')
  })
})

/** HEAD answers have no body; who may not is told the same as by GET. */
async function asRefusal(answer: Awaited<ReturnType<Site['ask']>>) {
  expect([answer.statusCode, answer.body]).toEqual([404, ''])
  return locked.ask('GET', String(answer.raw.req.url))
}

/** Over a real connection: the whole body is sent before the answer is looked at. @returns the status */
function sendTooMuch(board: string, chunked: boolean): Promise<number | undefined> {
  const bytes = pictureOf('image/png', 11 * MiB)
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'image/png', ...(chunked ? {} : { 'content-length': bytes.byteLength }) }
    const sent = request(`${site.url}${assetUrl(board, bytes)}`, { method: 'PUT', headers })
    sent.on('error', reject).on('response', answer => {
      answer.resume().on('end', () => resolve(answer.statusCode))
    })
    for (let from = 0; from < bytes.byteLength; from += MiB) sent.write(bytes.subarray(from, from + MiB))
    sent.end()
  })
}
