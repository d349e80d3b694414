import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { createHttpApp } from '../api-bridge/http-app.ts'
import { releasing } from '../test/kit/releasing.ts'
import { silent } from '../test/kit/site.ts'
import { temporaryFolder } from '../test/kit/temporary-folder.ts'
import { compressFiles } from './compress.ts'
import { type PagesOptions, pageNotFound, pages } from './serve.ts'

const use = releasing()
const large = 'console.log(1)\n'.repeat(1_000)

async function serve(options: Omit<PagesOptions, 'directory'> = {}) {
  const { path: directory } = use(temporaryFolder())
  writeFileSync(join(directory, 'index.html'), '<!doctype html><head><title>boardsync</title></head><body></body>')
  mkdirSync(join(directory, 'assets'))
  writeFileSync(join(directory, 'assets/index-abc123.js'), 'console.log(1)')
  writeFileSync(join(directory, 'assets/large-abc123.js'), large)
  writeFileSync(join(directory, 'secret.txt'), 'not for everybody')
  await compressFiles(join(directory, 'assets'))
  const app = use(
    createHttpApp(silent, () => undefined),
    given => given.close(),
  )
  await app.register(pages, { directory, ...options })
  return app
}

describe('the page', () => {
  it('is the same at home and on every board, and asked for anew each time', async () => {
    const app = await serve()
    const [home, board] = await Promise.all(['/', '/b/any-board'].map(url => app.inject({ url })))
    for (const answer of [home, board]) {
      expect(answer?.statusCode).toBe(200)
      expect(answer?.headers).toMatchObject({
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'no-cache',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
      })
    }
    expect(home?.body).toBe(board?.body)
  })

  it('says 404 where no board can be: it tells people why, programs read the status', async () => {
    const app = await serve()
    for (const url of ['/b', '/b/', '/b/a/b', '/b/ws/', '/b/ws', '/b/a%20b', `/b/${'x'.repeat(99)}.`]) {
      const answer = await app.inject({ url })
      expect([url, answer.statusCode, answer.headers['content-type']]).toEqual([url, 404, 'text/html; charset=utf-8'])
    }
  })

  it('is found behind a slash too many', async () => {
    const answer = await (await serve()).inject({ url: '/b/any-board/' })
    expect([answer.statusCode, answer.headers.location]).toEqual([308, '/b/any-board'])
  })

  it('may talk to its own host only, but for pictures', async () => {
    const app = await serve()
    const { headers } = await app.inject({ url: '/', headers: { host: 'boards.example:8080' } })
    const policy = String(headers['content-security-policy'])
    expect(policy).toContain("default-src 'none'")
    expect(policy).toMatch(/connect-src 'self' data: blob: ws:\/\/boards\.example:8080 wss:\/\/boards\.example:8080;/)
    expect(policy).toContain("img-src 'self' data: blob: https: http:;")
    expect(policy.replace(/img-src[^;]*;/, '')).not.toMatch(/https?:|unsafe-eval|\*/)
  })

  it('names the public host where a proxy asks for another', async () => {
    const app = await serve({ publicUrl: 'https://boards.example' })
    const { headers } = await app.inject({ url: '/', headers: { host: '10.0.0.7:8080' } })
    expect(headers['content-security-policy']).toContain(' ws://boards.example wss://boards.example;')
    expect(headers['content-security-policy']).not.toContain('10.0.0.7')
  })

  it('a Host that is none adds nothing to its policy', async () => {
    const app = await serve()
    const { headers } = await app.inject({ url: '/', headers: { host: "x; script-src 'unsafe-inline'" } })
    expect(headers['content-security-policy']).not.toContain("script-src 'unsafe-inline'")
  })

  it('learns the licence key at run time, and no key can break out of where it stands', async () => {
    const key = 'tldraw-1/</script><script>alert(1)</script>$&'
    const { body } = await (await serve({ licenseKey: key })).inject({ url: '/b/x' })
    const [, json] = /<script type="application\/json" id="boardsync-config">(.*?)<\/script>/.exec(body) ?? []
    expect(JSON.parse(json ?? '')).toEqual({ licenseKey: key })
    expect(body.match(/<script/g)).toHaveLength(1)
  })
})

describe('its files', () => {
  it('are kept for ever', async () => {
    const answer = await (await serve()).inject({ url: '/assets/index-abc123.js' })
    expect(answer.body).toBe('console.log(1)')
    expect(answer.headers).toMatchObject({
      'cache-control': 'public, max-age=31536000, immutable',
      'x-content-type-options': 'nosniff',
    })
  })

  it.each([
    ['br', brotliDecompressSync],
    ['gzip', gunzipSync],
  ])('go out as %s to who takes it, and as they are to others', async (encoding, decompress) => {
    const app = await serve()
    const ask = (headers: Record<string, string>) => app.inject({ url: '/assets/large-abc123.js', headers })
    const answer = await ask({ 'accept-encoding': encoding })
    expect(answer.headers).toMatchObject({
      'content-encoding': encoding,
      'content-type': expect.stringContaining('javascript'),
      'cache-control': 'public, max-age=31536000, immutable',
      vary: expect.stringMatching(/accept-encoding/i),
    })
    expect(answer.rawPayload.byteLength).toBeLessThan(large.length / 10)
    expect(decompress(answer.rawPayload).toString()).toBe(large)
    const plain = await ask({})
    expect([plain.body, plain.headers['content-encoding']]).toEqual([large, undefined])
    expect(plain.headers.vary).toMatch(/accept-encoding/i)
  })

  it.each([
    '/assets/none.js',
    '/assets/',
    '/assets//',
    '/assets/.',
    '/assets/%00',
    '/assets/../secret.txt',
    '/assets/%2e%2e/secret.txt',
    '/elsewhere',
    '/b/a/b',
  ])('%s is not one of them', async url => {
    const answer = await (await serve()).inject({ url })
    expect(answer.statusCode).toBe(404)
    expect(answer.body).not.toContain('not for everybody')
  })
})

describe('a broken address of a board', () => {
  const guard = () => undefined
  const ask = async (url: string, method: 'GET' | 'POST' = 'GET') => {
    const app = use(createHttpApp(silent, guard, pageNotFound), given => given.close())
    return app.inject({ url, method })
  }

  it.each(['/b/%ff', '/b/%', '/b/a/b', '/b/'])('%s is answered by a page for people', async url => {
    const answer = await ask(url)
    expect([answer.statusCode, answer.headers['content-type']]).toEqual([404, 'text/html; charset=utf-8'])
    expect(answer.body).toContain('There is no board here')
    expect(answer.body).not.toContain('%')
  })

  it('elsewhere is answered by a problem document', async () => {
    for (const [url, status] of [
      ['/v1/boards/%ff', 400],
      ['/elsewhere', 404],
    ] as const) {
      const answer = await ask(url)
      expect([answer.statusCode, answer.headers['content-type']]).toEqual([status, 'application/problem+json'])
    }
    expect((await ask('/b/%ff', 'POST')).headers['content-type']).toBe('application/problem+json')
  })
})
