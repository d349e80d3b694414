/** A board that goes out as a file of tldraw opens in tldraw. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { releasing } from '../kit/releasing.ts'
import { freshBoard, Site } from '../kit/site.ts'
import { projectRoot } from '../kit/sources.ts'
import { post } from './asking.ts'
import { type BoardFile, download, fullBoard, idsIn, schema } from './board-files.ts'
import { assetUrl, pixel, putPicture } from './pictures.ts'
import { refusalOf } from './refusals.ts'

const useForAll = releasing(afterAll)
const use = releasing()
let site: Site
beforeAll(async () => {
  site = useForAll(await Site.start())
})

describe('an export', () => {
  test.each([
    ['application/json', 'application/json'],
    ['application/vnd.tldraw+json, application/json;q=0.5', 'application/vnd.tldraw+json'],
    ['*/*', 'application/vnd.tldraw+json'],
  ])('for who takes %s is of type %s', async (accept, type) => {
    const board = freshBoard()
    await post(site, board)
    const answer = await site.ask('GET', `/v1/boards/${board}/export`, undefined, { accept })
    expect([answer.statusCode, answer.headers['content-type']]).toEqual([200, type])
  })

  test('is a file that tldraw itself opens, with everything that it can show and nothing else', async () => {
    const board = await fullBoard(site, use)
    const answer = await site.ask('GET', `/v1/boards/${board}/export`)
    expect(answer.headers).toMatchObject({
      'content-type': 'application/vnd.tldraw+json',
      'content-disposition': `attachment; filename="${board}.tldr"`,
      etag: expect.stringMatching(/^"\d+-\d+-1"$/),
    })
    const file: BoardFile = answer.json()
    expect(file).toMatchObject({ tldrawFileFormatVersion: 1, schema })
    const ids = idsIn(file)
    for (const id of ['frame', 'inside', 'picture', 'shape', 'arrow', 'text', 'document', 'drawn']) {
      expect(ids).toContain(`shape:${id}`)
    }
    expect(ids).toEqual(expect.arrayContaining(['document:document', 'page:page']))
    expect(ids.filter(id => /invalid|untold|lost|own-parent|elsewhere|camera/.test(id))).toEqual([])
    const opened = await openInTldraw(file)
    expect([opened.ok, opened.error]).toEqual([true, undefined])
    expect(opened.ids).toEqual(expect.arrayContaining(ids))
    const again = await site.ask('GET', `/v1/boards/${board}/export`, undefined, {
      'if-none-match': `${answer.headers.etag}`,
    })
    expect(again.statusCode).toBe(304)
  }, 120_000)

  test("has the board's pictures in it", async () => {
    const { records } = await download(site, await fullBoard(site, use))
    const assets = records.filter(({ typeName }) => typeName === 'asset')
    expect(assets.map(({ props }) => (props as { src: string }).src)).toEqual([
      `data:image/png;base64,${pixel.toString('base64')}`,
    ])
  })

  test('is another as soon as a picture that the board shows has come', async () => {
    const board = freshBoard()
    await post(site, board, { type: 'image', content: { url: assetUrl(board, pixel) } })
    const ask = (headers = {}) => site.ask('GET', `/v1/boards/${board}/export`, undefined, headers)
    const { etag } = (await ask()).headers
    const seen = { 'if-none-match': `${etag}` }
    expect(etag).toMatch(/^"\d+-\d+"$/)
    expect((await ask(seen)).statusCode).toBe(304)
    await putPicture(site, board, pixel)
    expect((await ask(seen)).body).toContain('data:image/png;base64,')
  })

  test('of a board that nobody has written to has what every file has', async () => {
    const board = freshBoard()
    use(await site.join(board))
    expect(idsIn(await download(site, board))).toEqual(['document:document', 'page:page'])
    expect(refusalOf(await site.ask('GET', '/v1/boards/never-was/export'))).toBe('404 board-missing')
  })
})

/** What tldraw's own `parseTldrawJsonFile` makes of a file, in a process of its own: tldraw keeps one alive for ever. */
async function openInTldraw(file: BoardFile): Promise<{ ok: boolean; error?: unknown; ids: string[] }> {
  const program = `
    import { text } from 'node:stream/consumers'
    const { createTLSchema, parseTldrawJsonFile } = await import(process.argv[1])
    const parsed = parseTldrawJsonFile({ json: await text(process.stdin), schema: createTLSchema() })
    const told = parsed.ok ? { ok: true, ids: parsed.value.allRecords().map(({ id }) => id) } : { ok: false, error: parsed.error, ids: [] }
    process.stdout.write(JSON.stringify(told), () => process.exit(0))`
  const child = use(
    spawn(process.execPath, ['--input-type=module', '-e', program, 'tldraw'], {
      cwd: projectRoot,
      stdio: ['pipe', 'pipe', 'inherit'],
    }),
    given => given.kill('SIGKILL'),
  )
  let said = ''
  child.stdout.setEncoding('utf8').on('data', chunk => {
    said += chunk
  })
  child.stdin.end(JSON.stringify(file))
  await once(child, 'close')
  return JSON.parse(said)
}
